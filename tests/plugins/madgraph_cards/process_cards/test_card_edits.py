"""Lines `set ...` behind launch: each is translated as MadGraph means it, or is a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from run_cards import translated

from madnis_py.card.card import Card
from madnis_py.errors import CardError

PROCESS = "generate p p > t t~\nlaunch\n"
FIXED = "set fixed_scale 91.188\n"
"""Scales that do not follow from the clustering of events."""


def edited(lines: str, folder: Path, force: bool = False) -> Card:
    return translated(PROCESS + FIXED + lines, folder, force=force)[0]


WIDTHS = dict.fromkeys(("WT", "WZ", "WW", "WH"), "auto")


@pytest.mark.parametrize(
    ("lines", "parameters"),
    [
        ("set decay 6 auto", {"WT": "auto"}),
        ("set param_card DECAY 6 Auto", {"WT": "auto"}),
        ("set width 6 AUTO", {"WT": "auto"}),
        ("set wt auto", {"WT": "auto"}),
        ("set wt = auto", {"WT": "auto"}),
        ("set width all auto", WIDTHS),
        ("set wt auto\nset decay 6 1.5", {"WT": 1.5}),
        ("compute_widths t w-", {"WT": "auto", "WW": "auto"}),
        ("compute_widths 23 h\nset wz 2.4", {"WZ": 2.4, "WH": "auto"}),
        ("set mt 175\ncompute_widths all", {"MT": 175.0, **WIDTHS}),
        ("set mt=172.5", {"MT": 172.5}),
        ("set mass mt 172.5", {"MT": 172.5}),
        ("set as 0.12\nset sminputs 3 0.119", {"aS": 0.119}),
        ("set yukawa all 0", {"ymb": 0.0, "ymt": 0.0, "ymtau": 0.0}),
        ("set mass 1 0\nset decay 5 0\nset mass 250 80", {}),
    ],
)
def test_lines_that_set_parameters(
    tmp_path: Path, lines: str, parameters: dict[str, float | str]
) -> None:
    assert edited(lines, tmp_path).parameters.overrides == {
        name: value for name, value in parameters.items() if value != "auto"
    }
    automatic = {name for name, value in parameters.items() if value == "auto"}
    assert set(edited(lines, tmp_path).parameters.automatic) == automatic


@pytest.mark.parametrize(
    ("lines", "combine", "lists"),
    [
        ("set mass 6 scan:[170, 172.5]", "product", {"parameters.MT": (170.0, 172.5)}),
        (
            "set param_card mass 6 scan:range(170,173)\nset wt scan:[1.4]",
            "product",
            {"parameters.MT": (170.0, 171.0, 172.0), "parameters.WT": (1.4,)},
        ),
        (
            "set mt scan1:[170,175]\nset ymt scan1:[170,175]",
            "zip",
            {"parameters.MT": (170.0, 175.0), "parameters.ymt": (170.0, 175.0)},
        ),
    ],
)
def test_lists_of_values_are_a_scan(
    tmp_path: Path, lines: str, combine: str, lists: dict[str, Sequence[float]]
) -> None:
    scan = edited(lines, tmp_path).scan
    assert scan is not None
    assert (scan.combine, scan.lists) == (combine, lists)
    assert edited(f"{lines}\nset mt 170\nset wt 1.4\nset ymt 170", tmp_path).scan is None


def test_widths_that_a_restriction_fixes_are_not_computed(tmp_path: Path) -> None:
    text = "import model sm-no_widths\n" + PROCESS + FIXED
    for line in ("set wt auto", "compute_widths all"):
        with pytest.raises(CardError, match="WT is 0 in this restriction of the model"):
            translated(text + line, tmp_path)


def test_lines_that_set_entries_of_the_run_card(tmp_path: Path) -> None:
    def after(lines: str) -> Card:
        return translated("generate p p > z j\nlaunch\n" + FIXED + lines, tmp_path)[0]

    assert after("set lhc 14").beams.energy == (7000.0, 7000.0)
    assert after("set lhc 1.4D1").beams.energy == (7000.0, 7000.0)
    assert after("set ebeam 4000").beams.energy == (4000.0, 4000.0)
    assert after("set run_card ebeam1 = 4000").beams.energy == (4000.0, 6500.0)
    assert after("set ebeam1=4000").beams.energy == (4000.0, 6500.0)
    assert after("set fixed_scale 80").scales.factorization == 80.0
    assert after("set no_parton_cut\nset run_card ptj 30").cuts.by_name.keys() == {"jet"}
    assert "jet" not in after("set run_card nocut T").cuts.by_name
    assert after("set pbpb").beams.particle == ("1000822080", "1000822080")
    assert after("set sde_strategy 2").channels.prior == "propagator"
    assert after("set systematics_arguments ['--mur=1,2', '--muf=1,2']").systematics.scale_factors


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("set decay 6 auto@NLO", "widths are computed at lowest order here"),
        ("set width 6 Auto@NLO", "widths are computed at lowest order here"),
        ("set wt auto_nlo", "widths are computed at lowest order here"),
        ("set width 6 auto 0", "the Standard Model has no such parameter"),
        ("set mass 6 auto", "only widths of the model are computed"),
        ("set decay 5 auto", "only widths of the model are computed"),
        ("set mass 6 default", "it is what MadGraph wrote into the card"),
        ("set run_card default", "it is what MadGraph wrote into the card"),
        ("set ptj default", "it is what MadGraph wrote into the card"),
        ("set mass 6 scan:[a, b]", "it is no list of numbers"),
        ("set mass 6 scan:[i for i in range(3)]", "it is no list of numbers"),
        ("set mass all scan:[1, 2]", "it is not one parameter of the model"),
        ("set mass 13 scan:[0, 0.1]", "it is not one parameter of the model"),
        ("set mt scan:[1, 2]\nset ymt scan1:[1, 2]", "all go together, or each goes by itself"),
        ("set mt scan1:[1, 2]\nset ymt scan1:[1]", "all go together, or each goes by itself"),
        ("set sminputs 1 6", "expected aEWM1, Gf and MZ that give a real mass of the W"),
        ("set ebeam1 scan:[6500, 7000]", "expected a number; got scan"),
        ("set mass 0", "the Standard Model has no such parameter"),
        ("set mass top 0", "the Standard Model has no such parameter"),
        ("set mass 1 2 0", "the Standard Model has no such parameter"),
        ("set mass 1 2", "the Standard Model has no such parameter"),
        ("set mt 172 GeV", "its value is no number"),
        ("set lhc 13 TeV", "its value is no number"),
        ("set lhc", "it is not known, what it changes"),
        ("set fixed_scale mz", "its value is no number"),
        ("set cm_velocity 0.5", "the Standard Model has no such parameter"),
        ("set run_card mt 172", "mt = 172: it is not known"),
        ("set run_card ptj=30", "ptj=30 = : it is not known"),
        ("set param_card ptj 30", "the Standard Model has no such parameter"),
        ("compute_widths t --body_decay=3", "its options are not known"),
        ("compute_widths b", "the Standard Model has no width of b"),
        ("set =", "it is not known, what it changes"),
        ("compute_widths t\nset mt scan:[170, 175]", "MadGraph has computed widths before it"),
        ("compute_widths t\nset mt 175", "MadGraph has computed widths before it"),
    ],
)
def test_a_line_that_means_something_else_is_a_sentence_and_with_force_it_is_left(
    tmp_path: Path, line: str, sentence: str
) -> None:
    with pytest.raises(CardError, match=sentence):
        edited(line, tmp_path)
    if "expected" not in sentence:
        *before, _ = line.split("\n")
        assert edited(line, tmp_path, force=True) == edited("\n".join(before), tmp_path)
