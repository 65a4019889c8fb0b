"""Cards that are proposed for a process: finite, as few cuts as suffice, readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import call

from madnis_py.card import card as cards
from madnis_py.card.card import Card, parse_toml
from madnis_py.errors import CardError
from madnis_py.physics.divergences.divergences import divergences_of
from madnis_py.physics.divergences.proposed_card import card_text, name_of, proposed_card
from madnis_py.physics.process.process import Process

JET = {"pt_min": 20.0, "eta_max": 5.0}
PHOTON = LEPTON = {"pt_min": 10.0, "eta_max": 2.5}

CUTS = {
    "p p > t t~": {},
    "p p > z": {},
    "p p > z j, z > e+ e-": {"jet": JET},
    "p p > j j": {"jet": JET},
    "p p > e+ e-": {"lepton": {"sfos_mass_min": 10.0}},
    "e+ e- > mu+ mu- a": {
        "lepton": {"sfos_mass_min": 10.0},
        "photon": PHOTON,
        "lepton,photon": {"dr_min": 0.4},
    },
    "u u~ > g g g": {"jet": JET, "jet,jet": {"dr_min": 0.4}},
    "a a > e+ e-": {"lepton": LEPTON},
}
"""Definition -> the cuts that it needs."""


def cuts_of(card: Card) -> dict[str, dict[str, float]]:
    return {name: table.model_dump(exclude_unset=True) for name, table in card.cuts.by_name.items()}


@pytest.mark.parametrize("definition", CUTS)
def test_cuts_are_the_usual_ones_and_make_the_process_finite(definition: str) -> None:
    card = proposed_card([definition])
    assert cuts_of(card) == CUTS[definition]
    assert not divergences_of(Process.from_card(card))


@pytest.mark.parametrize("definition", [one for one, cuts in CUTS.items() if cuts])
def test_no_entry_of_the_cuts_is_superfluous(definition: str) -> None:
    card = proposed_card([definition])
    for name in card.cuts.by_name:
        rest = {other: table for other, table in cuts_of(card).items() if other != name}
        changed = Card.parse(card.model_dump(exclude_unset=True) | {"cuts": rest})
        assert divergences_of(Process.from_card(changed))


def test_the_text_of_a_card_says_the_same_as_the_card() -> None:
    for definitions in (["p p > z", "p p > z j"], ["e+ e- > mu+ mu-"], ["p p > a j"]):
        card = proposed_card(definitions)
        assert Card.parse(parse_toml(card_text(card), "card")).digest() == card.digest()


def test_leptons_are_beams_without_parton_densities() -> None:
    assert proposed_card(["e+ e- > mu+ mu-"]).beams.pdf == "none"
    assert proposed_card(["u u~ > mu+ mu-"]).beams.pdf != "none"


def test_a_final_state_without_colour_has_its_mass_as_scale() -> None:
    assert proposed_card(["p p > e+ e-"]).scales.factorization == "sqrt_s"
    assert proposed_card(["p p > e+ e-", "p p > e+ e- j"]).scales.factorization == "sum_mt/2"


def test_names_of_files_come_from_the_process() -> None:
    assert name_of("p p > z j, z > e+ e-") == "pp_zj_z_epem"
    assert name_of("u u~ > t t~ QED<=2 / h") == "uux_ttxQED__2_h"


def test_a_process_without_diagrams_is_refused() -> None:
    with pytest.raises(CardError, match="expected a process with tree diagrams"):
        proposed_card(["e+ e- > g g"])


def test_new_writes_a_card_and_never_over_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = call(["new", "p p > z j"], capsys, monkeypatch)
    assert (written.status, written.err) == (0, "")
    assert "card in pp_zj.toml: [beams] energy" in written.out
    assert cuts_of(cards.load(tmp_path / "pp_zj.toml")) == {"jet": JET}
    again = call(["new", "p p > z j"], capsys, monkeypatch)
    assert again.status == 2
    assert "expected a free place for the card" in again.err


def test_commands_take_a_process_in_quotes_and_tell_what_they_chose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = call(["diagrams", "u u~ > z g"], capsys, monkeypatch)
    assert told.status == 0
    assert '"diagrams": 2' in told.out
    assert "chosen for u u~ > z g: [beams] energy = [6500.0, 6500.0], pdf = " in told.err
    assert "jet = { pt_min = 20.0, eta_max = 5.0 }" in told.err
