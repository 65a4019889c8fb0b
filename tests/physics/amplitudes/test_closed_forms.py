"""Amplitudes against formulas of the literature: two to two, Parke and Taylor, photon and Z."""

from __future__ import annotations

import math

import numpy as np
import pytest
from amplitudes import ALPHA_S, G2, STABLE, amplitude, invariant, mandelstam, points

from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.drell_yan import DrellYan, mediators
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.reactions import reaction_of
from madnis_py.physics.model.model import Model

QCD = {  # Ellis, Stirling and Webber, QCD and Collider Physics, Table 7.1, without g^4
    "u d > u d": lambda s, t, u: 4 / 9 * (s**2 + u**2) / t**2,
    "u d~ > u d~": lambda s, t, u: 4 / 9 * (s**2 + u**2) / t**2,
    "u u > u u": lambda s, t, u: (
        (4 / 9 * ((s**2 + u**2) / t**2 + (s**2 + t**2) / u**2) - 8 / 27 * s**2 / (t * u)) / 2
    ),
    "u u~ > d d~": lambda s, t, u: 4 / 9 * (t**2 + u**2) / s**2,
    "u u~ > u u~": lambda s, t, u: (
        4 / 9 * ((s**2 + u**2) / t**2 + (t**2 + u**2) / s**2) - 8 / 27 * u**2 / (s * t)
    ),
    "u u~ > g g": lambda s, t, u: (
        (32 / 27 * (t**2 + u**2) / (t * u) - 8 / 3 * (t**2 + u**2) / s**2) / 2
    ),
    "g g > u u~": lambda s, t, u: 1 / 6 * (t**2 + u**2) / (t * u) - 3 / 8 * (t**2 + u**2) / s**2,
    "g u > g u": lambda s, t, u: -4 / 9 * (s**2 + u**2) / (s * u) + (u**2 + s**2) / t**2,
    "g u~ > u~ g": lambda s, t, u: -4 / 9 * (s**2 + t**2) / (s * t) + (t**2 + s**2) / u**2,
    "g g > g g": lambda s, t, u: 9 / 4 * (3 - t * u / s**2 - s * u / t**2 - s * t / u**2),
    "u u~ > a g": lambda s, t, u: 8 / 9 * (2 / 3) ** 2 * (t / u + u / t),
    "g d > a d": lambda s, t, u: 1 / 3 * (1 / 3) ** 2 * (-s / u - u / s),
}
QED = {  # the same with photons alone, without e^4
    "e+ e- > mu+ mu- / z": lambda s, t, u: 2 * (t**2 + u**2) / s**2,
    "e- mu- > e- mu- / z": lambda s, t, u: 2 * (s**2 + u**2) / t**2,
    "e- e+ > e- e+ / z": lambda s, t, u: (
        2 * ((s**2 + u**2) / t**2 + 2 * u**2 / (s * t) + (u**2 + t**2) / s**2)
    ),
    "e+ e- > mu+ mu- $$ z": lambda s, t, u: 2 * (t**2 + u**2) / s**2,
    "e- e+ > e- e+ / z $$ a": lambda s, t, u: 2 * (s**2 + u**2) / t**2,
    "e- e+ > a > e- e+ / z": lambda s, t, u: 2 * (u**2 + t**2) / s**2,
    "e- e- > e- e- / z": lambda s, t, u: (
        (s**2 + u**2) / t**2 + 2 * s**2 / (t * u) + (s**2 + t**2) / u**2
    ),
    "a e- > a e-": lambda s, t, u: -2 * (u / s + s / u),
    "e+ e- > a a": lambda s, t, u: u / t + t / u,
    "a a > e+ e-": lambda s, t, u: 2 * (u / t + t / u),
    "a a > u u~": lambda s, t, u: 6 * (2 / 3) ** 4 * (u / t + t / u),
}


def of(text: str, **values: float) -> tuple[Array, Array]:
    p = points(text, 20, values)
    return amplitude(text, **values).squared(p, ALPHA_S), p


