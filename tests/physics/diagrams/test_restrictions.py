"""Required and forbidden s-channel particles, with MadGraph's meaning."""

from __future__ import annotations

from collections import Counter

import pytest
from amplitudes import reaction

from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.left_out import left_out
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model

MODEL = Model("sm")
VERTICES = VertexTable(MODEL)


def diagrams(text: str) -> tuple[Diagram, ...]:
    return diagrams_of(recursion_of(reaction(text, MODEL), VERTICES))


def shapes(text: str) -> Counter[object]:
    return Counter(diagram.tree.shape for diagram in diagrams(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("u u~ > z > e+ e-", 1),
        ("u u~ > a z > e+ e-", 0),
        ("u u~ > z|a > e+ e-", 2),
        ("u u~ > e+ e- $$ z", 1),
        ("u u~ > w+ w- $$ z a", 1),
        ("u d > u d QED=2 $$ w+ z a g", 4),  # they are all between the quarks
        ("u d > w+ > u d QED=2", 0),
        ("u d~ > w+ > u d~ QED=2", 1),
        ("u d~ > w- > u d~ QED=2", 0),
        ("d u~ > w- > d u~ QED=2", 1),
        ("e+ e- > w+ > e- ve~ u d~", 12),
        ("e+ e- > w- > e- ve~ u d~", 7),
        ("h > z > e+ e- mu+ mu-", 1),
        ("h > e+ e- mu+ mu- $$ z", 0),
        ("t > w+ > b e+ ve", 1),
        ("t > w- > b e+ ve", 0),
        ("t > b e+ ve $$ w-", 1),
        ("w+ w- > w+ w- / w+", 7),  # the contact of four W has no line of a W
    ],
)
def test_numbers_of_diagrams(text: str, count: int) -> None:
    assert recursion_of(reaction(text, MODEL), VERTICES).n_diagrams == len(
        diagrams(text) if count else ()
    )
    assert len(diagrams(text)) == count


@pytest.mark.parametrize("particle", ["z", "w+", "w-", "a"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("u u~ >", "e+ ve mu- vm~"),
        ("e+ e- >", "e- ve~ u d~"),
        ("g u >", "w+ d z"),
        ("h >", "e+ ve mu- vm~"),
        ("t >", "b e+ ve a"),
    ],
)
def test_every_diagram_either_has_a_particle_in_the_s_channel_or_not(
    particle: str, before: str, after: str
) -> None:
    required = shapes(f"{before} {particle} > {after} QED=99 QCD=99")
    forbidden = shapes(f"{before} {after} QED=99 QCD=99 $$ {particle}")
    every = shapes(f"{before} {after} QED=99 QCD=99")
    assert required + forbidden == every
    assert len(required) + len(forbidden) == len(every)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("u u~ > e+ e-", 0),
        ("u u~ > z > e+ e-", 1),
        ("u u~ > e+ e- mu+ mu- $$ z", 18),
        ("g g > t t~, (t > w+ > b e+ ve)", 0),
        ("u u~ > w+ w- $$ z a, w+ > e+ ve", 2),
        ("g g > g g / g", 3),
        ("g g > t t~ / t", 2),
    ],
)
def test_diagrams_that_are_left_out_are_counted(text: str, count: int) -> None:
    assert left_out(reaction(text, MODEL), VERTICES) == count


def test_the_lowest_orders_are_those_of_the_diagrams_that_are_left() -> None:
    (exchange,) = diagrams("u d~ > w+ > u d~")
    assert exchange.powers == (0, 2)
    assert {diagram.powers for diagram in diagrams("u d~ > u d~")} == {(2, 0)}


@pytest.mark.parametrize(
    ("text", "powers"),
    [
        ("w+ > u d~ u u~", {(0, 3), (2, 1)}),
        ("w+ > u d~ u u~ QED=1", {(2, 1)}),
        ("u d~ > w+ u u~", {(2, 1)}),
        ("t > b w+, w+ > u d~ u u~", {(2, 2)}),
    ],
)
def test_a_decay_by_itself_has_all_orders_as_in_madgraph(
    text: str, powers: set[tuple[int, int]]
) -> None:
    assert {diagram.powers for diagram in diagrams(text)} == powers
