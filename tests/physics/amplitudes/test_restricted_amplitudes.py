"""Amplitudes of required and forbidden s-channel particles, against formulas and other chains."""

from __future__ import annotations

import numpy as np
import pytest
from amplitudes import ALPHA_S, amplitude, mandelstam, points

from madnis_py.arrays import Array
from madnis_py.physics.model.model import Model


def neutral_current(p: Array, model: Model, bosons: str) -> Array:
    """|M|^2 of u u~ > e- e+ by s-channel photon ("a") and Z ("z"), Peskin and Schroeder Sec. 20.2.

    Helicity amplitudes are e^2 (1 +- cos theta) times sums of couplings over propagators.
    """
    s, t, u = mandelstam(p)
    sw2 = model["sw2"]
    z_coupling = model["ee"] / np.sqrt(sw2 * (1 - sw2))
    pole = s - model["MZ"] ** 2 + 1j * model["MZ"] * model["WZ"]
    total = np.zeros_like(s)
    for quark, quark_isospin in (("L", 0.5), ("R", 0.0)):
        for lepton, lepton_isospin in (("L", -0.5), ("R", 0.0)):
            propagated = np.zeros_like(s, complex)
            if "a" in bosons:
                propagated += model["ee"] ** 2 * (2 / 3) * (-1) / s
            if "z" in bosons:
                couplings = (quark_isospin - 2 / 3 * sw2) * (lepton_isospin + sw2)
                propagated += z_coupling**2 * couplings / pole
            angle = u if quark == lepton else t
            total += np.abs(2 * angle * propagated) ** 2
    return total / (4 * 3)


@pytest.mark.parametrize(
    ("text", "bosons"),
    [
        ("u u~ > e- e+", "az"),
        ("u u~ > z > e- e+", "z"),
        ("u u~ > e- e+ $$ a", "z"),
        ("u u~ > a > e- e+", "a"),
        ("u u~ > e- e+ $$ z", "a"),
        ("u u~ > z | a > e- e+", "az"),
    ],
)
def test_exchange_of_photon_and_z_is_that_of_the_formula(text: str, bosons: str) -> None:
    p = points(text, 20)
    expected = neutral_current(p, Model("sm"), bosons)
    np.testing.assert_allclose(amplitude(text).squared(p, ALPHA_S), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("required", "chain"),
    [
        ("t > w+ > b e+ ve", "t > b w+, w+ > e+ ve"),
        ("u u~ > w+ w- > e+ ve mu- vm~", "u u~ > w+ w-, w+ > e+ ve, w- > mu- vm~"),
        ("g g > t t~, (t > w+ > b e+ ve)", "g g > t t~, (t > b w+, w+ > e+ ve)"),
        ("h > w+ > e+ ve mu- vm~", "h > w+ w-, w+ > e+ ve, w- > mu- vm~"),
        ("e+ e- > h > mu+ mu- b b~", "e+ e- > z h, z > mu+ mu-, h > b b~"),
    ],
)
def test_requiring_what_decays_is_the_decay_chain(required: str, chain: str) -> None:
    p = points(required, 5)
    np.testing.assert_allclose(
        amplitude(required).squared(p, ALPHA_S), amplitude(chain).squared(p, ALPHA_S), rtol=1e-10
    )


@pytest.mark.parametrize(
    ("forbidden", "excluded"),
    [
        ("u u~ > e+ e- mu+ mu- $$ z h", "u u~ > e+ e- mu+ mu- / z h"),
        ("u u~ > e+ e- mu+ mu- $$ a h", "u u~ > e+ e- mu+ mu- / a h"),
        ("u u~ > w+ w- g $$ z a", "u u~ > w+ w- g / z a"),
        ("h > b b~ e+ e- QED=3 $$ z", "h > b b~ e+ e- QED=3 / z"),
    ],
)
def test_forbidding_what_is_in_the_s_channel_alone_excludes_it(
    forbidden: str, excluded: str
) -> None:
    p = points(forbidden, 5)
    np.testing.assert_allclose(
        amplitude(forbidden).squared(p, ALPHA_S),
        amplitude(excluded).squared(p, ALPHA_S),
        rtol=1e-10,
    )


@pytest.mark.parametrize(
    "text",
    [
        "u u~ > w+ w- $$ z a",
        "u d~ > w+ > h e+ ve",
        "e+ e- > w+ > e- ve~ u d~ $$ w- / z a e-",
    ],
)
def test_a_single_diagram_is_its_square(text: str) -> None:
    tape, p, model = amplitude(text), points(text, 5), Model("sm")
    me2, squares = tape.evaluate(p, ALPHA_S)
    assert squares.shape == (5, 1)
    average = np.prod([2 * model.particle(pdg).colour for pdg in tape.legs[:2]])
    colours = 3 if any(model.particle(pdg).colour == 3 for pdg in tape.legs) else 1
    np.testing.assert_allclose(me2, squares[:, 0] * colours / average, rtol=1e-10)
