"""The MSSM of UFO through the reader: an independent evaluator, closed forms, symmetries.

The evaluator is `ufoamp`. The restriction of the model has a neutralino with a negative mass, and
mixing of neutralinos, charginos, stops, sbottoms and staus; its parameters are real, and phases are
given to the mixing here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import gluino_pairs
import numpy as np
import pytest
from _pytest.mark import ParameterSet
from amplitudes import reaction
from ufo_models import installed
from ufoamp_amplitudes import UfoampAmplitudes, legs_on_shell

from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.decays.partial_widths import decay_table
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.model_library import library, named_tables, widths_of_file
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""Files that the other program leaves to the garbage collector."""

POINTS = 5
NAME = "ufo_mssm"
QUICK = (
    *("u u~ > go go", "g u > go ul", "u u > ul ul", "u d > ur dl", "u u~ > go n1"),
    *("e- e+ > n1 n3", "e- e+ > n2 n2", "u d~ > x1+ n2", "e- e+ > x1+ x1-", "e- e+ > er- er+"),
    *("n1 n1 > z z", "x1+ x1- > w+ w-", "e- e+ > n1 n1 z", "e- e+ > n1 n2 mu- mu+"),
)
PROCESSES = (
    *QUICK,
    *("g g > go go", "g g > t1 t1~", "u u~ > t1 t1~", "b t~ > b1 t1~", "u d > ul dl"),
    *("d d~ > dl dl~", "g d > go dr", "g u > n2 ul", "g d > x1- ul"),
    *("e- e+ > n1 n1", "e- e+ > n3 n4", "d d~ > n2 n3", "u d~ > x2+ n3", "u u~ > x1+ x2-"),
    *("e- e+ > el- el+", "e- e+ > sve sve~", "d u~ > el- sve~", "u u~ > ta1- ta1+"),
    *("e- e+ > h2 h3", "n2 n2 > h2 h3", "w+ z > w+ z", "u u > ul ul g", "u u~ > n2 n3 g"),
)
QUICK_CHAINS = (
    "e- e+ > n1 n2, n2 > er+ e-",
    "u d~ > x1+ n2, (x1+ > n1 w+, w+ > e+ ve), (n2 > er- e+)",
    "u d > ul dl, (ul > n2 u, n2 > er- e+), (dl > x1- u)",
    "g u > go ul, (go > b1~ b), (ul > x1+ d)",
)
CHAINS = (
    *QUICK_CHAINS,
    "e- e+ > n1 n2, n2 > er- e+",
    "e- e+ > n2 n3, (n3 > x1+ w-), (n2 > er+ e-)",
    "e- e+ > n3 n4, (n3 > n1 h01), (n4 > n2 z, z > mu- mu+)",
    "e- e+ > x1+ x1-, (x1+ > ta1+ vt), (x1- > ta1- vt~)",
    "e- e+ > el- el+, (el- > n1 e-), (el+ > n1 e+)",
    "u u > ul ul, ul > n1 u",
    "u u~ > t1 t1~, (t1 > b x1+), (t1~ > b~ x1-)",
    "u u~ > go n1, go > b1 b~",
    "u u~ > go go, go > b1~ b",
)


@cache
def model(phases: bool = False, widths: bool = True) -> Model:
    """The model of restrict_default.dat.

    Args:
        phases: whether all entries of mixing matrices have one.
        widths: whether particles have theirs.
    """
    tables = installed(NAME)
    values = {one.name: 0.0 for one in tables.parameters if one.block == "DECAY" and not widths}
    if phases:
        derived = [
            replace(one, expression=f"({one.expression})*exp(complex(0,{place}))", is_real=False)
            if is_mixing(one.name)
            else one
            for place, one in enumerate(tables.derived)
        ]
        tables = replace(tables, derived=tuple(derived))
    return Model(NAME, values, tables)


def is_mixing(name: str) -> bool:
    """Whether a parameter is an entry of a mixing matrix, NN1x1."""
    return name[:2] in ("NN", "UU", "VV", "Ru", "Rd", "Rl") and name[3:4] == "x"


@cache
def of_ufoamp(phases: bool = False) -> UfoampAmplitudes:
    ours = model(phases)
    mixing = [one.name for one in ours.tables.derived if is_mixing(one.name)]
    fixed = {name: ours.coupling(name) for name in mixing} if phases else {}
    return UfoampAmplitudes(folder(), ours, fixed)


def folder() -> Path:
    return next(one.path for one in library() if one.name == NAME and one.path)


def slow_but_for(quick: tuple[str, ...], texts: tuple[str, ...]) -> list[str | ParameterSet]:
    later = [pytest.param(one, marks=pytest.mark.slow) for one in texts if one not in quick]
    return [*quick, *later]


@pytest.mark.parametrize("text", slow_but_for(QUICK, PROCESSES))
def test_squared_amplitudes_are_those_of_another_program(text: str) -> None:
    assert_those_of_another_program(text, phases=False)


@pytest.mark.parametrize("text", [one for one in QUICK if "e-" in one or "w" in one])
def test_amplitudes_with_complex_mixing_are_those_of_another_program(text: str) -> None:
    assert_those_of_another_program(text, phases=True)


