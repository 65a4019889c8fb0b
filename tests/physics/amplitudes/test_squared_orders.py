"""Exact and squared coupling orders: parts of |M|^2 against formulas, and their sums."""

from __future__ import annotations

import numpy as np
import pytest
from amplitudes import ALPHA_S, G2, amplitude, mandelstam, points

from madnis_py.errors import InputError
from madnis_py.physics.model.model import Model

E2 = Model("sm")["ee"] ** 2
CHARGE2 = 4 / 9
"""Of the up quark, squared."""

INTERFERENCE = {
    # Exchange of a gluon times that of a photon, which colour lets meet only in different channels:
    # the interference of Bhabha or Moeller scattering with a colour factor of 4 / 9 of each pair.
    "u u > u u": lambda s, t, u: 16 / 9 * s**2 / (t * u),
    "u u~ > u u~": lambda s, t, u: 32 / 9 * u**2 / (s * t),
    "u d > u d": lambda s, t, u: 0 * s,
}


@pytest.mark.parametrize("text", INTERFERENCE)
def test_gluon_and_photon_interfere_as_in_the_formula(text: str) -> None:
    p = points(text, 20)
    me2 = amplitude(f"{text} QCD^2==2 / z h w+").squared(p, ALPHA_S)
    expected = INTERFERENCE[text](*mandelstam(p)) * G2 * E2 * CHARGE2
    np.testing.assert_allclose(me2, expected, rtol=1e-9, atol=1e-12)


def test_an_interference_may_be_negative() -> None:
    p = points("u u~ > u u~", 20)
    assert (amplitude("u u~ > u u~ QCD^2==2 / z").squared(p, ALPHA_S) < 0).all()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("u u~ > u u~ QED=2", ("QCD^2==0", "QCD^2==2", "QCD^2==4")),
        ("u u~ > u u~ QED=2", ("QCD^2<=2", "QCD^2>2")),
        ("u u~ > u u~ QED=2", ("QED^2=0", "QED^2>0")),
        ("u d > u d QED=2", ("QED^2==0 QCD^2==4", "QED^2==2 QCD^2==2", "QED^2==4 QCD^2==0")),
        ("u u~ > u u~ g QED=2", ("QCD^2==2", "QCD^2==4", "QCD^2==6")),
        ("u u > w+ w+ d d QED=4", ("QED^2==4", "QED^2==6", "QED^2==8")),
        ("b b~ > t t~ QED=2", ("WEIGHTED^2==4", "WEIGHTED^2==6", "WEIGHTED^2==8")),
        ("b b~ > t t~ QED=2", ("aS=0", "QCD^2>0")),
        ("b b~ > t t~ QED=2, t > b w+", ("QCD^2==0", "QCD^2==2", "QCD^2==4")),
        ("u u~ > u u~ QED=2 $$ z", ("QCD^2==0", "QCD^2==2", "QCD^2==4")),
    ],
)
def test_all_squared_orders_together_are_the_whole(text: str, parts: tuple[str, ...]) -> None:
    core, comma, decays = text.partition(",")
    p = points(text, 5)
    found = [amplitude(f"{core} {part}{comma}{decays}").squared(p, ALPHA_S) for part in parts]
    whole = amplitude(text).squared(p, ALPHA_S)
    np.testing.assert_allclose(np.sum(found, axis=0), whole, rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("u u~ > u u~ QED==0", "u u~ > u u~ QED=0"),
        ("u u~ > u u~ QED==2", "u u~ > u u~ QCD=0"),
        ("u u~ > u u~ QED>0", "u u~ > u u~ QCD=0"),
        ("u u~ > u u~ QCD^2==4", "u u~ > u u~ QED=0"),
        ("u u~ > u u~ QCD^2>2", "u u~ > u u~ QED=0"),
        ("u u~ > u u~ QED^2==4 QED<=2", "u u~ > u u~ QCD=0"),
        ("u u~ > u u~ QCD^2<=4", "u u~ > u u~ QED=2"),
        ("u u~ > t t~ g QED==2", "u u~ > t t~ g QCD=1"),
        ("u d > u d g QED==2 QCD==1", "u d > u d g QCD=1"),
    ],
)
def test_orders_that_mean_the_same_give_the_same(text: str, same: str) -> None:
    p = points(text, 5)
    one, other = amplitude(text), amplitude(same)
    assert len(one.diagrams) == len(other.diagrams)
    np.testing.assert_allclose(one.squared(p, ALPHA_S), other.squared(p, ALPHA_S), rtol=1e-10)


def test_diagrams_without_any_partner_are_left_out() -> None:
    assert len(amplitude("u u~ > u u~ QED=2").diagrams) == 6
    assert len(amplitude("u u~ > u u~ QCD^2==4").diagrams) == 2
    assert len(amplitude("u u~ > u u~ QCD^2==2").diagrams) == 6
    with pytest.raises(InputError, match="expected a process with tree diagrams"):
        amplitude("u u~ > u u~ QCD^2==3")


@pytest.mark.parametrize(
    ("text", "power"),
    [
        ("u u~ > u u~ QCD^2==4", 2),
        ("u u~ > u u~ QCD^2==2", 1),
        ("u u~ > u u~ QCD^2==0", 0),
        ("u u~ > u u~ QCD^2<=2", None),
        ("u u~ > u u~ g QCD^2==4", 2),
    ],
)
def test_the_power_of_alpha_s_is_that_of_the_products(text: str, power: int | None) -> None:
    one, p = amplitude(text), points(text, 5)
    assert one.alpha_s_power == power
    if power is not None:
        expected = one.squared(p, ALPHA_S) * 2.0**power
        np.testing.assert_allclose(one.squared(p, 2 * ALPHA_S), expected, rtol=1e-10)


@pytest.mark.parametrize("order", ["QCD^2==4", "QCD^2==2", "QCD^2<=2"])
def test_helicities_and_flows_belong_to_the_selected_products(order: str) -> None:
    one, p = amplitude(f"u u~ > u u~ {order}"), points("u u~ > u u~", 5)
    weights = one.weights(p, ALPHA_S)
    np.testing.assert_allclose(weights.helicities.sum(axis=1), weights.me2, rtol=1e-10)
    np.testing.assert_allclose(weights.me2, one.squared(p, ALPHA_S), rtol=1e-12)
    assert (weights.flows >= 0).all()
    if order == "QCD^2==4":
        strong = amplitude("u u~ > u u~ QED=0").weights(p, ALPHA_S).flows
        np.testing.assert_allclose(
            weights.flows / weights.flows.sum(axis=1, keepdims=True),
            strong / strong.sum(axis=1, keepdims=True),
            rtol=1e-10,
        )
