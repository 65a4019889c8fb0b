"""Cross sections that the literature gives as formulas, with the cards that compute them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drell_yan_quadrature import PICOBARN, cross_sections

from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import load_pdf

MODEL = Model("sm")
ALPHA, MW, MZ, SW2 = MODEL.alpha_qed, MODEL["MW"], MODEL["MZ"], MODEL["sw2"]
ALPHA_S = 0.118


@dataclass(frozen=True)
class ClosedForm:
    """A cross section by a formula.

    Attributes:
        definition: of the process.
        energy: of each beam in GeV.
        value: the cross section in pb.
        source: what the formula is.
        cuts: of the card.
        pdf: parton densities of the beams.
        scale: of factorisation and renormalisation in GeV.
    """

    definition: str
    energy: float
    value: Callable[[], float]
    source: str
    cuts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pdf: str = "none"
    scale: float = 91.188


def _annihilation(s: float, charge: float, colours: int, mass: float = 0.0) -> float:
    """Cross section of e- e+ > photon > f f~: 4 pi alpha^2 N_c Q^2 beta (3 - beta^2) / (6 s)."""
    beta = math.sqrt(1 - 4 * mass**2 / s)
    return (
        PICOBARN * 4 * math.pi * ALPHA**2 * colours * charge**2 / (3 * s) * beta * (3 - beta**2) / 2
    )


def _chirality(charge: float, isospin: float) -> tuple[float, float]:
    """Couplings of left- and right-handed fermions to the Z in units of e."""
    unit = math.sqrt(SW2 * (1 - SW2))
    return (isospin - charge * SW2) / unit, -charge * SW2 / unit


def _muon_pairs(s: float) -> float:
    """Cross section of e- e+ > mu- mu+ by photon and Z.

    s / (48 pi) times the sum of |amplitude|^2 over the four chiralities.
    """
    couplings = _chirality(-1.0, -0.5)
    z = 1 / complex(s - MZ**2, MZ * MODEL["WZ"])
    squares = sum(abs(1 / s + a * b * z) ** 2 for a in couplings for b in couplings)
    return PICOBARN * (4 * math.pi * ALPHA) ** 2 * s / (48 * math.pi) * squares


def _neutrino_pairs(s: float) -> float:
    """Cross section of ve ve~ > mu- mu+ by the Z alone.

    Each beam has one helicity, so nothing is averaged.
    """
    neutrino, _ = _chirality(0.0, 0.5)
    z = 1 / complex(s - MZ**2, MZ * MODEL["WZ"])
    squares = sum(abs(neutrino * b * z) ** 2 for b in _chirality(-1.0, -0.5))
    return PICOBARN * (4 * math.pi * ALPHA) ** 2 * s / (12 * math.pi) * squares


def _charged_current(s: float) -> float:
    """Cross section of ve d > e- u: G_F^2 s / pi / (1 + s / M_W^2)."""
    return PICOBARN * MODEL["Gf"] ** 2 * s / math.pi / (1 + s / MW**2)


def _higgs_strahlung(s: float) -> float:
    """Cross section of e- e+ > z h.

    pi alpha^2 sqrt(l) (l + 12 M_Z^2 / s) (v^2 + a^2)
    / (192 s sin^4 cos^4 (1 - M_Z^2 / s)^2).
    """
    mh = MODEL["MH"]
    size = (1 - (MZ**2 + mh**2) / s) ** 2 - 4 * MZ**2 * mh**2 / s**2
    vector, axial = -1 + 4 * SW2, -1.0
    coupling = (vector**2 + axial**2) / (192 * s * (SW2 * (1 - SW2)) ** 2)
    propagator = 1 / ((1 - MZ**2 / s) ** 2)
    return (
        PICOBARN
        * math.pi
        * ALPHA**2
        * coupling
        * propagator
        * math.sqrt(size)
        * (size + 12 * MZ**2 / s)
    )


def _photon_pairs(s: float, pt_min: float) -> float:
    """Cross section of e- e+ > a a above a transverse momentum.

    2 pi alpha^2 / s (2 artanh c - c), c = cos theta at the cut.
    """
    cos = math.sqrt(1 - 4 * pt_min**2 / s)
    return PICOBARN * 2 * math.pi * ALPHA**2 / s * (2 * math.atanh(cos) - cos)


def _breit_wheeler(s: float, mass: float) -> float:
    """Cross section of a a > f f~.

    4 pi alpha^2 / s [(1 + r - r^2 / 2) L - (1 + r) beta], r = 4 m^2 / s, L = 2 artanh beta.
    """
    r = 4 * mass**2 / s
    beta = math.sqrt(1 - r)
    bracket = (1 + r - r**2 / 2) * 2 * math.atanh(beta) - (1 + r) * beta
    return PICOBARN * 4 * math.pi * ALPHA**2 / s * bracket


def _quarks_to_tops(s: float, mass: float) -> float:
    """Cross section of u u~ > t t~, after Ellis, Stirling and Webber.

    8 pi alpha_s^2 / (27 s) beta (1 + rho / 2), rho = 4 m^2 / s.
    """
    rho = 4 * mass**2 / s
    return PICOBARN * 8 * math.pi * ALPHA_S**2 / (27 * s) * math.sqrt(1 - rho) * (1 + rho / 2)


def _gluons_to_tops(s: float, mass: float) -> float:
    """Cross section of g g > t t~.

    pi alpha_s^2 / (48 s) [(rho^2 + 16 rho + 16) L - beta (28 + 31 rho)], L = 2 artanh beta.
    """
    rho = 4 * mass**2 / s
    beta = math.sqrt(1 - rho)
    bracket = (rho**2 + 16 * rho + 16) * 2 * math.atanh(beta) - beta * (28 + 31 * rho)
    return PICOBARN * math.pi * ALPHA_S**2 / (48 * s) * bracket


def _drell_yan(mass_min: float) -> float:
    """Cross section of p p > e+ e- with the shipped densities, by quadrature."""
    return math.fsum(cross_sections(load_pdf("toy"), mass_min=mass_min).values())


CLOSED_FORMS: tuple[ClosedForm, ...] = (
    ClosedForm(
        "e- e+ > mu- mu+ / z", 100.0, lambda: _annihilation(200.0**2, 1.0, 1), "4 pi alpha^2 / 3 s"
    ),
    ClosedForm(
        "e- e+ > u u~ / z",
        100.0,
        lambda: _annihilation(200.0**2, 2 / 3, 3),
        "the same times 3 (2/3)^2",
    ),
    ClosedForm(
        "e- e+ > t t~ / z",
        250.0,
        lambda: _annihilation(500.0**2, 2 / 3, 3, 173.0),
        "with beta (3 - beta^2) / 2",
    ),
    ClosedForm(
        "e- e+ > mu- mu+", 100.0, lambda: _muon_pairs(200.0**2), "photon and Z, four chiralities"
    ),
    ClosedForm("e- e+ > mu- mu+", MZ / 2, lambda: _muon_pairs(MZ**2), "the same on the pole"),
    ClosedForm(
        "ve d > e- u", 50.0, lambda: _charged_current(100.0**2), "G_F^2 s / pi / (1 + s / M_W^2)"
    ),
    ClosedForm(
        "ve ve~ > mu- mu+", 100.0, lambda: _neutrino_pairs(200.0**2), "Z, one helicity of each beam"
    ),
    ClosedForm("e- e+ > z h", 125.0, lambda: _higgs_strahlung(250.0**2), "Higgs-strahlung"),
    ClosedForm(
        "e- e+ > a a",
        100.0,
        lambda: _photon_pairs(200.0**2, 20.0),
        "QED",
        cuts={"photon": {"pt_min": 20.0}},
    ),
    ClosedForm("a a > ta- ta+", 10.0, lambda: _breit_wheeler(20.0**2, 1.777), "Breit and Wheeler"),
    ClosedForm("u u~ > t t~", 500.0, lambda: _quarks_to_tops(1000.0**2, 173.0), "QCD, quarks"),
    ClosedForm("g g > t t~", 500.0, lambda: _gluons_to_tops(1000.0**2, 173.0), "QCD, gluons"),
    ClosedForm(
        "p p > e+ e-",
        6500.0,
        lambda: _drell_yan(60.0),
        "quadrature, set toy",
        cuts={"e+,e-": {"mass_min": 60.0}},
        pdf="toy",
    ),
)