@pytest.mark.parametrize("text", QCD)
def test_scattering_of_massless_partons(text: str) -> None:
    me2, p = of(text)
    electric = 4 * math.pi / 132.507
    coupling = G2 * electric if " a " in text else G2**2
    np.testing.assert_allclose(me2, coupling * QCD[text](*mandelstam(p)), rtol=1e-11)


@pytest.mark.parametrize("text", QED)
def test_scattering_of_massless_charges(text: str) -> None:
    me2, p = of(text)
    np.testing.assert_allclose(
        me2, (4 * math.pi / 132.507) ** 2 * QED[text](*mandelstam(p)), rtol=1e-11
    )


@pytest.mark.parametrize(
    ("text", "mass"), [("u u~ > t t~", 173.0), ("g g > t t~", 173.0), ("g g > b b~", 4.7)]
)
def test_heavy_quarks_are_made_as_combridge_says(text: str, mass: float) -> None:
    me2, p = of(text, **STABLE)
    s, t, u = mandelstam(p)
    tau, ups, rho = (mass**2 - t) / s, (mass**2 - u) / s, 4 * mass**2 / s
    light = 4 / 9 * (tau**2 + ups**2 + rho / 2)
    gluons = (1 / (6 * tau * ups) - 3 / 8) * (tau**2 + ups**2 + rho - rho**2 / (4 * tau * ups))
    np.testing.assert_allclose(me2, G2**2 * (light if text.startswith("u") else gluons), rtol=1e-10)


def test_higgs_bosons_scatter_off_themselves() -> None:
    """A = -3 M^2 / v^2 (1 + 3 M^2 sum over s, t, u of 1 / (s - M^2)), half for equal particles."""
    me2, p = of("h h > h h", **STABLE)
    model = Model("sm")
    m2, v2 = model["MH"] ** 2, model["vev"] ** 2
    poles = sum(1 / (x - m2) for x in mandelstam(p))
    np.testing.assert_allclose(me2, (3 * m2 / v2 * (1 + 3 * m2 * poles)) ** 2 / 2, rtol=1e-11)


def line(p: Array, legs: tuple[int, ...]) -> Array:
    """The product of the invariants of neighbours, the last with the first."""
    neighbours = zip(legs, (*legs[1:], legs[0]), strict=True)
    return np.asarray(np.prod([invariant(p, a, b) for a, b in neighbours], axis=0))


def cyclic(colours: tuple[tuple[int, ...], ...], closed: bool) -> tuple[int, ...]:
    """The legs along the colour lines of a flow with the lines of the two incoming legs crossed."""
    outgoing = [leg[::-1] if position < 2 else leg for position, leg in enumerate(colours)]
    place = 0 if closed else next(k for k, (_, anticolour) in enumerate(outgoing) if not anticolour)
    order = [place]
    while len(order) < len(colours):
        colour = outgoing[order[-1]][0]
        order.append(next(k for k, (_, anticolour) in enumerate(outgoing) if anticolour == colour))
    return tuple(order)


@pytest.mark.parametrize("n", [4, 5])
def test_colour_flows_of_gluons_are_those_of_parke_and_taylor(n: int) -> None:
    """|J|^2 = 2^n g^(2n - 4) sum_ij s_ij^4 / (s_12 ... s_n1).

    Twice that with the conjugate, if it is another one.
    """
    text = f"g g >{' g' * (n - 2)}"
    p = points(text, 20)
    one = amplitude(text)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    numerator = sum(invariant(p, i, j) ** 4 for i, j in pairs) * (1 if n == 4 else 2)
    flows = one.weights(p, ALPHA_S).flows
    for column, colours in enumerate(one.flows):
        expected = 2**n * G2 ** (n - 2) * numerator / line(p, cyclic(colours, closed=True))
        np.testing.assert_allclose(flows[:, column], np.abs(expected), rtol=1e-11)


