"""Cuts of several processes in one card."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_cards import SMALL

from madnis_py.errors import CardError
from madnis_py.plugins.madgraph_cards.process_cards.card_files import MadGraphCards
from madnis_py.plugins.madgraph_cards.process_cards.cards_import import import_cards


def cuts(folder: Path, entries: str, *definitions: str) -> dict[str, dict[str, float]]:
    """The cuts of a run card for some processes."""
    (folder / "run_card.dat").write_text(SMALL + entries)
    lines = "".join(f"add process {text}\n" for text in definitions)
    (folder / "proc_card_mg5.dat").write_text(lines)
    files = MadGraphCards(process=folder / "proc_card_mg5.dat", run=folder / "run_card.dat")
    card, _ = import_cards(files, "toy")
    return {name: table.model_dump(exclude_none=True) for name, table in card.cuts.by_name.items()}


def test_a_cut_on_what_a_process_lacks_is_there_for_the_others(tmp_path: Path) -> None:
    entries = "0 = drjj\n0 = drjl\n5 = etaj\n0 = ptl\n-1 = etal\n0 = drll\n"
    found = cuts(tmp_path, entries, "p p > e+ e-", "p p > e+ e- j")
    assert found == {"jet": {"pt_min": 20.0, "eta_max": 5.0}}


def test_a_cut_that_another_process_must_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="the cut on pt_min of jet: some of the processes need it"):
        cuts(tmp_path, "5 = maxjetflavor\n0 = drjj\n", "p p > z j", "g g > b b~ g")


def test_a_cut_that_spares_the_decay_products_of_another_process_is_there(tmp_path: Path) -> None:
    one, other = "p p > z j, z > e+ e-", "p p > z w+, w+ > j j, z > e+ e-"
    found = cuts(tmp_path, "0 = drjj\n", one, other)
    assert found == {"jet": {"pt_min": 20.0, "eta_max": 5.0}}


def test_a_name_of_several_kinds_is_what_a_process_has_of_them(tmp_path: Path) -> None:
    entries = "100 = mmnl\n0 = ptl\n-1 = etal\n0 = drll\n0 = drjl\n-1 = etaj\n"
    alone = {"lepton|missing": {"system_mass_min": 100.0}, "jet": {"pt_min": 20.0}}
    assert cuts(tmp_path, entries, "p p > e+ ve j", "p p > mu+ vm j") == alone
    assert cuts(tmp_path, entries, "p p > e+ ve j", "p p > mu+ vm") == alone
    ranked = "5 = maxjetflavor\n0 = drjj\n-1 = etaj\n0 = ptj\n30 = xptj\n"
    with pytest.raises(CardError, match=r"the cut on pt_min of b\|b~\|g\[1\]: some of the"):
        cuts(tmp_path, ranked, "g g > z g", "g g > b b~ g")


def test_a_cut_on_a_rank_is_there_for_processes_with_so_many(tmp_path: Path) -> None:
    entries = "30 = ptj1min\n900 = ptj2max\n0 = drjj\n0 = ptj\n-1 = etaj\n"
    assert cuts(tmp_path, entries, "p p > z j", "p p > z j j") == {
        "jet[1]": {"pt_min": 30.0},
        "jet[2]": {"pt_max": 900.0},
    }


def test_a_process_that_a_cut_leaves_no_event_of_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "run_card.dat").write_text(SMALL + "100 = htjmin\n")
    (tmp_path / "proc_card_mg5.dat").write_text("generate p p > z\nadd process p p > z j\n")
    files = MadGraphCards(tmp_path / "proc_card_mg5.dat", run=tmp_path / "run_card.dat")
    card, rest = import_cards(files, "toy")
    assert card.process.definition == "p p > z j"
    assert "p p > z: no event passes htjmin = 100, left out" in rest.taken
    (tmp_path / "proc_card_mg5.dat").write_text("generate p p > z\n")
    with pytest.raises(CardError, match="htjmin = 100: it asks for one jet in every event"):
        import_cards(files, "toy")


@pytest.mark.parametrize(
    ("entry", "impossible", "possible"),
    [
        ("112 = htjmin", "p p > w+, w+ > j j", "p p > w+ j, w+ > j j"),
        ("112 = ihtmin", "p p > w+, w+ > j j", "p p > w+ j, w+ > j j"),
        ("200 = ht2min", "p p > w+, w+ > j j", "p p > j j"),
        ("100 = ptllmin", "p p > e+ e-", "p p > e+ e- j"),
        ("100 = ptllmin", "p p > vl vl~", "p p > vl vl~ j"),
        ("100 = ptllmin", "p p > w+, w+ > l+ vl", "p p > w+ j, w+ > l+ vl"),
    ],
)
def test_a_process_without_enough_transverse_momentum_is_left_out(
    tmp_path: Path, entry: str, impossible: str, possible: str
) -> None:
    """m_W + 15 Gamma_W is 111.15 GeV; particles alone balance each other."""
    uncut = "".join(f"0 = {name}\n" for name in ("ptj", "drjj", "ptl", "drll", "drjl"))
    (tmp_path / "run_card.dat").write_text(SMALL + uncut + f"-1 = etal\n-1 = etaj\n{entry}\n")
    process = tmp_path / "proc_card_mg5.dat"
    files = MadGraphCards(process, run=tmp_path / "run_card.dat")
    process.write_text(f"generate {impossible}\nadd process {possible}\n")
    card, rest = import_cards(files, "toy")
    assert card.process.definition == possible
    value, name = entry.split(" = ")
    assert f"{impossible}: no event passes {name} = {value}, left out" in rest.taken
    process.write_text(f"generate {impossible}\n")
    with pytest.raises(CardError, match=f"{name} = {value}: no event passes"):
        import_cards(files, "toy")


@pytest.mark.parametrize(
    ("entries", "definition"),
    [
        ("110 = htjmin\n", "p p > w+, w+ > j j"),
        ("115 = htjmin\n20 = bwcutoff\n", "p p > w+, w+ > j j"),
        ("112 = htjmin\n", "p p > z, z > j j"),
        ("1000 = htjmin\n", "p p > j j"),
        ("100 = ptllmin\n", "p p > e+ e- mu+ mu-"),
        ("100 = ptllmax\n", "p p > e+ e-"),
        ("100 = htjmax\n", "p p > w+, w+ > j j"),
    ],
)
def test_a_process_with_enough_transverse_momentum_stays(
    tmp_path: Path, entries: str, definition: str
) -> None:
    uncut = "".join(f"0 = {name}\n" for name in ("ptj", "drjj", "ptl", "drll", "drjl"))
    found = cuts(tmp_path, f"{uncut}-1 = etal\n-1 = etaj\n{entries}", definition)
    assert any("ht_min" in one or "ht_max" in one or "pt_sum" in str(one) for one in found.values())


def test_missing_momentum_is_asked_for_where_there_are_neutrinos(tmp_path: Path) -> None:
    entries = "50 = misset\n0 = ptl\n-1 = etal\n"
    assert cuts(tmp_path, entries, "p p > z, z > mu+ mu-") == {}
    found = cuts(tmp_path, entries, "p p > w+, w+ > e+ ve")
    assert found == {"event": {"missing_pt_min": 50.0}}