def assert_those_of_another_program(text: str, phases: bool) -> None:
    ours = model(phases)
    one, p = points(text, ours)
    expected = of_ufoamp(phases).squared(one, [*p])
    squared = TreeAmplitude(one, ours).squared(p, ours.alpha_s)
    np.testing.assert_allclose(squared, expected, rtol=1e-9)


def points(text: str, ours: Model) -> tuple[Reaction, Array]:
    one = reaction(f"{text} QED=99 QCD=99", ours)
    masses = [ours.mass(pdg) for pdg in one.legs]
    return one, generic_momenta(masses, len(one.incoming), POINTS)


@pytest.mark.parametrize("text", slow_but_for(QUICK_CHAINS, CHAINS))
def test_decay_chains_on_their_mass_shells_are_production_times_decays(text: str) -> None:
    ours = model()
    one = reaction(text.replace(",", " QED=99 QCD=99,", 1), ours)
    chosen = [legs_on_shell(one, ours, seed) for seed in range(POINTS)]
    expected = [of_ufoamp().squared_chain(one, *each) for each in chosen]
    p = as_momenta([[*a, *(k for leg in legs for k in leg.final)] for a, legs in chosen])
    squared = TreeAmplitude(one, ours).squared(p, ours.alpha_s)
    np.testing.assert_allclose(squared, expected, rtol=1e-9)


def test_gluino_pairs_are_those_of_closed_forms() -> None:
    ours = model(widths=False)
    gluino, *squarks = (ours.mass(pdg) for pdg in (1000021, 1000002, 2000002))
    alpha_s = ours.alpha_s
    one, p = points("g g > go go", ours)
    expected = gluino_pairs.of_gluons(p, gluino, alpha_s)
    np.testing.assert_allclose(TreeAmplitude(one, ours).squared(p, alpha_s), expected, rtol=1e-11)
    one = reaction("u u~ > go go", ours)
    expected = gluino_pairs.of_quarks(p, gluino, (squarks[0], squarks[1]), alpha_s)
    np.testing.assert_allclose(TreeAmplitude(one, ours).squared(p, alpha_s), expected, rtol=1e-11)


@pytest.mark.slow
def test_partial_widths_are_the_expressions_of_the_model() -> None:
    """All 230 decays to two particles that are open, as in the file decays.py."""
    ours = model(widths=False)
    stated = widths_of_file(NAME, ours.values)
    compared = 0
    for particle in ours.particles:
        table = decay_table(particle.pdg, ours, two_body=True)
        for one in table.partial:
            if one.width > 1e-12 * table.total:
                key = particle.pdg, tuple(sorted(one.products, reverse=True))
                assert one.width == pytest.approx(stated[key], rel=1e-8)
                compared += 1
    assert compared == sum(abs(width) > 1e-14 for width in stated.values()) == 230


SDECAY = (
    *("n2", "n3", "n4", "x1+", "x2+", "sve", "svm", "svt", "el-", "mul-", "ta1-", "er-", "mur-"),
    *("ta2-", "ul", "cl", "t1", "ur", "cr", "t2", "dl", "sl", "b1", "dr", "sr", "b2"),
)
"""Particles whose width in the model's spectrum, SPS1a, is that of SDECAY at lowest order."""


@pytest.mark.slow
def test_widths_are_those_of_sdecay_for_the_same_parameters() -> None:
    """Its gluino has alpha_s(467 GeV), its Higgs bosons do not decay to supersymmetric particles,
    and its top quark has a massless b."""
    ours = model()
    for name in SDECAY:
        pdg = ours.pdg_of[name]
        found = decay_table(pdg, ours, two_body=True).total
        assert found == pytest.approx(ours.width(pdg), rel=2e-6), name
    alpha_s = 1.10178679**2 / (4 * np.pi)  # g3 of the spectrum's block GAUGE
    other = ours.with_values({"aS": alpha_s})
    assert decay_table(1000021, other).total == pytest.approx(ours.width(1000021), rel=1e-6)
    for pdg in (35, 36):
        partial = decay_table(pdg, ours, two_body=True).partial
        known = sum(one.width for one in partial if max(map(abs, one.products)) < 1000)
        assert known == pytest.approx(ours.width(pdg), rel=1e-6)
    massless = Model(NAME, {}, named_tables(f"{NAME}-no_b_mass"))
    assert decay_table(6, massless).total == pytest.approx(ours.width(6), rel=1e-6)


@pytest.mark.parametrize(
    "text", ["g g > go go", "u u~ > go go", "e- e+ > n2 n2", "e- e+ > n3 n3 z"]
)
def test_exchanged_majorana_particles_leave_the_amplitude_as_it_is(text: str) -> None:
    one, p = points(text, model())
    amplitude = TreeAmplitude(one, model())
    exchanged = as_momenta(p[:, [0, 1, 3, 2, *range(4, len(one.legs))]].tolist())
    np.testing.assert_allclose(
        amplitude.squared(p, 0.118), amplitude.squared(exchanged, 0.118), rtol=1e-11
    )


def test_every_vertex_is_computed() -> None:
    tables = installed(NAME)
    assert len(tables.vertices) == 812
    assert not [vertex for vertex in tables.vertices if vertex.lacking]
