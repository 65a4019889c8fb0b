"""Nuclei as sums over their nucleons."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.beam_densities.nucleus import Nucleus, NucleusDensity
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.pdf.pdf import GridPdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED
from madnis_py.physics.process.process import Process

TOY = GridPdf.from_folder(SHIPPED / "toy")


@pytest.mark.parametrize(
    ("name", "pdg"),
    [("Pb208", 1000822080), ("H1", 1000010010), ("U238", 1000922380), ("1000791970", 1000791970)],
)
def test_nuclei_have_names_and_codes(name: str, pdg: int) -> None:
    found = Nucleus.of(name)
    assert found
    assert found.pdg == pdg


@pytest.mark.parametrize("name", ["Pb", "p", "Xx12", "He1", "1000822081", "100082208", ""])
def test_other_names_are_no_nuclei(name: str) -> None:
    assert Nucleus.of(name) is None


def test_densities_are_those_of_protons_and_of_neutrons_by_isospin() -> None:
    x, q2 = np.array([1e-3, 0.1, 0.6]), np.full(3, 1e4)
    partons = [1, 2, -1, -2, 3, 21]
    found = NucleusDensity(TOY, partons, 82, 126).evaluate(x, q2)
    proton, neutron = (TOY.density(codes, x, q2) for codes in (partons, [2, 1, -2, -1, 3, 21]))
    np.testing.assert_allclose(found, 82 * proton + 126 * neutron, rtol=1e-14)


def values(**beams: object) -> tuple[CrossSection, torch.Tensor]:
    card = {
        "process": {"definition": "p p > e+ e-"},
        "beams": {"pdf": "toy", "energy": [2500.0, 2500.0], **beams},
        "cuts": {"e+,e-": {"mass_min": 60.0}},
    }
    one = CrossSection(Process.from_card(Card.parse(card)))
    x = torch.rand((100, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return one, one.evaluate(x, torch.zeros(100, dtype=torch.int64)).value


def test_cross_sections_are_sums_over_nucleons() -> None:
    one, found = values(particle=["Pb208", "p"], nucleons="bound")
    _, protons = values()
    torch.testing.assert_close(found, 208 * protons, rtol=1e-12, atol=0)
    assert one.process.beams.pdg == (1000822080, 2212)
    assert one.process.beams.total_energies == (2500.0 * 208, 2500.0)
    _, isoscalar = values(particle=["C12", "C12"], nucleons="free")
    _, deuterons = values(particle=["H2", "H2"], nucleons="free")
    torch.testing.assert_close(isoscalar, 36 * deuterons, rtol=1e-12, atol=0)
    _, hydrogen = values(particle=["H1", "H1"], nucleons="free")
    torch.testing.assert_close(hydrogen, protons, rtol=1e-12, atol=0)
    assert (deuterons / 4 < protons).any()  # fewer u quarks, more d quarks


def test_a_nucleus_asks_what_its_set_is() -> None:
    with pytest.raises(CardError, match=r'beams\.nucleons: expected "free" or "bound"'):
        values(particle=["Pb208", "p"])
