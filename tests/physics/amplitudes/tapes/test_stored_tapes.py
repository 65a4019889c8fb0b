"""Tapes that reactions share, which must be those that each would have alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from amplitudes import reaction
from numpy.typing import NDArray

from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.tapes.amplitude_builder import AmplitudeTape
from madnis_py.physics.amplitudes.tapes.stored_tapes import ReactionTapes, StoredTapes
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[StoredTapes]:
    """The tapes that are built."""
    found: list[StoredTapes] = []
    build = StoredTapes.build

    def noted(tapes: StoredTapes) -> ReactionTapes:
        found.append(tapes)
        return build(tapes)

    monkeypatch.setattr(StoredTapes, "build", noted)
    return found


def amplitude(
    text: str, folder: Path | None, values: Mapping[str, float] = MappingProxyType({})
) -> TreeAmplitude:
    model = Model("sm", values)
    cache = None if folder is None else TapeCache(folder)
    return TreeAmplitude(reaction(text, model), model, cache=cache)


ALIKE = [
    ("u u~ > z g g", "d d~ > z g g"),
    ("g u > u c c~", "g d > d s s~"),
    ("g u > u s s~ QCD=99 QED=99", "g u > u b b~ QCD=99 QED=99"),
    ("d u~ > w- g g", "s c~ > w- g g"),
    ("u d~ > e+ ve g", "c s~ > ta+ vt g"),
    ("u u~ > e+ e- g", "d d~ > mu+ mu- g"),
    ("g g > b b~ g", "g g > c c~ g"),
    ("u u~ > w+ w- QED^2==4", "c c~ > w+ w- QED^2==4"),
    ("u u~ > t t~, (t > b w+, w+ > e+ ve)", "d d~ > t t~, (t > b w+, w+ > ta+ vt)"),
]
"""Reactions whose tapes differ in names alone, the masses of `MASSES` and `HEAVY` being these."""

MASSES = {"MTA": 0.0, "ymtau": 0.0, "MB": 0.0, "ymb": 0.0}
HEAVY = {"MB": 4.7, "ymb": 0.0, "MC": 1.5}


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_reactions_that_differ_in_names_share_a_tape_and_keep_their_values(
    first: str, second: str, tmp_path: Path, built: list[StoredTapes]
) -> None:
    values = HEAVY if first == "g g > b b~ g" else MASSES
    amplitude(first, tmp_path, values)
    shared = amplitude(second, tmp_path, values)
    assert len(built) == 1
    alone = amplitude(second, None, values)
    assert shared.identity == alone.identity
    assert shared.flows == alone.flows
    np.testing.assert_array_equal(shared.helicities, alone.helicities)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("u u~ > z g", "t t~ > z g"),  # a mass
        ("u u~ > e+ e-", "u u~ > ve ve~"),  # no photon
        ("u u~ > z z", "u u~ > a a"),  # a mass
        ("u u~ > g g", "u u~ > a a"),  # colour
        ("u u > u u", "u c > u c"),  # identical particles
        ("u u~ > z g", "u~ u > z g"),  # the other order
        ("u u~ > z g", "u u~ > z{0} g"),  # helicities
        ("u d > u d", "u s > u s QCD=0"),  # other vertices
        ("u u~ > w+ w-", "d d~ > w+ w-"),  # the W boson leaves on the other side
    ],
)
def test_reactions_that_differ_in_more_have_tapes_of_their_own(
    first: str, second: str, tmp_path: Path, built: list[StoredTapes]
) -> None:
    for text in (first, second):
        amplitude(text, tmp_path)
    assert len(built) == 2


def test_a_tape_made_where_other_helicities_vanish_is_not_taken(
    tmp_path: Path, built: list[StoredTapes], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = StoredTapes._live

    def none_of_the_first(tapes: StoredTapes, every: AmplitudeTape) -> NDArray[np.bool_]:
        found = live(tapes, every)
        return found & (every.helicities[:, 0] > 0) if tapes.legs[0].pdg == 2 else found

    monkeypatch.setattr(StoredTapes, "_live", none_of_the_first)
    first, second = (amplitude(text, tmp_path) for text in ("u u~ > z g", "d d~ > z g"))
    assert len(built) == 2
    assert len(second.helicities) == 2 * len(first.helicities)
    assert second.identity == amplitude("d d~ > z g", None).identity


@pytest.mark.parametrize(
    ("definition", "patterns"),
    [("p p > t t~ j", 4), ("p p > j j", 12)],
)
def test_a_process_builds_one_tape_per_pattern(
    definition: str,
    patterns: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    built: list[StoredTapes],
) -> None:
    """t t~ j comes from g g, q q~, g q and g q~ (q is a quark, r another one).

    j j: g g > g g; g g > q q~, g q, g q~ and q q~ > g g; q q, q r, q~ q~, q~ r~ and q r~ to
    themselves, q q~ to itself and to r r~.
    """
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path))
    process = Process.from_card(Card.parse({"process": {"definition": definition}}))
    _ = process.matrix_elements
    assert len(built) == len({tapes._pattern.text for tapes in built}) == patterns
