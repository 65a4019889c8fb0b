"""Synthetic Drell-Yan events from an analytic distribution, for the tests of batches and files."""

from __future__ import annotations

import gzip
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pylhe
import pytest
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.events.event_batch import PARTICLE_COLUMNS, EventBatch

SIGMA = 1500.0
UP, ELECTRON, Z_BOSON = 2, 11, 23


def drell_yan(n: int, seed: int = 1) -> EventBatch:
    """u u~ and u~ u -> e- e+ at 13 TeV, all weights SIGMA pb.

    Breit-Wigner in m^2, flat rapidity, 1 + cos^2(theta).
    """
    random = np.random.default_rng(seed)
    mass = np.sqrt(91.188**2 + 91.188 * 2.44 * np.tan(random.uniform(-1.3, 1.3, n)))
    rapidity = random.uniform(-2.0, 2.0, n)
    momenta = np.zeros((n, 4, 4))
    momenta[:, 0] = _light_like(mass / 2 * np.exp(rapidity), np.ones(n), np.zeros(n))
    momenta[:, 1] = _light_like(mass / 2 * np.exp(-rapidity), -np.ones(n), np.zeros(n))
    momenta[:, 2] = _boosted(
        _light_like(mass / 2, _polar(random, n), random.uniform(-np.pi, np.pi, n)), rapidity
    )
    momenta[:, 3] = momenta[:, 0] + momenta[:, 1] - momenta[:, 2]
    momenta[:, 3, 0] = np.linalg.norm(momenta[:, 3, 1:], axis=1)
    return _batch(momenta, mass, quark_first=random.random(n) < 0.5)


def _polar(random: np.random.Generator, n: int) -> Array:
    """Cosine with the density 3/8 (1 + c^2): flat with probability 3/4, else of density 3/2 c^2."""
    flat = random.uniform(-1.0, 1.0, n)
    return np.where(random.random(n) < 0.75, flat, np.cbrt(flat))


def _light_like(energy: Array, cosine: Array, phi: Array) -> Array:
    sine = np.sqrt(1 - cosine**2)
    direction = [np.ones_like(cosine), sine * np.cos(phi), sine * np.sin(phi), cosine]
    momentum: Array = energy[:, None] * np.stack(direction, axis=1)
    return momentum


def _boosted(p: Array, rapidity: Array) -> Array:
    cosh, sinh = np.cosh(rapidity), np.sinh(rapidity)
    boosted = p.copy()
    boosted[:, 3] = sinh * p[:, 0] + cosh * p[:, 3]
    boosted[:, 0] = np.linalg.norm(boosted[:, 1:], axis=1)
    return boosted


def _batch(momenta: Array, scale: Array, quark_first: NDArray[np.bool_]) -> EventBatch:
    n = len(momenta)
    first = np.where(quark_first, UP, -UP)
    pdg = np.stack([first, -first, np.full(n, ELECTRON), np.full(n, -ELECTRON)], axis=1)
    colour = np.zeros((n, 4, 2), dtype=np.int32)
    colour[:, 0] = np.where(quark_first[:, None], [501, 0], [0, 501])
    colour[:, 1] = np.where(quark_first[:, None], [0, 501], [501, 0])
    return EventBatch(
        pdg=pdg.astype(np.int32),
        status=np.tile(np.array([-1, -1, 1, 1], dtype=np.int32), (n, 1)),
        mothers=np.tile(np.array([[0, 0], [0, 0], [1, 2], [1, 2]], dtype=np.int32), (n, 1, 1)),
        colour=colour,
        momenta=momenta,
        mass=np.zeros((n, 4)),
        lifetime=np.zeros((n, 4)),
        spin=np.full((n, 4), 9.0),
        weight=np.full(n, SIGMA),
        scale=scale,
        factorization_scale=scale,
        renormalization_scale=scale,
        alpha_qed=np.full(n, 1 / 132.507),
        alpha_s=np.full(n, 0.118),
        process_id=np.ones(n, dtype=np.int32),
        variations=np.empty((n, 0)),
    )


def with_resonance(batch: EventBatch) -> EventBatch:
    """The events with the pair as decay of a Z boson, in every second event without it.

    These leave their last row unused.
    """
    n = len(batch)
    resonant = np.arange(n) % 2 == 0
    order = np.where(resonant[:, None], [0, 1, 4, 2, 3], [0, 1, 2, 3, 4])
    padded = batch.padded(5)
    decayed = {
        name: np.take_along_axis(column, order.reshape(n, 5, *[1] * (column.ndim - 2)), axis=1)
        for name, column in padded.columns().items()
        if name in PARTICLE_COLUMNS
    }
    pair = decayed["momenta"][:, 3] + decayed["momenta"][:, 4]
    decayed["momenta"][resonant, 2] = pair[resonant]
    mass = np.sqrt(np.maximum(np.square(pair) @ [1.0, -1.0, -1.0, -1.0], 0.0))
    decayed["mass"][resonant, 2] = mass[resonant]
    decayed["momenta"][resonant, 2, 0] = np.hypot(np.linalg.norm(pair[:, 1:], axis=1), mass)[
        resonant
    ]
    decayed["pdg"][resonant, 2] = Z_BOSON
    decayed["status"][resonant, 2] = 2
    decayed["mothers"][resonant, 2] = [1, 2]
    decayed["mothers"][resonant, 3:] = [3, 3]
    return replace(padded, **decayed)


def with_variations(batch: EventBatch, number: int = 3, seed: int = 1) -> EventBatch:
    """The events with random further weights, scales and helicities: every number counts."""
    random = np.random.default_rng(seed)
    n = len(batch)
    return replace(
        batch,
        variations=SIGMA * random.uniform(-0.5, 2.0, (n, number)),
        factorization_scale=batch.scale * 0.5,
        renormalization_scale=batch.scale * random.uniform(0.5, 2.0, n),
        spin=random.choice([-1.0, 1.0, 9.0], batch.spin.shape) * batch.used,
    )


def equal(a: EventBatch, b: EventBatch) -> bool:
    """Whether all numbers of all events are the same."""
    return all(np.array_equal(column, b.columns()[name]) for name, column in a.columns().items())


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = _core.thread_count()
    _core.set_thread_count(count)
    try:
        yield
    finally:
        _core.set_thread_count(before)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Files cannot grow beyond `size` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def read_lhe(path: str | Path) -> pylhe.LHEFile:
    """A file of events as pylhe reads it, closed by us: pylhe leaves that to the collector."""
    content = Path(path).read_bytes()
    return pylhe.LHEFile.fromstring(
        (gzip.decompress(content) if str(path).endswith(".gz") else content).decode()
    )


PARTON_SHOWER_ALONE = ("PartonLevel:MPI = off", "HadronLevel:all = off")


def shower_of(path: str | Path, settings: Sequence[str] = PARTON_SHOWER_ALONE) -> Any:
    """Pythia that showers a file of events; the test is skipped where it is not installed."""
    pythia = pytest.importorskip("pythia8mc").Pythia("", False)
    for setting in (
        "Print:quiet = on",
        "Beams:frameType = 4",
        f"Beams:LHEF = {path}",
        *settings,
    ):
        assert pythia.readString(setting)
    assert pythia.init()
    return pythia
