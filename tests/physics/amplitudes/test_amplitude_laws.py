"""Laws of amplitudes: symmetries, gauge invariance, unitarity, decays, independence of batches."""

from __future__ import annotations

import numpy as np
import pytest
from amplitudes import ALPHA_S, STABLE, amplitude, permuted, points, reaction, turned

from madnis_py import _core
from madnis_py.physics.amplitudes.tapes.amplitude_builder import (
    AmplitudeBuilder,
    average_factor,
    external_legs,
)
from madnis_py.physics.amplitudes.tapes.helicities import MOMENTUM, ExternalLeg
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.momenta import as_momenta

DECAYING_TOPS = "g g > t t~, (t > b w+, w+ > e+ ve), (t~ > b~ w-, w- > mu- vm~)"
ALL_ORDERS = "u c > w+ w+ d s QCD=99 QED=99"
VARIED = (
    "g g > t t~ g", "g g > g g g", "u u~ > e+ e- g", "g g > w+ d u~", ALL_ORDERS,
    "w+ w- > z z", "e+ e- > w+ w-",
    "u d~ > w+ w+ w-", "t > b w+ a", "g g > t t~ h", "h > z e+ e-", "u u~ > d d~ g QCD=99 QED=99",
)  # fmt: skip


@pytest.mark.parametrize("text", VARIED)
def test_boosts_and_rotations_change_nothing_without_widths(text: str) -> None:
    p = points(text)
    one = amplitude(text, **STABLE)
    me2 = one.squared(p, ALPHA_S)
    for seed in (1, 2):
        np.testing.assert_allclose(one.squared(turned(p, seed, 1.0), ALPHA_S), me2, rtol=1e-9)


@pytest.mark.parametrize("text", [*VARIED, DECAYING_TOPS])
def test_rotations_change_nothing_not_even_helicities_and_diagrams(text: str) -> None:
    p, moved = points(text), turned(points(text), 3)
    one = amplitude(text)
    before, after = one.weights(p, ALPHA_S), one.weights(moved, ALPHA_S)
    np.testing.assert_allclose(after.me2, before.me2, rtol=1e-10)
    np.testing.assert_allclose(after.flows, before.flows, rtol=1e-9)
    np.testing.assert_allclose(
        after.helicities, before.helicities, rtol=1e-8, atol=1e-12 * before.me2.max()
    )
    squares = one.evaluate(p, ALPHA_S)[1]
    np.testing.assert_allclose(
        one.evaluate(moved, ALPHA_S)[1], squares, rtol=1e-8, atol=1e-13 * squares.max()
    )


@pytest.mark.parametrize(
    ("text", "other", "order"),
    [
        ("g g > t t~ g", "g g > g t~ t", (0, 1, 4, 3, 2)),
        ("g u > z u", "u g > u z", (1, 0, 3, 2)),
        (ALL_ORDERS, "c u > s w+ d w+ QCD=99 QED=99", (1, 0, 5, 2, 4, 3)),
        ("u u~ > u u~ e+ e-", "u~ u > e- u~ e+ u", (1, 0, 5, 3, 4, 2)),
        ("u d~ > w+ w+ w-", "d~ u > w- w+ w+", (1, 0, 4, 3, 2)),
        ("e- e+ > ve ve~ mu- mu+", "e- e+ > mu- mu+ ve ve~", (0, 1, 4, 5, 2, 3)),
        ("e- e+ > ve ve~ mu- mu+", "e- e+ > mu- ve ve~ mu+", (0, 1, 4, 2, 3, 5)),
    ],
)
def test_the_order_in_which_particles_are_named_is_immaterial(
    text: str, other: str, order: tuple[int, ...]
) -> None:
    p = points(text)
    me2 = amplitude(other).squared(permuted(p, *order), ALPHA_S)
    np.testing.assert_allclose(me2, amplitude(text).squared(p, ALPHA_S), rtol=1e-11)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("g g > t t~ g g", (0, 1, 2, 3, 5, 4)),
        ("g g > g g g", (0, 1, 4, 2, 3)),
        ("g g > g g g", (1, 0, 2, 3, 4)),
        (ALL_ORDERS, (0, 1, 3, 2, 4, 5)),
        ("u u > u u", (1, 0, 2, 3)),
        ("e+ e- > e+ e- e+ e-", (0, 1, 4, 5, 2, 3)),
        ("e+ e- > e+ e- e+ e-", (0, 1, 4, 3, 2, 5)),
    ],
)
def test_equal_particles_can_be_exchanged(text: str, order: tuple[int, ...]) -> None:
    p = points(text)
    one = amplitude(text)
    np.testing.assert_allclose(
        one.squared(permuted(p, *order), ALPHA_S), one.squared(p, ALPHA_S), rtol=1e-11
    )


