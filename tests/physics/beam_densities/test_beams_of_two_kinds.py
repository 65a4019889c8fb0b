"""Beams of two kinds against closed forms convolved with parton densities by quadrature."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from grids import write_set
from scipy.integrate import quad
from scipy.stats import qmc

from madnis_py.card.card import Card
from madnis_py.errors import CardError, PdfError
from madnis_py.physics.cross_section.cross_section import PICOBARN_PER_INVERSE_GEV2, CrossSection
from madnis_py.physics.cross_section.systematics import variation_groups
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import GridPdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED
from madnis_py.physics.process.process import Process

MODEL = Model("sm")
ALPHA = MODEL.alpha_qed
TOY = GridPdf.from_folder(SHIPPED / "toy")
MU = 91.188
CHARGES = {1: -1 / 3, 2: 2 / 3, 3: -1 / 3, 4: 2 / 3}
HERA = (27.5, 920.0)


def integrand(definition: str, **tables: Mapping[str, object]) -> CrossSection:
    return CrossSection(
        Process.from_card(Card.parse({"process": {"definition": definition}, **tables}))
    )


def integral(one: CrossSection, power: int = 16) -> float:
    """Cross section in pb by a quasi-Monte Carlo sum over all channels."""
    total = 0.0
    x = torch.from_numpy(qmc.Sobol(one.dim, seed=3).random_base2(power))
    for channel in range(one.n_channels):
        found = one.evaluate(x, torch.full((len(x),), channel))
        shares = found.prior[:, channel] / found.prior.sum(dim=1)
        total += float((found.value * shares).mean())
    return total


def density(pdg: int, x: float) -> float:
    """f(x) of the toy set at mu_F."""
    return float(TOY.density([pdg], np.array([x]), MU**2)[0, 0]) / x


def convolved(partonic: Callable[[int, float], float], flavours: list[int], s: float) -> float:
    """Sum over flavours of the integral over x of f(x) sigma(x s), in pb; sigma in GeV^-2."""
    log_x = np.linspace(math.log(1e-7), 0.0, 1201)
    x = np.exp(log_x)
    densities = TOY.density(flavours, x, MU**2)
    sigma = np.array([[partonic(pdg, share * s) for pdg in flavours] for share in x])
    total = np.trapezoid((densities * sigma).sum(axis=1), log_x)
    return float(total) * PICOBARN_PER_INVERSE_GEV2


def charged_current(pdg: int, s: float) -> float:
    """nu d > l- u, nu u~ > l- d~: G_F^2 / pi times the squared W propagator over that at 0."""
    mw2 = MODEL["MW"] ** 2
    coupling = (MODEL["ee"] ** 2 / MODEL["sw2"]) ** 2 / (32 * math.pi)

    def slope(q2: float) -> float:
        helicity = 1.0 if pdg > 0 else (1 - q2 / s) ** 2
        return helicity / (q2 + mw2) ** 2

    return float(coupling * quad(slope, 0.0, s, epsrel=1e-8)[0])


@pytest.mark.parametrize("order", ["neutrino first", "neutrino second"])
@pytest.mark.parametrize("energies", [(200.0, 920.0), (5000.0, 0.0), (50.0, 20.0)])
def test_neutrino_scattering_agrees_with_the_closed_form(
    order: str, energies: tuple[float, float]
) -> None:
    """On colliding protons and on protons at rest: s-hat = x s, s = M^2 + 2 (E E' + p p')."""
    first = order == "neutrino first"
    mass = 0.938272 if energies[1] < 93.8272 else 0.0
    energy = energies[1] or mass
    s = mass**2 + 2 * energies[0] * (energy + math.sqrt(energy**2 - mass**2))
    expected = convolved(charged_current, [1, 3, -2, -4], s)
    one = integrand(
        "ve p > e- j" if first else "p ve > e- j",
        beams={
            "pdf": ["none", "toy"] if first else ["toy", "none"],
            "energy": list(energies if first else energies[::-1]),
        },
    )
    assert integral(one) == pytest.approx(expected, rel=2e-3)


def photon_exchange(pdg: int, s: float, pt: float) -> float:
    """e q > e q through a photon above a transverse momentum, p_T^2 = Q^2 (1 - Q^2 / s)."""
    if s <= 4 * pt**2:
        return 0.0
    root = math.sqrt(1 - 4 * pt**2 / s)
    low, high = s / 2 * (1 - root), s / 2 * (1 + root)
    value, _ = quad(lambda q2: (1 + (1 - q2 / s) ** 2) / q2**2, low, high, epsrel=1e-8)
    return float(2 * math.pi * ALPHA**2 * CHARGES[abs(pdg)] ** 2 * value)


def test_electron_scattering_agrees_with_the_closed_form() -> None:
    quarks = [sign * pdg for pdg in CHARGES for sign in (1, -1)]
    expected = convolved(lambda pdg, s: photon_exchange(pdg, s, 5.0), quarks, 4 * 27.5 * 920.0)
    for particle in (["e-", "p"], None):
        beams: dict[str, object] = {"pdf": ["none", "toy"], "energy": HERA}
        one = integrand(
            "e- p > e- j / z",
            beams=beams | ({"particle": particle} if particle else {}),
            cuts={"jet": {"pt_min": 5.0}},
        )
        assert integral(one) == pytest.approx(expected, rel=2e-3)


def test_jets_of_an_electron_and_a_proton_follow_the_densities_at_the_scale_of_the_proton() -> None:
    """The renormalisation scale and that of the electron do not matter."""
    values = [
        integral(
            integrand(
                "e- p > e- j",
                beams={"pdf": ["none", "toy"], "energy": HERA},
                cuts={"jet": {"pt_min": 10.0}},
                scales={"factorization": scales},
            ),
            9,
        )
        for scales in ([10.0, MU], [MU, MU], MU, [MU, 10.0])
    ]
    assert values[0] == values[1] == values[2]
    assert values[3] != values[0]


def luminosity(first: int, second: int, tau: float) -> float:
    """Integral of f_1(x) f_2(tau / x) dx / x."""
    value, _ = quad(
        lambda y: density(first, math.exp(y)) * density(second, tau / math.exp(y)),
        math.log(tau),
        0.0,
        epsrel=1e-4,
        limit=100,
    )
    return float(value)


@pytest.mark.parametrize(
    ("particles", "sign"), [(["p", "p"], 1), (["p", "p~"], -1), (["p~", "p~"], 1)]
)
def test_muon_pairs_of_protons_and_antiprotons_agree_with_the_convolution(
    particles: list[str], sign: int
) -> None:
    """4 pi alpha^2 e_q^2 / (9 s-hat) times q(x) q~(x), or q(x) q(x) where an antiproton comes."""
    s, mass = 1960.0**2, 1000.0
    expected = 0.0
    for pdg, charge in CHARGES.items():
        for quark in (pdg, -pdg):

            def inside(log_tau: float, quark: int = quark) -> float:
                tau = math.exp(log_tau)
                return luminosity(quark, -sign * quark, tau) / s

            found = quad(inside, 2 * math.log(mass) - math.log(s), 0.0, epsrel=1e-3)[0]
            expected += 4 * math.pi * ALPHA**2 * charge**2 / 9 * found
    one = integrand(
        "p p > mu+ mu- / z",
        beams={"pdf": "toy", "particle": particles, "energy": [980.0, 980.0]},
        cuts={"mu+,mu-": {"mass_min": mass}},
    )
    found = integral(one, 12)
    assert found == pytest.approx(expected * PICOBARN_PER_INVERSE_GEV2, rel=3e-3)


def test_protons_and_antiprotons_exchanged_turn_events_around() -> None:
    """p p~ > mu+ mu- with p~ first is the mirror image: the same sigma of mu- backwards."""
    values = []
    for particles in (["p", "p~"], ["p~", "p"]):
        one = integrand(
            "p p > mu+ mu-",
            beams={"pdf": "toy", "particle": particles, "energy": [980.0, 980.0]},
            cuts={"mu+,mu-": {"mass_min": 60.0}},
        )
        x = torch.from_numpy(qmc.Sobol(4, seed=3).random_base2(13))
        sums = np.zeros(2)
        for channel in range(one.n_channels):
            found = one.evaluate(x, torch.full((len(x),), channel))
            forward = one.momenta(x, torch.full((len(x),), channel))[0][:, 3, 3] > 0
            shares = found.prior[:, channel] / found.prior.sum(dim=1)
            value = (found.value * shares).numpy()
            sums += [(value * forward).mean(), (value * ~forward).mean()]
        values.append(sums)
    np.testing.assert_allclose(values[0], values[1][::-1], rtol=1e-2)
    assert values[0][0] > 1.02 * values[0][1]  # quarks come with the proton


def test_two_beams_may_have_two_sets(tmp_path: Path) -> None:
    """The luminosity is the product of what either set says."""
    folder = copy_of_toy(tmp_path)
    cuts = {"mu+,mu-": {"mass_min": 60.0}}
    pairs = [["toy", str(folder)], ["toy", "toy"], [str(folder), "toy"], [str(folder), str(folder)]]
    values = [
        integral(integrand("p p > mu+ mu-", beams={"pdf": pdf}, cuts=cuts), 8) for pdf in pairs
    ]
    np.testing.assert_allclose(values, [values[1] * factor for factor in (3, 1, 3, 9)], rtol=1e-8)
    one = integrand("p p > mu+ mu-", beams={"pdf": pairs[0]}, cuts=cuts)
    assert [pdf.name if pdf else "" for pdf in one.luminosity.pdfs] == ["toy", "tripled"]
    groups = variation_groups(one.process.card)
    assert {variation.pdfs for group in groups for variation in group.variations} == {
        ("toy", str(folder))
    }


def copy_of_toy(folder: Path) -> Path:
    """The toy set with all densities times 3."""
    info, member = ((SHIPPED / "toy" / name).read_text() for name in ("toy.info", "toy_0000.dat"))
    head, *blocks = member.split("---\n")
    tripled = [
        "\n".join(
            line if number < 3 else " ".join(str(3 * float(word)) for word in line.split())
            for number, line in enumerate(block.splitlines())
        )
        for block in blocks
        if block
    ]
    return write_set(folder / "tripled", info, "\n---\n".join([head.strip(), *tripled, ""]))


@pytest.mark.parametrize(
    ("definition", "beams", "sentence"),
    [
        ("e- p > e- j", {"pdf": "none"}, "beams.pdf: expected single partons in the beams"),
        (
            "e- p > e- j",
            {"pdf": ["toy", "none"]},
            "beams.pdf: expected single partons in the beams",
        ),
        (
            "e- p > e- j",
            {"pdf": ["none", "toy"], "particle": ["e+", "p"]},
            'beams.particle: expected e-, the parton of "e- p > e- j" without densities; got "e+"',
        ),
        (
            "e- p > e- j",
            {"pdf": ["none", "toy"], "particle": ["e-", "k+"]},
            "beams.particle: expected one of p, p~",
        ),
        (
            "e- p > e- j",
            {"pdf": ["none", "toy"], "energy": [0.0, 920.0]},
            "beams.energy[0]: expected GeV > 0 for a particle without mass; got 0",
        ),
        (
            "e- p > e- j",
            {"pdf": ["none", "toy"], "energy": [27.5, 0.5]},
            "beams.energy[1]: expected more than the mass 0.938272 GeV of a nucleon; got 0.5",
        ),
        ("e- p > e- j", {"pdf": ["none", "no_such_set"]}, "no_such_set"),
        ("e- u > e- u", {"pdf": ["none", "toy", "toy"]}, "beams.pdf: expected text, or two texts"),
    ],
)
def test_beams_that_cannot_be_are_refused_in_a_sentence(
    definition: str, beams: Mapping[str, object], sentence: str
) -> None:
    with pytest.raises((CardError, PdfError), match=re.escape(sentence)):
        integrand(definition, beams=beams, cuts={"jet": {"pt_min": 5.0}})
