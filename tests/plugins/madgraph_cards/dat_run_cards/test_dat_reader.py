"""run_card.dat is read as MadGraph reads it; what is no value is named in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from run_cards import DAT, TOP, import_run_card, imported

from madnis_py.errors import CardError
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import (
    NEUTRAL,
    NEXT_TO_LEADING,
    REFUSED,
    TRANSLATED,
)
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import read_run_card


def test_every_known_entry_is_in_one_table() -> None:
    tables = (set(TRANSLATED), set(REFUSED), NEUTRAL, NEXT_TO_LEADING)
    assert len(set().union(*tables)) == sum(map(len, tables))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("20.0  = ptj ", "hard = ptj ", "run_card.dat: ptj: expected a number; got hard"),
        ("20.0  = ptj ", "nan = ptj ", "run_card.dat: ptj: expected a number; got nan"),
        ("20.0  = ptj ", "inf = ptj ", "run_card.dat: ptj: expected a number; got inf"),
        (
            "20.0  = ptj ",
            f"{'9' * 400} = ptj ",
            r"run_card.dat: ptj: expected a number; got 99.*\.\.\.",
        ),
        ("20.0  = ptj ", f"1e{'9' * 400} = ptj ", "run_card.dat: ptj: expected a number; got 1e9"),
        (
            "20.0  = ptj ",
            "[[20.0]] = ptj ",
            r"run_card.dat: ptj: expected a number; got \[\[20.0\]\]",
        ),
        ("20.0  = ptj ", "2_0 = ptj ", "run_card.dat: ptj: expected a number; got 2_0"),
        (
            ".false. = fixed_ren_scale",
            "maybe = fixed_ren_scale",
            "fixed_ren_scale: expected true or false; got maybe",
        ),
        ("20.0  = ptj ", "20.0 ptj ", "line .*: expected value = name; got"),
        ("20.0  = ptj ", " = ptj ", "run_card.dat: ptj: expected a number; got"),
        ("20.0  = ptj ", "20.0 = ", "line .*: expected value = name; got '20.0 ='"),
        ("20.0  = ptj ", "20.0 = pt j ", "line .*: expected value = name; got '20.0 = pt j'"),
        (
            "20.0  = ptj ",
            "{6: nan} = pt_min_pdg",
            "pt_min_pdg: expected a table {PDG code: number}; got {6: nan}",
        ),
        ("20.0  = ptj ", "{'a': 1} = pt_min_pdg", "pt_min_pdg: expected a table"),
        ("20.0  = ptj ", f"{'[' * 3000}{']' * 3000} = pt_min_pdg", "pt_min_pdg: expected a table"),
        (
            "20.0  = ptj ",
            "[[1]] = systematics_arguments\nT = use_syst",
            "systematics_arguments: expected a list",
        ),
        ("17   = iseed", "1.5 = iseed", "iseed: expected a whole number; got 1.5"),
        (
            "4 = maxjetflavor",
            "0 = maxjetflavor",
            "maxjetflavor: expected a whole number from 1 to 6; got 0",
        ),
        (
            "20000 = nevents",
            "-5 = nevents",
            "nevents: expected a whole number from 0 to .*; got -5",
        ),
        ("20000 = nevents", "many = nevents", "nevents: expected a number; got many"),
        (
            "6.8d3     = ebeam1",
            "-6.8d3 = ebeam1",
            r"beams.energy\[0\]: expected GeV >= 0; got -6800.0",
        ),
        (
            "91.188  = scale  ",
            "-1 = scale\nT = fixed_ren_scale",
            "scales.renormalization: expected GeV > 0 or one of",
        ),
    ],
)
def test_a_value_that_is_none_is_named_in_a_sentence(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in DAT
    text = (
        DAT.replace(old, new).replace("False = use_syst ", "False = use_syst2 ")
        if "use_syst" in new
        else DAT.replace(old, new)
    )
    if "fixed_ren_scale" in new:
        text = text.replace(".false. = fixed_ren_scale", "")
    with pytest.raises(CardError, match=sentence):
        imported(text.replace("use_syst2", "dummy"), tmp_path)


@pytest.mark.parametrize(
    "encode", [str.encode, lambda text: text.encode("utf-16"), lambda text: text[:40].encode()]
)
def test_files_that_are_no_run_card_are_refused(
    tmp_path: Path, encode: Callable[[str], bytes]
) -> None:
    (tmp_path / "run_card.dat").write_bytes(
        encode("# nothing at all in here, whatever it is\n" * 3)
    )
    with pytest.raises(CardError, match="expected lines value = name of a run card; got none"):
        import_run_card(tmp_path / "run_card.dat", TOP)


def test_encodings_line_ends_case_tabs_and_repetitions_do_not_matter(tmp_path: Path) -> None:
    expected, _ = imported(DAT, tmp_path)
    variants = [
        DAT.replace("\n", "\r\n").encode(),
        DAT.replace("rnd seed", "graine al\xe9atoire").encode("latin-1"),
        ("\ufeff" + DAT).encode(),
        DAT.upper().replace("MIN", "min").encode(),
        DAT.replace(" = ", "\t=\t").encode(),
        DAT.replace("20.0  = ptj ", "35.0 = ptj\n 20.0  = ptj ").encode(),
        DAT.replace("! minimum pt for the jets", "# minimum pt = 5 for the jets").encode(),
    ]
    for content in variants:
        (tmp_path / "variant.dat").write_bytes(content)
        assert import_run_card(tmp_path / "variant.dat", TOP)[0].digest() == expected.digest()


def test_values_are_read_as_fortran_writes_them() -> None:
    found = read_run_card(
        " 1d3 = ptj ! x\n T = use_syst\n 'lhapdf' = pdlabel\n -1 = IckkW".splitlines(), "card"
    )
    assert (
        found.number("ptj"),
        found.flag("use_syst"),
        found.text("pdlabel"),
        found.whole("ickkw"),
    ) == (
        1000.0,
        True,
        "lhapdf",
        -1,
    )
