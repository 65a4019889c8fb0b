"""The MSSM of UFO through the reader, against an independent evaluator of UFO models, `ufoamp`."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from amplitudes import reaction
from ufo_models import installed

from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.model_library import library
from madnis_py.physics.observables.momenta import as_momenta

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""Files that the other program leaves to the garbage collector."""

POINTS = 5
QUICK = ("g g > go go", "u u~ > go go", "e- e+ > n1 n3", "u d~ > x1+ n2", "g g > t1 t1~")
PROCESSES = (
    *QUICK,
    *("u u > ul ul", "u d > ul dl", "u d > ur dl", "d d~ > dl dl~", "u u~ > t1 t1~"),
    *("g u > go ul", "g d > go dr", "g u > n2 ul", "g d > x1- ul", "u u~ > go n1"),
    *("e- e+ > n1 n1", "e- e+ > n2 n2", "e- e+ > n3 n4", "d d~ > n2 n3", "u d~ > x2+ n3"),
    *("e- e+ > x1+ x1-", "u u~ > x1+ x2-", "e- e+ > el- el+", "e- e+ > er- er+"),
    *("e- e+ > sve sve~", "d u~ > el- sve~", "u u~ > ta1- ta1+", "e- e+ > h2 h3"),
    *("n1 n1 > z z", "n2 n2 > h2 h3", "x1+ x1- > w+ w-", "b t~ > b1 t1~", "w+ z > w+ z"),
)


@cache
def without_widths() -> Model:
    """Widths of propagators are a choice of ours; the model has none here."""
    tables = installed("ufo_mssm")
    widths = {one.name: 0.0 for one in tables.parameters if one.block == "DECAY"}
    return Model("ufo_mssm", widths, tables)


@cache
def of_ufoamp() -> tuple[Any, dict[str, float]]:
    """The model there, and the values of restrict_default.dat."""
    ufo_model = pytest.importorskip("ufoamp.ufo_model")
    analysis = pytest.importorskip("ufoamp.analysis")
    path = next(one.path for one in library() if one.name == "ufo_mssm" and one.path)
    model = ufo_model.load(str(path))
    values = analysis.read_param_card(str(path / "restrict_default.dat"), model)
    widths = {one.name: 0.0 for one in without_widths().tables.parameters if one.block == "DECAY"}
    return model, {**values, **widths}


@pytest.mark.parametrize(
    "text",
    [
        *QUICK,
        *(pytest.param(one, marks=pytest.mark.slow) for one in PROCESSES if one not in QUICK),
    ],
)
def test_squared_amplitudes_are_those_of_another_program(text: str) -> None:
    (theirs, values), model = of_ufoamp(), without_widths()
    process = pytest.importorskip("ufoamp.process").Process
    one = reaction(f"{text} QED=99 QCD=99", model)
    final = [branch.pdg for branch in one.outgoing]
    other = process(theirs, list(one.incoming), final, overrides=values, gauge="unitary")
    points = [point([model.mass(pdg) for pdg in one.legs], seed) for seed in range(POINTS)]
    ours = TreeAmplitude(one, model).squared(as_momenta(points), model.alpha_s)
    identical = 2 if final[0] == final[1] else 1
    expected = [other.m2([*p]) / identical for p in points]
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


def point(masses: list[float], seed: int) -> np.ndarray:
    """Momenta of two particles into two, well above threshold, (4, 4)."""
    random = np.random.default_rng(seed)
    energy = 1.3 * max(sum(masses[:2]), sum(masses[2:])) + 200
    cosine, angle = random.uniform(-0.9, 0.9), random.uniform(0, 2 * math.pi)
    sine = math.sqrt(1 - cosine**2)
    axis = np.array([sine * math.cos(angle), sine * math.sin(angle), cosine])
    momenta = []
    for (a, b), direction in ((masses[:2], np.array([0, 0, 1])), (masses[2:], axis)):
        s, total = energy**2, (energy**2 - a**2 - b**2) ** 2
        size = math.sqrt(total - 4 * a**2 * b**2) / (2 * math.sqrt(s))
        momenta += [[math.hypot(a, size), *(size * direction)]]
        momenta += [[math.hypot(b, size), *(-size * direction)]]
    return np.array(momenta)


def test_every_vertex_is_computed() -> None:
    tables = installed("ufo_mssm")
    assert len(tables.vertices) == 812
    assert not [vertex for vertex in tables.vertices if vertex.lacking]


def test_exchanged_neutralinos_leave_the_amplitude_as_it_is() -> None:
    model = without_widths()
    amplitude = TreeAmplitude(reaction("e- e+ > n2 n2", model), model)
    p = as_momenta([point([0.0, 0.0, model.mass(1000023), model.mass(1000023)], 3)])
    exchanged = as_momenta(p[:, [0, 1, 3, 2]].tolist())
    np.testing.assert_allclose(
        amplitude.squared(p, 0.118), amplitude.squared(exchanged, 0.118), rtol=1e-12
    )
