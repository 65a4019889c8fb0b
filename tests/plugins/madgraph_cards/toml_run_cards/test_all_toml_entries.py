"""Every entry of MadGraph 7's run card, alone at a value that is not its default.

It changes the card or what is said for the command line, or it is an error; only what is listed as
neutral changes nothing, and what is in no list is an error.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from run_cards import import_run_card

from madnis_py.errors import CardError
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_entries import NEUTRAL

DEFINITION = "p p > z j j, z > e+ e-"

CHANGED = [
    ("run", "seed = 3"),
    ("run", "dummy_matrix_element = true"),
    ("beam", "e_cm = 14000.0"),
    ("beam", "ebeam1 = 7000.0"),
    ("beam", "ebeam2 = 7000.0"),
    ("beam", "leptonic = true"),
    ("beam", 'pdf = "CT18NLO"'),
    ("beam", 'pdf1 = "CT18NLO"'),
    ("beam", 'pdf2 = "CT18NLO"'),
    ("beam", "fixed_ren_scale = true"),
    ("beam", "fixed_fact_scale = true"),
    ("beam", 'dynamical_scale_choice = "partonic_energy"'),
    ("beam", "scale_factor = 0.5"),
    ("generation", "events = 17"),
    ("generation", "systematics = false"),
    ("systematics", "enable = false"),
    ("systematics", "mur = [1, 2]"),
    ("systematics", "muf = [1, 2]"),
    ("systematics", "together = false"),
    ("systematics", 'dynamical_scale = ["partonic_energy"]'),
    ("systematics", 'pdf = ["central"]'),
    ("postprocessing", "time_of_flight = 0.0"),
    ("postprocessing", "systematics = true"),
    ("phasespace", 'sde_strategy = "denominators"'),
    ("phasespace", "bw_cutoff = 5.0"),
    ("cuts", "jet-pt.min = 30.0"),
    ("cuts", "jet-eta_abs.min = 1.0"),
    ("cuts", "jet-sum-mass.min = 30.0"),
    ("cuts", "sqrt_s.max = 900.0"),
]

BESIDE_OTHERS = [
    ("beam", "ren_scale = 100.0", "fixed_ren_scale = true"),
    ("beam", "fact_scale1 = 100.0", "fixed_fact_scale = true"),
    ("beam", "fact_scale2 = 100.0", "fixed_fact_scale = true"),
    ("phasespace", "cut_decays = true", "[cuts]\nlepton-pt.min = 30.0"),
    ("multiparticles", "jet = [21]", "[cuts]\njet-pt.min = 30.0"),
]


def outcome(folder: Path, text: str) -> object:
    """What a run card gives: a card with options, or an error."""
    (folder / "run_card.toml").write_text(text)
    try:
        card, rest = import_run_card(folder / "run_card.toml", DEFINITION)
    except CardError:
        return "error"
    return card.content(), rest.options


@pytest.mark.parametrize(("table", "entry"), CHANGED)
def test_an_entry_that_is_not_neutral_changes_the_card_or_is_an_error(
    tmp_path: Path, table: str, entry: str
) -> None:
    before = outcome(tmp_path, "")
    assert before != "error"
    assert outcome(tmp_path, f"[{table}]\n{entry}\n") != before


@pytest.mark.parametrize(("table", "entry", "beside"), BESIDE_OTHERS)
def test_an_entry_that_matters_beside_another_changes_the_card_or_is_an_error(
    tmp_path: Path, table: str, entry: str, beside: str
) -> None:
    before = outcome(tmp_path, f"[{table}]\n{beside}\n")
    assert before != "error"
    assert outcome(tmp_path, f"[{table}]\n{entry}\n{beside}\n") != before


@pytest.mark.parametrize(
    "table",
    [
        *("run", "gridpack", "beam", "generation", "systematics", "postprocessing", "vegas"),
        *("phasespace", "madnis", "something"),
    ],
)
def test_an_entry_that_is_in_no_list_is_an_error(tmp_path: Path, table: str) -> None:
    (tmp_path / "run_card.toml").write_text(f"[{table}]\nsomething = 1\n")
    with pytest.raises(CardError, match=rf"{table}\.something = 1: it is not known"):
        import_run_card(tmp_path / "run_card.toml", DEFINITION)


@pytest.mark.parametrize("name", sorted(NEUTRAL))
def test_what_is_neutral_is_silent(tmp_path: Path, name: str) -> None:
    table, _, key = name.partition(".")
    assert outcome(tmp_path, f"[{table}]\n{key} = 17\n") == outcome(tmp_path, "")
