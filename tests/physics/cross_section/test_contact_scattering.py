"""Scattering by contact terms alone: flat phase space, and the closed form."""

import math

import torch
from ufo_models import MODELS

from madnis_py.card.card import Card
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process

PICOBARN = 3.893793721e8
"""1 / GeV^2 in pb."""


def test_a_neutrino_scatters_by_four_fermions_as_in_the_closed_form() -> None:
    """L = -f J.J of left-handed currents: f^2 (s - m^2)^2 / (8 pi s), the same in all directions.

    The neutrino has one helicity, the electron two: |M|^2 is 2 f^2 s (s - m^2).
    """
    data = {
        "process": {"definition": "e- vt > ta- ve", "model": str(MODELS / "beyond")},
        "beams": {"pdf": "none", "energy": [100.0, 100.0]},
    }
    integrand = CrossSection(Process.from_card(Card.parse(data)))
    assert [channel.name for channel in integrand.channels] == ["flat"]
    x = torch.rand((64, integrand.dim), generator=torch.Generator().manual_seed(1)).double()
    values = integrand.evaluate(x, torch.zeros(64, dtype=torch.int64)).value
    s, mass2 = 200.0**2, 20.0**2
    expected = 1e-10 * (s - mass2) ** 2 / (8 * math.pi * s) * PICOBARN
    torch.testing.assert_close(values, torch.full_like(values, expected), rtol=1e-8, atol=0.0)
