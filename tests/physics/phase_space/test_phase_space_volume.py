"""Every channel alone fills phase space: volumes against formulas, quadrature, flat phase space."""

from __future__ import annotations

import math

import numpy as np
import pytest
from channels import ASYMMETRIC, HADRONS, PARTONS, card_cuts, cases, hadronic_volume, masses, volume

from madnis_py.arrays import Array
from madnis_py.physics.observables.cuts import Cut, Cuts
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams

PROCESSES = [
    "g g > g g",
    "g g > g g g",
    "g g > g g g g",
    "u d~ > w+ g",
    "g g > w+ d u~",
    "g g > w+ d u~ g",
    "g g > t t~",
    "g g > t t~ g",
    "g g > t t~ g g",
    "u d~ > w+ w+ w-",
    "u c > w+ w+ d s QCD=99 QED=99",
]
"""2, 3 and 4 final particles without mass, with one mass, two and more."""


def agree(values: Array, exact: float, exact_error: float = 0.0) -> bool:
    """Whether the mean is right; it has to be known well enough to tell."""
    error = float(values.std()) / math.sqrt(len(values))
    assert error < 0.05 * exact
    return abs(float(values.mean()) - exact) < 4 * math.hypot(error, exact_error) + 1e-6 * exact


@pytest.mark.parametrize("process", PROCESSES)
def test_every_channel_without_cuts_fills_the_volume_of_partons(process: str) -> None:
    exact = volume(1000.0, masses(process)[2:])
    for case in cases(process, PARTONS, cuts=()):
        assert agree(case.mapping().forward(points(case.mapping().dim))[1], exact), case


@pytest.mark.parametrize("beams", [HADRONS, ASYMMETRIC], ids=["hadrons", "asymmetric"])
@pytest.mark.parametrize(
    "process", ["g g > g g", "g g > g g g", "u d~ > w+ g", "g g > w+ d u~", "g g > t t~"]
)
def test_every_channel_fills_the_volume_of_hadrons(process: str, beams: CollidingBeams) -> None:
    # Weighted as s-hat is drawn, so that the variance is small.
    final = masses(process)[2:]
    power = len(final) - 2 + 1.5
    threshold = max(100.0, sum(final))
    exact = hadronic_volume(threshold**2, beams.s, final, power)
    for case in cases(
        process, beams, (Cut("mass", tuple(range(2, len(final) + 2)), threshold, math.inf),)
    ):
        p, jacobian = case.mapping().forward(points(case.mapping().dim))
        assert agree(jacobian * (4 * p[:, 0, 0] * p[:, 1, 0]) ** -power, exact), case


@pytest.mark.parametrize(
    "process", ["g g > g g g", "g g > w+ d u~", "u d~ > w+ g", "g g > t t~ g", "g g > g g g g"]
)
@pytest.mark.parametrize("room", [100.0, 400.0], ids=["near the threshold", "far above"])
def test_every_channel_with_cuts_fills_what_flat_phase_space_leaves(
    process: str, room: float
) -> None:
    limits = cases(process, PARTONS)[0].mass_limits
    energy = (limits.least_energy(range(2, len(limits.masses))) + room) / 2
    cuts = Cuts(card_cuts(process))
    found = cases(process, CollidingBeams.partons((energy, energy)))
    p, jacobian = found[0].flat().forward(points(found[0].flat().dim))
    exact = jacobian * cuts.passes(p)
    for case in found:
        p, jacobian = case.mapping().forward(points(case.mapping().dim))
        assert agree(
            jacobian * cuts.passes(p), exact.mean(), exact.std() / math.sqrt(len(exact))
        ), case


@pytest.mark.parametrize("process", ["u u~ > e+ e- g", "u u~ > e+ e-", "u d~ > w+ w+ w-"])
def test_every_channel_together_with_flat_phase_space_fills_the_volume(process: str) -> None:
    # A narrow resonance alone would need many points in its tails; half of the points flat bound
    # the weights.
    exact = volume(1000.0, masses(process)[2:])
    for case in cases(process, PARTONS, cuts=()):
        mapping, flat = case.mapping(), case.flat()
        halves = []
        for first, second in ((mapping, flat), (flat, mapping)):
            p, jacobian = first.forward(points(first.dim)[:50_000])
            other = second.inverse(p)[1]
            assert (other > 0).all()
            halves.append(2 / (1 / jacobian + 1 / other))
        errors = [half.std() / math.sqrt(len(half)) for half in halves]
        assert (
            abs(sum(half.mean() for half in halves) / 2 - exact)
            < 2 * math.hypot(*errors) + 1e-6 * exact
        ), case


def points(dim: int) -> Array:
    return np.random.default_rng(23).random((100_000, dim))
