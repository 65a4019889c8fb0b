"""Decays into labels of several particles: every final state counts once, in whatever order."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from flat_mapping import flat_integrand
from scipy.stats import qmc

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.tapes.amplitude_builder import average_factor
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process

BEAMS = {"pdf": "none", "energy": [500.0, 500.0]}


def process(definition: str, bwcutoff: float = 15.0, **tables: object) -> Process:
    table = {"definition": definition, "bwcutoff": bwcutoff}
    return Process.from_card(Card.parse({"process": table, "beams": BEAMS, **tables}))


def rates(definition: str) -> Array:
    """The integrand of a definition at the same points of flat phase space."""
    integrand = flat_integrand(process(definition))
    x = torch.rand(
        200, integrand.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    return np.asarray(integrand.evaluate(x, torch.zeros(len(x), dtype=torch.int64)).value)


def cross_section(integrand: CrossSection, power: int = 12) -> float:
    """In pb, by quasi-random points in every channel."""
    x = torch.from_numpy(qmc.Sobol(integrand.dim, seed=1).random_base2(power))
    total = 0.0
    for channel in range(integrand.n_channels):
        found = integrand.evaluate(x, torch.full((len(x),), channel))
        total += float((found.value * found.prior[:, channel] / found.prior.sum(dim=1)).mean())
    return total


@pytest.mark.parametrize(
    ("several", "single", "factor"),
    [
        ("e+ e- > w+ w-, w+ > e+ ve, w- > j j", "e+ e- > w+ w-, w+ > e+ ve, w- > d u~", 2),
        ("e+ e- > w+ w-, w+ > j j, w- > j j", "e+ e- > w+ w-, w+ > u d~, w- > d u~", 4),
        ("e+ e- > w+ w-, w+ > l+ vl, w- > l- vl~", "e+ e- > w+ w-, w+ > e+ ve, w- > e- ve~", 4),
        (
            "u u~ > t t~, (t > b w+, w+ > j j), (t~ > b~ w-, w- > l- vl~)",
            "u u~ > t t~, (t > b w+, w+ > u d~), (t~ > b~ w-, w- > e- ve~)",
            4,
        ),
        ("u u~ > t t~, t > b j j", "u u~ > t t~, t > b u d~", 2),
        ("u u~ > t t~, t > j b j", "u u~ > t t~, t > u b d~", 2),
        ("e+ e- > z h, h > z l+ l-", "e+ e- > z h, h > z e+ e-", 2),
        (
            "e+ e- > z z, z > l+ l-",
            "e+ e- > z z, z > e+ e-",
            4,
        ),  # ee ee / 2 + ee mumu + mumu mumu / 2
        ("e+ e- > z z, z > e+ e-, z > l+ l-", "e+ e- > z z, z > e+ e-", 3),  # ee ee / 2 + ee mumu
        ("e+ e- > z z z, z > l- l+", "e+ e- > z z z, z > e- e+", 8),
        (
            "e+ e- > z h, (h > z z, z > l+ l-), z > ve ve~",
            "e+ e- > z h, (h > z z, z > e+ e-), z > ve ve~",
            4,
        ),
    ],
)
def test_the_ratio_of_several_decays_to_one_is_a_counting_factor(
    several: str, single: str, factor: int
) -> None:
    np.testing.assert_allclose(rates(several), factor * rates(single), rtol=1e-11)


def test_several_decays_are_the_sum_of_single_ones() -> None:
    parts = [rates(f"e+ e- > z h, z > {pair}") for pair in ("d d~", "s s~", "u u~", "c c~")]
    np.testing.assert_allclose(rates("e+ e- > z h, z > j j"), sum(parts), rtol=1e-11)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("e+ e- > z z, z > e+ e-, z > e- e+", "e+ e- > z z, z > e+ e-"),
        ("e+ e- > z z, z > e+ e-, z > e+ e- / h", "e+ e- > z z, z > e+ e-"),
        ("e+ e- > z h, (h > z z, z > e- e+, z > e+ e- QED=1)", "e+ e- > z h, (h > z z, z > e- e+)"),
    ],
)
def test_equal_particles_that_decay_to_the_same_are_equal_however_that_is_written(
    one: str, other: str
) -> None:
    averages = [
        average_factor(process(text).group().reaction, Model("sm")) for text in (one, other)
    ]
    assert averages == [Fraction(1, 8)] * 2


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("e+ e- > w+ w-, w- > j j", {"w+ d u~", "w+ s c~"}),
        ("e+ e- > z h, z > j j", {"d d~ h", "u u~ h", "s s~ h", "c c~ h"}),
        ("u d~ > w+ g, w+ > j j", {"u d~ g", "c s~ g"}),
        (
            "g g > t t~, t > b j j, t~ > b~ j j",
            {f"b {a} b~ {b}" for a in ("u d~", "c s~") for b in ("d u~", "s c~")},
        ),
        ("e+ e- > z z, z > l+ l-", {"e+ e- e+ e-", "e+ e- mu+ mu-", "mu+ mu- mu+ mu-"}),
    ],
)
def test_every_final_state_is_there_once(definition: str, expected: set[str]) -> None:
    one = process(definition)
    found = [one.model.reaction_name(legs, 2).partition(" > ")[2] for legs in one.flavours]
    assert sorted(found) == sorted(expected)


def test_a_decay_without_orders_is_of_the_lowest_order_of_all_its_flavours() -> None:
    """u d~ s c~ takes two W bosons where others take gluons, as in the core process."""
    quarks = {frozenset(legs[2:6]) for legs in process("e+ e- > z h, z > j j j j").flavours}
    whole = {
        frozenset(legs[2:6]) for legs in process("e+ e- > z h, z > j j j j QED=99 QCD=99").flavours
    }
    assert whole - quarks == {frozenset((2, -1, 3, -4)), frozenset((1, -2, 4, -3))}
    assert len(quarks) == len(whole) - 2


def test_decays_of_the_z_have_their_share_of_the_undecayed_cross_section() -> None:
    """Gamma_f = N_c M (g_L^2 + g_R^2) / (24 pi); off its mass shell the Z is 2 % away from that."""
    beams = {"pdf": "none", "energy": [125.0, 125.0]}
    whole = process("e+ e- > z h", beams=beams)
    undecayed = cross_section(CrossSection(whole))
    assert undecayed == pytest.approx(0.24015, rel=2e-3)
    model, shares = whole.model, []
    for pair, quarks in (("j j", (1, 2, 3, 4)), ("vl vl~", (12, 14, 16)), ("l+ l-", (11, 13))):
        squares = sum(g**2 for pdg in quarks for g in model.couplings("z", pdg))
        colours = 3 if pair == "j j" else 1
        share = colours * model["MZ"] / (24 * math.pi) * squares / model["WZ"]
        found = (
            cross_section(CrossSection(process(f"e+ e- > z h, z > {pair}", 1e3, beams=beams)))
            / undecayed
        )
        assert found == pytest.approx(share, rel=0.03)
        shares.append(found)
    assert sum(shares) < 1


@pytest.mark.parametrize(
    ("undecayed", "energy", "decays"),
    [
        ("e+ e- > w+ w-", 125.0, ("w- > j j", "w- > l- vl~", "w- > ta- vt~")),
        ("e+ e- > t t~", 250.0, ("t > b j j", "t > b l+ vl", "t > b ta+ vt")),
    ],
)
def test_all_decays_of_a_particle_add_up_to_the_undecayed_cross_section(
    undecayed: str, energy: float, decays: tuple[str, ...]
) -> None:
    """Up to 2 % off the mass shell, with widths at lowest order, and never more."""
    beams = {"pdf": "none", "energy": [energy] * 2}
    whole = cross_section(CrossSection(process(undecayed, beams=beams)))
    parts = [
        cross_section(CrossSection(process(f"{undecayed}, {decay}", 1e3, beams=beams)))
        for decay in decays
    ]
    assert 0.975 < sum(parts) / whole < 1
    assert parts[0] / whole == pytest.approx(2 / 3, rel=0.02)