@pytest.mark.parametrize(
    ("text", "conjugate"),
    [
        ("u c > w+ w+ d s", "u~ c~ > w- w- d~ s~"),
        ("g u > e+ e- u", "g u~ > e- e+ u~"),
        ("t > b e+ ve", "t~ > b~ e- ve~"),
        ("u d~ > w+ w+ w-", "u~ d > w- w- w+"),
    ],
)
def test_antiparticles_in_a_mirror_are_the_particles(text: str, conjugate: str) -> None:
    p = points(text)
    mirrored = as_momenta(p * np.array([1, -1, -1, -1]))
    me2 = amplitude(conjugate).squared(mirrored, ALPHA_S)
    np.testing.assert_allclose(me2, amplitude(text).squared(p, ALPHA_S), rtol=1e-11)


def with_momentum(text: str, leg: int, p: np.ndarray) -> np.ndarray:
    """|M|^2 without widths, the polarisation of one leg replaced by p / E."""
    model = Model("sm", STABLE)
    one = reaction(text, model)
    legs = list(external_legs(one, model))
    legs[leg] = ExternalLeg(legs[leg].pdg, legs[leg].incoming, (MOMENTUM,))
    tape = AmplitudeBuilder(recursion_of(one, VertexTable(model)), legs, model).tape().tape
    kernel = _core.AmplitudeTape(tape.bound(model), float(average_factor(one, model)))
    return kernel.evaluate(p, np.full(len(p), ALPHA_S), None, False, False, False)[0]


@pytest.mark.parametrize(
    ("text", "leg"),
    [
        ("g g > t t~ g", 0),
        ("g g > t t~ g", 4),
        ("g g > g g g", 1),
        ("g g > g g g g", 5),
        ("u u~ > e+ e- g", 4),
        ("u u~ > a a", 2),
        ("g g > w+ d u~", 0),
        ("t > b w+ a", 3),
        ("u u~ > w+ w- a", 4),
        ("a a > w+ w-", 0),
        ("u u~ > d d~ g QCD=99 QED=99", 4),
        ("u u~ > z g, z > e+ e-", 4),
    ],
)
def test_longitudinal_gluons_and_photons_decouple(text: str, leg: int) -> None:
    p = points(text, values=STABLE)
    assert (
        with_momentum(text, leg, p) < 1e-20 * amplitude(text, **STABLE).squared(p, ALPHA_S)
    ).all()


def test_gluons_do_not_decouple_from_tops_that_decay_off_shell() -> None:
    """A chain leaves out the gluons that b quarks radiate: the difference can be nonzero."""
    text = "g g > t t~, t > b w+, t~ > b~ w-"
    p = points(text, values=STABLE)
    assert (with_momentum(text, 1, p) > 1e-4 * amplitude(text, **STABLE).squared(p, ALPHA_S)).all()


def right_angles(energy: float, masses: tuple[float, ...]) -> np.ndarray:
    """Two to two in the rest frame at an angle of 1.2, one point, energy in GeV."""
    legs = []
    for pair, direction in (
        (masses[:2], (0.0, 0.0, 1.0)),
        (masses[2:], (np.sin(1.2), 0.0, np.cos(1.2))),
    ):
        a, b = pair
        momentum = np.sqrt((energy**2 - (a + b) ** 2) * (energy**2 - (a - b) ** 2)) / (2 * energy)
        for mass, sign in zip(pair, (1, -1), strict=True):
            legs.append([np.hypot(mass, momentum), *(sign * momentum * np.array(direction))])
    return as_momenta([legs])


