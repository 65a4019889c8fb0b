from __future__ import annotations

from pathlib import Path

import pytest
from ufo_models import MODELS, installed, own

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.card_model import model_from_card

PLAIN = own("scalar_singlet-plain")


def test_values_of_the_card_become_defaults() -> None:
    values = {one.name: one.default for one in PLAIN.tables.parameters}
    assert values == {"aEWM1": 128.0, "MH": 125.0, "WH": 1.0, "kap12": 30.0, "kap22": 0.0}


def test_zeros_and_ones_are_numbers_but_for_widths() -> None:
    fixed = {(one.block, one.code): one.expression for one in PLAIN.tables.fixed}
    assert fixed["PORTAL", (1, 1)] == "0"
    assert fixed["YUKAWA", (13,)] == "1"
    assert PLAIN["ymm"] == 1.0
    assert PLAIN.width(25) == 1.0


def test_equal_values_of_a_block_are_one_parameter() -> None:
    heavier = own("scalar_singlet-plain", {"MH": 150.0})
    assert heavier.mass(9000005) == 150.0


def test_zero_couplings_drop_their_vertices_for_good() -> None:
    assert len(own("scalar_singlet").tables.vertices) == 5
    assert [vertex.particles for vertex in PLAIN.tables.vertices] == [
        ("mu+", "mu-", "a"),
        ("mu+", "mu-", "h"),
        ("h", "s", "s"),
    ]


def test_a_zero_that_is_kept_is_a_parameter_without_its_vertex() -> None:
    """As in MadGraph, where the value of the card decides about vertices."""
    assert "kap22" in PLAIN.parameters
    assert not [
        one
        for one in own("scalar_singlet-plain", {"kap22": 1.0}).vertices
        if "h h s s" in " ".join(one.particles)
    ]


def card(model: str, tmp_path: Path, param_card: str = "", **parameters: float) -> Card:
    table: dict[str, object] = dict(parameters)
    if param_card:
        (tmp_path / "param_card.dat").write_text(param_card)
        table["param_card"] = str(tmp_path / "param_card.dat")
    process = {"definition": "mu+ mu- > s s", "model": f"{MODELS}/{model}"}
    return Card.parse({"process": process, "parameters": table})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("BLOCK YUKAWA\n 13 0.5\n", "with 1 in YUKAWA 13, which .* fixes; got 0.5"),
        ("BLOCK PORTAL\n 1 1 0.5\n", "with 0 in PORTAL 1 1, which .* fixes; got 0.5"),
        ("BLOCK MASS\n 25 130\n 9000005 125\n", "with mass 130 of s; got 125"),
    ],
)
def test_a_param_card_that_contradicts_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CardError, match=sentence):
        model_from_card(card("scalar_singlet-plain", tmp_path, text))


def test_a_param_card_sets_entries_with_several_codes(tmp_path: Path) -> None:
    text = "BLOCK PORTAL\n 1 2 25.0\n 2 2 1\nBLOCK MASS\n 25 130\n 9000005 130\n"
    model = model_from_card(card("scalar_singlet-plain", tmp_path, text))
    assert (model["kap12"], model["kap22"], model.mass(25)) == (25.0, 1.0, 130.0)


def test_a_fixed_parameter_of_the_card_is_told(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"unknown parameter of model .*, where it is 1"):
        model_from_card(card("scalar_singlet-plain", tmp_path, ymm=0.5))


def test_the_default_restriction_counts_unless_full_is_asked_for() -> None:
    """Values of restrict_default.dat of the Standard Model, by MadGraph's rules."""
    default, full = (Model("sm", {}, installed(f"ufo_sm{end}")) for end in ("", "-full"))
    assert (default["MT"], default["MB"], default.mass(4)) == (173.0, 4.7, 0.0)
    assert (full["MT"], full["MB"], full.mass(4)) == (172.0, 4.7, 1.27)
    assert {"lamWS", "MC", "Me"} & {one.name for one in default.tables.parameters} == set()
    assert {"lamWS", "MC", "Me"} <= {one.name for one in full.tables.parameters}


@pytest.mark.parametrize(("end", "quarks"), [("", "d u s c"), ("-no_b_mass", "d u s c b")])
def test_protons_hold_what_the_restriction_leaves_massless(end: str, quarks: str) -> None:
    model = Model("sm", {}, installed(f"ufo_sm{end}"))
    expected = {"g", *quarks.split(), *(f"{one}~" for one in quarks.split())}
    assert set(model.multiparticles["p"]) == expected
