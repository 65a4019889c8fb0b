"""Libraries with the UMAMI interface for e+ e- > mu+ mu-, and the formula that they must give."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.process.process import Process

SOURCE = Path(__file__).with_name("umami_stub.c")
CARD = {
    "process": {"definition": "e+ e- > mu+ mu-"},
    "beams": {"pdf": "none", "energy": [100.0, 100.0]},
}

Build = Callable[..., Path]


@cache
def process() -> Process:
    return Process.from_card(Card.parse(CARD))


def couplings() -> dict[str, float]:
    model = process().model
    (e_l, e_r), (z_l, z_r) = model.couplings("a", 11), model.couplings("z", 11)
    return {"E_L": e_l, "E_R": e_r, "Z_L": z_l, "Z_R": z_r, "MZ": model["MZ"], "WZ": model["WZ"]}


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compile the stub with some definitions; every call gives a file with a state of its own."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("umami")
    built: dict[tuple[str, ...], Path] = {}
    copies = iter(range(1000))

    def make(**definitions: object) -> Path:
        values = {**couplings(), **definitions}
        flags = tuple(
            f"-D{name}={value!r}" if value != "" else f"-D{name}" for name, value in values.items()
        )
        flags = tuple(flag.replace("'", "") for flag in flags)
        if flags not in built:
            built[flags] = folder / f"library_{len(built)}.so"
            command = [
                compiler,
                "-O1",
                "-fPIC",
                "-shared",
                *flags,
                str(SOURCE),
                "-o",
                str(built[flags]),
                "-lm",
            ]
            subprocess.run(command, check=True)
        return Path(shutil.copy(built[flags], folder / f"copy_{next(copies)}.so"))

    return make


def events(n: int, seed: int = 1, energy: float = 200.0) -> Array:
    """e+ e- along z to muons in any direction, (n, 4, 4) event-fastest."""
    random = np.random.Generator(np.random.Philox(seed))
    cosine, angle = random.uniform(-0.95, 0.95, n), random.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    muon = np.stack([np.ones(n), sine * np.cos(angle), sine * np.sin(angle), cosine], axis=1)
    beam = np.tile([1.0, 0.0, 0.0, 1.0], (n, 1))
    back = np.array([1.0, -1.0, -1.0, -1.0])
    return as_momenta(energy / 2 * np.stack([beam, beam * back, muon, muon * back], axis=1))


def formula(p: Array) -> tuple[Array, Array]:
    """|M|^2, averaged, and |M_i|^2 of photon and Z.

    Sum of |sum_V g g / (s - M^2 + i M G)|^2 times 4 u^2 or 4 t^2.
    """
    model: Model = process().model
    metric = np.array([1.0, -1.0, -1.0, -1.0])
    s, u, t = (2 * (p[:, a] * p[:, b] * metric).sum(axis=1) for a, b in ((0, 1), (1, 2), (1, 3)))
    photon, z = 1 / s, 1 / (s - model["MZ"] ** 2 + 1j * model["MZ"] * model["WZ"])
    me2, squares = np.zeros(len(p)), np.zeros((len(p), 2))
    for electron in (0, 1):
        for muon in (0, 1):
            angle = u if electron == muon else t
            parts = [
                model.couplings(boson, 11)[electron] * model.couplings(boson, 11)[muon] * line
                for boson, line in (("a", photon), ("z", z))
            ]
            me2 += abs(parts[0] + parts[1]) ** 2 * angle**2
            squares += np.stack([4 * abs(part) ** 2 * angle**2 for part in parts], axis=1)
    return me2, squares