@pytest.mark.parametrize("n", [2, 3])
def test_colour_flows_of_a_quark_line_are_those_of_mangano_and_parke(n: int) -> None:
    """|J|^2 = 2^n g^(2n) sum_i s_qi s_Qi (s_qi^2 + s_Qi^2) / (s_Qq s_q1 ... s_nQ), gluons i."""
    text = f"u u~ >{' g' * n}"
    p = points(text, 20)
    one = amplitude(text)
    numerator = np.zeros(len(p))
    for gluon in range(2, 2 + n):
        a, b = invariant(p, 0, gluon), invariant(p, 1, gluon)
        numerator = numerator + a * b * (a**2 + b**2) * (1 if n == 2 else 2)
    flows = one.weights(p, ALPHA_S).flows
    for column, colours in enumerate(one.flows):
        expected = 2**n * G2**n * numerator / line(p, cyclic(colours, closed=False))
        np.testing.assert_allclose(flows[:, column], np.abs(expected), rtol=1e-11)


def through_photon_and_z(model: Model, p: Array, pdg: int) -> tuple[Array, Array]:
    """f f~ > mu- mu+ for massless fermions.

    It is the sum over chiralities of |sum_k g_k h_k / (s - M_k^2 + i M_k Gamma_k)|^2.

    Returns:
        averaged |M|^2 and the same for photon and Z alone, summed over spins and without colour,
        (n, 2).
    """
    s, t, u = mandelstam(p)
    e, sin2 = math.sqrt(4 * math.pi / model["aEWM1"]), 1 - (model["MW"] / model["MZ"]) ** 2
    g = e / math.sqrt(sin2 * (1 - sin2))

    def couplings(isospin: float, charge: float) -> list[tuple[float, float]]:
        return [(e * charge, e * charge), (g * (isospin - charge * sin2), -g * charge * sin2)]

    first = couplings(*{11: (-0.5, -1.0), 2: (0.5, 2 / 3), 1: (-0.5, -1 / 3)}[pdg])
    second = couplings(-0.5, -1.0)
    poles = [1 / s, 1 / (s - model["MZ"] ** 2 + 1j * model["MZ"] * model["WZ"])]
    total, squares = np.zeros(len(s)), np.zeros((len(s), 2))
    for a in (0, 1):
        for b in (0, 1):
            terms = np.array(
                [x[a] * y[b] * pole for x, y, pole in zip(first, second, poles, strict=True)]
            )
            spins = 4 * (u**2 if a == b else t**2)
            total += spins * np.abs(terms.sum(axis=0)) ** 2
            squares += spins[:, None] * np.abs(terms.T) ** 2
    return total / (4 if pdg == 11 else 12), squares


@pytest.mark.parametrize(
    ("text", "pdg"), [("e- e+ > mu- mu+", 11), ("u u~ > mu- mu+", 2), ("d d~ > mu- mu+", 1)]
)
def test_fermions_annihilate_through_photon_and_z(text: str, pdg: int) -> None:
    p = points(text, 20)
    one, model = amplitude(text), Model("sm")
    me2, squares = one.evaluate(p, ALPHA_S)
    expected, single = through_photon_and_z(model, p, pdg)
    order = [diagram.propagators[0][0] - 22 for diagram in one.diagrams]
    np.testing.assert_allclose(me2, expected, rtol=1e-12)
    np.testing.assert_allclose(squares, single[:, order], rtol=1e-12)


@pytest.mark.parametrize("name", ["sm", "sm_zprime"])
@pytest.mark.parametrize("quark", [1, 2])
def test_the_tape_of_drell_yan_is_the_matrix_element_written_by_hand(name: str, quark: int) -> None:
    model = Model(name)
    tape = TreeAmplitude(reaction_of((quark, -quark), (-11, 11)), model)
    p = points("u u~ > e+ e-", 100)
    by_hand = DrellYan(mediators(model, quark), (0, 1, 3, 2)).evaluate(p, ALPHA_S)
    for found, expected in zip(tape.evaluate(p, ALPHA_S), by_hand, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
