"""The model `sm_cp`: L = -(ymt / vev) t-bar (a cos(alpha) + i b sin(alpha) gamma5) t h."""

from __future__ import annotations

import math

import numpy as np
import pytest
from amplitudes import ALPHA_S, points, reaction

from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.decays.partial_widths import partial_width
from madnis_py.physics.model.model import Model

ANGLES = np.radians([0.0, 45.0, 90.0, 135.0, 180.0])
FIVE_FLAVOURS = {"MB": 0.0, "ymb": 0.0}


def squared(text: str, angle: float, p: Array) -> Array:
    model = Model("sm_cp", {**FIVE_FLAVOURS, "cpalpha": angle})
    return TreeAmplitude(reaction(text, model), model).squared(p, ALPHA_S)


def harmonics(angles: Array) -> Array:
    """1, cos, sin, cos 2 alpha, sin 2 alpha: what |M|^2 with one such vertex is made of."""
    one = np.ones_like(angles)
    return np.stack(
        [one, np.cos(angles), np.sin(angles), np.cos(2 * angles), np.sin(2 * angles)], axis=-1
    )


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 2, 2.2])
def test_a_heavy_higgs_decays_into_tops_by_its_scalar_and_pseudoscalar_couplings(
    angle: float,
) -> None:
    """Gamma = 3 M y^2 / (8 pi) (a^2 cos^2 beta^3 + b^2 sin^2 beta), y = ymt / vev."""
    model = Model("sm_cp", {"MH": 500.0, "cpalpha": angle})
    y, beta = model["ymt"] / model["vev"], math.sqrt(1 - 4 * (173.0 / 500.0) ** 2)
    couplings = math.cos(angle) ** 2 * beta**3 + 4 / 9 * math.sin(angle) ** 2 * beta
    expected = 3 * 500.0 * y**2 / (8 * math.pi) * couplings
    assert partial_width(25, (6, -6), model) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("text", ["u b > t h d", "g g > t t~ h"])
def test_without_a_phase_it_is_the_standard_model(text: str) -> None:
    p = points(text, 10, FIVE_FLAVOURS)
    model = Model("sm", FIVE_FLAVOURS)
    expected = TreeAmplitude(reaction(text, model), model).squared(p, ALPHA_S)
    np.testing.assert_allclose(squared(text, 0.0, p), expected, rtol=1e-12)


def test_five_angles_give_the_amplitude_at_every_other_angle() -> None:
    p = points("u b > t h d", 10, FIVE_FLAVOURS)
    known = np.stack([squared("u b > t h d", angle, p) for angle in ANGLES])
    others = np.array([0.1, 1.0, 2.0, 2.9, 4.0, 5.5])
    weights = harmonics(others) @ np.linalg.inv(harmonics(ANGLES))
    direct = np.stack([squared("u b > t h d", angle, p) for angle in others])
    np.testing.assert_allclose(weights @ known, direct, rtol=1e-10)


def test_opposite_phases_give_the_same_rate_of_tops_and_antitops_exchanged() -> None:
    """CP maps the amplitude onto that of the antiparticles with mirrored momenta and -alpha."""
    p = points("u b > t h d", 10, FIVE_FLAVOURS)
    mirrored = p * np.array([1.0, -1.0, -1.0, -1.0])
    np.testing.assert_allclose(
        squared("u b > t h d", 0.7, p), squared("u~ b~ > t~ h d~", -0.7, mirrored), rtol=1e-11
    )