def growth(text: str, spins: tuple[int, int]) -> float:
    """|M|^2 at 20 TeV over that at 2 TeV, bosons longitudinal, incoming fermions of these spins."""
    one, model = amplitude(text, **STABLE), Model("sm", STABLE)
    masses = tuple(model.mass(pdg) for pdg in one.legs)
    helicities = np.zeros((1, 4), np.int8)
    helicities[0, :2] = spins
    low, high = (
        one.at_helicities(right_angles(energy, masses), ALPHA_S, helicities)[0]
        for energy in (2e3, 2e4)
    )
    return float(high / low)


@pytest.mark.parametrize(
    ("text", "spins"),
    [
        *(
            (text, (0, 0))
            for text in (
                "w+ w- > z z",
                "w+ w- > w+ w-",
                "w+ w+ > w+ w+",
                "z z > z z",
                "w+ z > w+ z",
            )
        ),
        *(
            (text, (0, 0))
            for text in ("w+ w- > h h", "z z > h h", "h h > w+ w-", "w+ h > w+ h", "h h > z z")
        ),
        *(
            (text, (-1, 1))
            for text in ("e- e+ > w+ w-", "u u~ > w+ w-", "e- e+ > z h", "t t~ > w+ w-")
        ),
        ("e- e+ > w+ w-", (1, -1)),
        ("t t~ > w+ w-", (1, 1)),
        ("t t~ > z z", (-1, -1)),
    ],
)
def test_longitudinal_bosons_respect_unitarity(text: str, spins: tuple[int, int]) -> None:
    assert growth(text, spins) < 1.2


@pytest.mark.parametrize(
    ("text", "spins", "power"),
    [
        ("w+ w- > z z / h", (0, 0), 2),
        ("e- e+ > w+ w- / ve", (-1, 1), 2),
        ("e- e+ > w+ w- / z", (1, -1), 2),
        ("t t~ > w+ w- / h", (1, 1), 1),
        ("t t~ > z z / h", (-1, -1), 1),
    ],
)
def test_longitudinal_bosons_break_unitarity_when_a_diagram_is_missing(
    text: str, spins: tuple[int, int], power: int
) -> None:
    """|M|^2 grows as s^power."""
    assert 0.5 * 100**power < growth(text, spins) < 2 * 100**power


@pytest.mark.parametrize(
    ("chain", "whole"),
    [
        ("t > b w+, w+ > e+ ve", "t > b e+ ve"),
        ("u u~ > z g, z > e+ e-", "u u~ > e+ e- g / a"),
        ("u d~ > w+ g, w+ > e+ ve", "u d~ > e+ ve g"),
        ("b b~ > h, h > ta+ ta-", "b b~ > ta+ ta- QED=2 / a z"),
        ("e- e+ > z h, z > mu- mu+, h > b b~", "e- e+ > mu- mu+ b b~ QCD=0 / a"),
    ],
)
def test_decays_of_a_chain_are_the_resonant_diagrams_of_the_whole_process(
    chain: str, whole: str
) -> None:
    p = points(whole)
    first, second = amplitude(chain), amplitude(whole)
    assert first.legs == second.legs
    a, b = first.weights(p, ALPHA_S), second.weights(p, ALPHA_S)
    if first.n_diagrams == second.n_diagrams:
        np.testing.assert_allclose(a.me2, b.me2, rtol=1e-12)
        np.testing.assert_allclose(a.flows, b.flows, rtol=1e-12)
    squares, others = first.evaluate(p, ALPHA_S)[1], second.evaluate(p, ALPHA_S)[1]
    places = [diagram.propagators for diagram in second.diagrams]
    columns = [places.index(diagram.propagators) for diagram in first.diagrams]
    np.testing.assert_allclose(squares, others[:, columns], rtol=1e-12)
