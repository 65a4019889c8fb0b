"""Sextets and antitriplets of two quarks through the reader: widths and Ward identities."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import amplitude_of, with_longitudinal_gluon
from ufo_models import own

from madnis_py.physics.observables.generic_momenta import generic_momenta

MODEL = own("diquarks", {"WX": 0.0})
ALPHA_S = 0.118


@pytest.mark.parametrize(("text", "colours"), [("six > u c", 1), ("tri > u~ c~", 2)])
def test_a_diquark_decays_by_the_norm_of_its_clebsch_gordan_coefficients(
    text: str, colours: int
) -> None:
    """|M|^2 = y^2 M^2 times Tr(K Kbar) / 6 = 1 or eps eps / 3 = 2."""
    p = generic_momenta([MODEL["MX"], 0.0, 0.0], 1)
    expected = colours * (MODEL["yX"] * MODEL["MX"]) ** 2
    np.testing.assert_allclose(amplitude_of(MODEL, text).squared(p, ALPHA_S), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "leg"),
    [
        ("g g > six six~ g", 4),
        ("g g > tri tri~ g", 4),
        ("u c > six g", 3),
        ("u c > tri~ g", 3),
        ("u g > c~ six", 1),
        ("u c > six g g", 4),
        ("u~ c~ > tri g g", 3),
    ],
)
def test_longitudinal_gluons_decouple_from_diquarks(text: str, leg: int) -> None:
    one = amplitude_of(MODEL, text)
    masses = [MODEL.mass(pdg) for pdg in one.legs]
    p = generic_momenta(masses, 2)
    found, flows = with_longitudinal_gluon(one, leg, p, ALPHA_S)
    assert (np.abs(found) < 1e-20 * one.squared(p, ALPHA_S) + 1e-14 * flows).all()
