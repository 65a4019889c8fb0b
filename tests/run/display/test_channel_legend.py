"""Legend of the names of channels."""

from __future__ import annotations

import pytest

from madnis_py.run.display.channel_legend import channel_legend


def test_lines_and_numbers_are_explained_by_names_that_occur() -> None:
    legend = channel_legend(["g(3 t(4 5))", "5 -g- 4 -t- 3"], "g g > t t~ g QCD=3 @2")
    assert legend == [
        "t(4 5): a line of t that splits into 4 and 5",
        "5 -g- 4: 5 and 4 are emitted in this order from one beam to the other, with a line of g "
        "between them",
        "numbers: 3 t, 4 t~, 5 g",
    ]


@pytest.mark.parametrize(
    ("definition", "numbers"),
    [
        ("p p > z > e+ e- / a", "3 e+, 4 e-"),
        ("p p > t t~, t > w+ b", "outgoing particles in the order of the process, from 3 on"),
        ("p p > j j [QCD]", "3 j, 4 j"),
    ],
)
def test_numbers_are_particles_where_the_definition_has_no_decays(
    definition: str, numbers: str
) -> None:
    assert channel_legend(["z(3 4)"], definition)[-1] == f"numbers: {numbers}"


def test_numbers_of_a_decay_begin_at_two() -> None:
    assert channel_legend(["w+(3 4)"], "t > b e+ ve", n_incoming=1)[-1] == (
        "numbers: 2 b, 3 e+, 4 ve"
    )


def test_names_of_particles_alone_are_those_that_are_exchanged() -> None:
    assert channel_legend(["photon", "Z"], "p p > e+ e-") == [
        "named by the particle that is exchanged"
    ]
