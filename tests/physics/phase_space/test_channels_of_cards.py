"""Laws on the channels of shipped cards with several flavours or hundreds of channels.

The channels of the other cards are in `test_topology_mapping`. Channels of a group share their map.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import laws
import pytest
from channels import HADRONS, cases, masses

from madnis_py.card import card as cards
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.process.process import Process

FLAVOURS = {
    "ttbar": 3,
    "ttbar_pp_1j": 15,
    "dijet": 3,
    "z_1j": 6,
    "ww_leptons": 10,
    "higgs_ttbar": 8,
}
"""Cards with several flavours and the number of their channels, none of which are alike."""

MANY = {"w4j": ("g g > w+ d u~ g g", 108), "ttbar_3j": ("g g > t t~ g g g", 119)}
"""Cards with many channels: process and number of groups. One map in `EVERY` is looked at by
default."""

EVERY = 24

Maps = tuple[tuple[ChannelMapping, ...], Sequence[float]]
"""Mappings and the masses of the particles in GeV."""


@cache
def maps(card: str) -> Maps:
    """One mapping of each symmetry group."""
    return _of_groups(MANY[card][0]) if card in MANY else _of_channels(card)


def _of_channels(card: str) -> Maps:
    process = Process.from_card(cards.load(card))
    return tuple(channel.mapping for channel in process.channels), [
        process.model.mass(pdg) for pdg in process.flavours[0]
    ]


def _of_groups(definition: str) -> Maps:
    first = {case.channel.group: case for case in reversed(cases(definition, HADRONS))}
    return tuple(first[group].mapping() for group in sorted(first)), masses(definition)


def _places() -> list[object]:
    few = [
        pytest.param(card, k, id=f"{card}, {k}")
        for card, count in FLAVOURS.items()
        for k in range(count)
    ]
    many = [
        pytest.param(card, k, id=f"{card}, {k}", marks=[pytest.mark.slow] if k % EVERY else [])
        for card, (_, count) in MANY.items()
        for k in range(count)
    ]
    return [*few, *many]


places = pytest.mark.parametrize(("card", "number"), _places())


@pytest.mark.parametrize("card", [*FLAVOURS, *MANY])
def test_no_group_of_a_card_is_left_out(card: str) -> None:
    assert len(maps(card)[0]) == (MANY[card][1] if card in MANY else FLAVOURS[card])


@places
def test_inverse_undoes_forward(card: str, number: int) -> None:
    # A particle that is a million times softer than its sibling has its direction from a difference
    # of the others.
    laws.mapping_inverse_undoes_forward(maps(card)[0][number], 1e-9, worst=1e-8)


@places
def test_jacobian_agrees_with_finite_differences(card: str, number: int) -> None:
    laws.mapping_jacobian_agrees_with_finite_differences(maps(card)[0][number], HADRONS.energies)


@places
def test_particles_are_on_shell(card: str, number: int) -> None:
    mappings, expected = maps(card)
    laws.mapping_particles_are_on_shell(mappings[number], expected)


@places
def test_momentum_is_conserved(card: str, number: int) -> None:
    laws.mapping_conserves_momentum(maps(card)[0][number])


@places
def test_edges_of_the_cube_give_no_nan(card: str, number: int) -> None:
    laws.mapping_gives_no_nan_at_edges_of_the_cube(maps(card)[0][number])


@places
def test_jacobian_is_zero_outside_the_cube(card: str, number: int) -> None:
    laws.mapping_is_zero_outside_the_cube(maps(card)[0][number])
