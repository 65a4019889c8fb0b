"""Two Higgs doublets, type II, through the reader: widths, sum rules and bounds of unitarity.

Closed forms follow from the couplings of Branco et al., arXiv:1106.0034.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_models import amplitude_of
from ufo_models import own

from madnis_py.arrays import Array
from madnis_py.physics.decays.partial_widths import partial_width
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.momenta import as_momenta

NAME = "two_higgs_doublet"
MODEL = own(NAME)
FERMI, TAN = MODEL["Gf"], MODEL["tanbeta"]
SIN, COS = MODEL["sinbma"], math.sqrt(1 - MODEL["sinbma"] ** 2)
ALPHA = math.atan(TAN) - math.asin(SIN)
BETA = math.atan(TAN)
Z, W, TAU, TOP, BOTTOM = (MODEL[name] for name in ("MZ", "MW", "MTA", "MT", "ymb"))
LIGHT, HEAVY, ODD, CHARGED = (MODEL[name] for name in ("MH1", "MH2", "MH3", "MHC"))


def kaellen(one: float, two: float, three: float) -> float:
    """Of masses."""
    return (one**2 - two**2 - three**2) ** 2 - 4 * two**2 * three**2


def to_fermions(mass: float, fermion: float, factor: float, power: int) -> float:
    """sqrt(2) G_F M m^2 / (8 pi) factor^2 beta^power for fermions of mass and Yukawa mass m."""
    beta = math.sqrt(1 - 4 * fermion**2 / mass**2)
    return FERMI * mass * fermion**2 * factor**2 * beta**power / (4 * math.sqrt(2) * math.pi)


def to_bosons(mass: float, boson: float, factor: float) -> float:
    """H > z z; twice as much is H > w+ w-."""
    x = boson**2 / mass**2
    sizes = math.sqrt(1 - 4 * x) * (1 - 4 * x + 12 * x * x)
    return FERMI * mass**3 * factor**2 * sizes / (16 * math.sqrt(2) * math.pi)


def to_scalar_and_boson(mass: float, scalar: float, boson: float, factor: float) -> float:
    """G_F factor^2 lambda^(3/2) / (8 sqrt(2) pi M^3)."""
    size = kaellen(mass, scalar, boson) * math.sqrt(kaellen(mass, scalar, boson)) / mass**3
    return FERMI * factor**2 * size / (8 * math.sqrt(2) * math.pi)


CHARGED_TO_TOP = (
    3
    * FERMI
    * math.sqrt(2)
    * (CHARGED**2 - TOP**2)
    / (8 * math.pi * CHARGED**3)
    * ((TOP / TAN) ** 2 + (BOTTOM * TAN) ** 2)
    * (CHARGED**2 - TOP**2)
)
"""The b is massless but for its Yukawa coupling."""

WIDTHS = {
    "h1 > ta- ta+": to_fermions(LIGHT, TAU, math.sin(ALPHA) / math.cos(BETA), 3),
    "h2 > ta- ta+": to_fermions(HEAVY, TAU, math.cos(ALPHA) / math.cos(BETA), 3),
    "h3 > ta- ta+": to_fermions(ODD, TAU, TAN, 1),
    "h3 > t t~": 3 * to_fermions(ODD, TOP, 1 / TAN, 1),
    "h2 > z z": to_bosons(HEAVY, Z, COS),
    "h2 > w+ w-": 2 * to_bosons(HEAVY, W, COS),
    "h3 > h1 z": to_scalar_and_boson(ODD, LIGHT, Z, COS),
    "h3 > h2 z": to_scalar_and_boson(ODD, HEAVY, Z, SIN),
    "h+ > h1 w+": to_scalar_and_boson(CHARGED, LIGHT, W, COS),
    "h+ > h2 w+": to_scalar_and_boson(CHARGED, HEAVY, W, SIN),
    "h+ > ta+ vt": FERMI
    * (TAU * TAN) ** 2
    * CHARGED
    * (1 - TAU**2 / CHARGED**2) ** 2
    / (4 * math.sqrt(2) * math.pi),
    "h+ > t b~": CHARGED_TO_TOP,
}


@pytest.mark.parametrize(("text", "expected"), WIDTHS.items(), ids=list(WIDTHS))
def test_widths_are_those_of_closed_forms(text: str, expected: float) -> None:
    pdg, *products = (MODEL.pdg_of[name] for name in text.replace(">", "").split())
    assert partial_width(pdg, tuple(products), MODEL) == pytest.approx(expected, rel=1e-11)


def momenta(text: str, model: Model, energy: float) -> Array:
    """Two particles into two of any masses at a fixed angle, (1, 4, 4)."""
    names = text.replace(">", "").split()
    masses = [model.mass(model.pdg_of[name]) for name in names]
    rows = []
    for pair, axis in ((masses[:2], (0.0, 0.0, 1.0)), (masses[2:], (0.6, 0.48, 0.64))):
        size = math.sqrt(kaellen(energy, *pair)) / (2 * energy)
        for sign, mass in zip((1, -1), pair, strict=True):
            rows.append([math.hypot(size, mass), *(sign * size * one for one in axis)])
    return as_momenta([rows])


def squared(text: str, model: Model, energy: float) -> float:
    p = momenta(text, model, energy)
    return float(amplitude_of(model, text).squared(p, 0.118)[0])


def test_a_cp_odd_boson_is_made_with_a_light_one_by_the_z() -> None:
    """e- e+ > h1 h3, averaged over spins: g_Z^4 (L^2 + R^2) cos^2 s p^2 sin^2 / 4 |s - M^2|^2."""
    energy, sine2, gz2 = 700.0, MODEL["sw2"], MODEL["gz"] ** 2
    s = energy**2
    size2 = kaellen(energy, LIGHT, ODD) / (4 * s)
    pole = abs(s - Z**2 + 1j * Z * MODEL["WZ"]) ** 2
    chiral = (-1 / 2 + sine2) ** 2 + sine2**2
    expected = gz2**2 * chiral * COS**2 * s * size2 * (1 - 0.64**2) / (4 * pole)
    assert squared("e- e+ > h1 h3", MODEL, energy) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(
    "text", ["b b~ > z z", "t t~ > w+ w-", "ta- ta+ > w+ w-", "t t~ > z z", "z z > w+ w-"]
)
def test_two_even_bosons_of_one_mass_are_that_of_one_doublet(text: str) -> None:
    """For any mixing: sums of couplings to fermions and gauge bosons are those of one boson."""
    same = {"MH2": LIGHT, "WH1": 0.0, "WH2": 0.0}
    expected = squared(text, own(NAME, same), 600.0)
    for angles in ({"tanbeta": 3.0, "sinbma": 0.2}, {"tanbeta": 0.7, "sinbma": -0.8}):
        found = squared(text, own(NAME, same | angles), 600.0)
        assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    "text",
    [
        *("t b~ > w+ h1", "t b~ > w+ h2", "t b~ > w+ h3", "t b~ > z h+", "t t~ > z h1"),
        *("t t~ > z h3", "b b~ > z h3", "t t~ > w+ h-", "ta- ta+ > w+ h-", "ta+ vt > w+ h3"),
        *("b b~ > w+ h-", "b b~ > z h2", "e- e+ > z h1"),
    ],
)
def test_no_amplitude_grows_with_the_energy(text: str) -> None:
    """Longitudinal gauge bosons cancel in the sum of diagrams alone, if all phases are right."""
    model = own(NAME, {"tanbeta": 3.0, "MB": BOTTOM})
    low, high = (squared(text, model, energy) for energy in (4e4, 8e4))
    assert high < 1.01 * low


@pytest.mark.parametrize("text", ["t b~ > w+ h3", "t b~ > z h+", "ta+ vt > w+ h1"])
def test_antiparticles_do_the_same(text: str) -> None:
    names = [text_of(MODEL, name) for name in text.split()]
    for energy in (600.0, 900.0):
        p = momenta(text, MODEL, energy)
        first, second = (
            amplitude_of(MODEL, one).squared(p, 0.118) for one in (text, " ".join(names))
        )
        np.testing.assert_allclose(first, second, rtol=1e-11)


def text_of(model: Model, name: str) -> str:
    """The antiparticle of a name; ">" stays."""
    return name if name == ">" else model.particle_name(model.anti(model.pdg_of[name]))
