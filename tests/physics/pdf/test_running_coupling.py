"""A strong coupling without a PDF set runs as the two-loop equation says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from madnis_py.card.card import Card
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.pdf.running_coupling import running_from
from madnis_py.physics.process.process import Process

M_Z, AT_M_Z = 91.188, 0.118


def two_loops(scale: float, n_flavours: int, start: float, at_start: float) -> float:
    """1/a + c log(c a / (1 + c a)) = b_0 log(Q^2 / Q_0^2) + the same at Q_0."""
    b_0 = (33 - 2 * n_flavours) / (12 * np.pi)
    c = (153 - 19 * n_flavours) / (2 * np.pi * (33 - 2 * n_flavours))

    def left(a: float) -> float:
        return 1 / a + c * math.log(c * a / (1 + c * a))

    wanted = left(at_start) + b_0 * np.log(scale**2 / start**2)
    return float(brentq(lambda a: left(a) - wanted, 1e-3, 1.5))


@pytest.mark.parametrize("scale", [5.0, 30.0, 91.188, 172.5, 1000.0, 13000.0])
def test_above_the_bottom_quark_it_solves_the_equation_of_five_flavours(scale: float) -> None:
    found = running_from(AT_M_Z, M_Z).evaluate(np.array([scale**2]))
    np.testing.assert_allclose(found, two_loops(scale, 5, M_Z, AT_M_Z), rtol=2e-6)


def test_below_the_bottom_quark_there_are_four_flavours() -> None:
    at_bottom = two_loops(4.7, 5, M_Z, AT_M_Z)
    found = running_from(AT_M_Z, M_Z).evaluate(np.array([2.5**2]))
    np.testing.assert_allclose(found, two_loops(2.5, 4, 4.7, at_bottom), rtol=2e-3)


def test_a_card_without_densities_asks_for_it() -> None:
    def alpha_s(**scales: object) -> float:
        tables = {"process": {"definition": "e+ e- > t t~ g"}, "scales": scales}
        beams = {"beams": {"pdf": "none", "energy": [500.0, 500.0]}}
        cuts = {"cuts": {"jet": {"pt_min": 10.0, "eta_max": 3.0}}}
        card = Card.parse({**tables, **beams, **cuts})
        return float(CrossSection(Process.from_card(card)).luminosity.alpha_s(np.array([1e6]))[0])

    assert alpha_s(renormalization=1000.0) == 0.118
    running = alpha_s(renormalization=1000.0, alpha_s_running=True)
    np.testing.assert_allclose(running, two_loops(1000.0, 5, M_Z, AT_M_Z), rtol=2e-6)
