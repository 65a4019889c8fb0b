"""SLHA files: numbers that a model asks for are read or refused, all else may be anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.slha import Slha, read_slha
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.process.process import Process

SPECTRUM = """\
# SUSY Les Houches Accord 2 - what spectrum generators write
Block SPINFO         # program information
     1   SOFTSUSY    # spectrum calculator
     2   4.1.9       # version number
     3   Point has mu < 0, see 6 173.0 of the manual
BLOCK DCINFO
     1   SDECAY
Block MODSEL
     1    1   # sugra
BLOCK MASS  # pole masses
\t6\t1.7250000D+02   # MT
        23   9.1D+01
   1000021   6.07713704E+02   # ~g
Block alpha   # effective Higgs mixing parameter
          -1.13825210e-01   # alpha
Block stopmix  # stop mixing matrix
  1  1     5.38075e-01   # O_{11}
  1  2     8.42898e-01   # O_{12}
Block au Q= 4.67034192e+02
  3  3    -4.98129778e+02
block yukawa
   6 .1700E+03
XSECTION  1.30E+04  2212 2212 2 1000021 1000021 # 13 TeV
  0  0  0  0  0  0  1.2  Prospino 2.1
DECAY   6  1.5d0   # top
   1.0   2   5   24
DECAY 1000021 Auto
"""


def card_at(folder: Path, content: str | bytes) -> Path:
    path = folder / "param_card.dat"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def slha_of(folder: Path, content: str | bytes) -> Slha:
    return read_slha(card_at(folder, content))


def model_of(folder: Path, content: str | bytes) -> Model:
    parameters = {"param_card": str(card_at(folder, content))}
    return model_from_card(
        Card.parse({"process": {"definition": "g g > t t~"}, "parameters": parameters})
    )


def test_a_whole_spectrum_gives_what_the_model_has_and_the_rest_is_left(tmp_path: Path) -> None:
    model = model_of(tmp_path, SPECTRUM)
    assert [model[name] for name in ("MT", "MZ", "ymt", "WT")] == [172.5, 91.0, 170.0, 1.5]


@pytest.mark.parametrize(
    "content",
    [
        b"BLOCK MASS # M\xf8ller\n 6 170.0\n",
        "BLOCK MASS # Møller\n 6 170.0\n",
        "\ufeffBLOCK MASS\n 6 170.0\n",
        "block Mass\r\n 6 1.7d2\r\n",
        "BLOCK MASS\r 6 +170.\r",
        "BLOCK MASS Q= 91.2\n\t6\t170.0# MT\n",
        "\tBlock mass\n6 170\n",
        b"BLOCK MASS # a comment\x85 6 180.0\n 6 170.0\n",
        "BLOCK MASS\n 6 170.0\nBLOCK MASS Q= 1000\n 6 1.7e2\n",
        "BLOCK MASS\n 6 170.0\n" + "BLOCK X\n 1 text\n" * 3000,
    ],
)
def test_encodings_line_ends_case_tabs_comments_and_exponents_do_not_matter(
    tmp_path: Path, content: bytes | str
) -> None:
    assert slha_of(tmp_path, content).value("MASS", 6) == 170.0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("DECAY 6 auto@NLO\n", 'line 1: DECAY 6: expected a width in GeV or Auto; got "auto@NLO"'),
        ("DECAY 6 Auto\nDECAY 6 1.4\n", 'line 2: DECAY 6: expected one value; got "1.4" beside'),
        ("DECAY 6\n", r'line 1: DECAY 6: expected a number; got ""'),
        ("BLOCK MASS\n 6 nan\n", r'line 2: BLOCK MASS 6: expected a number; got "nan"'),
        ("BLOCK MASS\n 6 inf\n", r'expected a number; got "inf"'),
        (f"BLOCK MASS\n 6 {'9' * 400}\n", r'expected a number; got "999.*\.\.\."'),
        ("BLOCK MASS\n 6 1_70.0\n", "expected a number"),
        ("BLOCK MASS\n 6 170.0 GeV\n", r'expected a number; got "170.0 GeV"'),
        (
            "BLOCK MASS\n 6 170.0\n 6 171.0\n",
            r"line 3: BLOCK MASS 6: expected one value; got 171 after 170 in line 2",
        ),
        (
            "DECAY 6 1.4\nDECAY 6 1.5\n",
            r"line 2: DECAY 6: expected one value; got 1.5 after 1.4 in line 1",
        ),
        ("BLOCK\n 6 170.0\n", "line 1: expected a name after BLOCK; got none"),
        (
            "BLOK MASS\n 6 170.0\n",
            r'line 1: expected BLOCK, DECAY or an entry of a block; got "BLOK MASS"',
        ),
        (
            "BLOCK SMINPUTS\n 3 0.118\nBLOK MASS\n 6 170.0\n",
            r'line 3: expected BLOCK, .*; got "BLOK MASS"',
        ),
        (" 6 170.0\n", r'line 1: expected BLOCK, DECAY or an entry of a block; got " 6 170.0"'),
        ("# nothing\n", "expected a param_card with BLOCK and DECAY; got neither"),
        ("", "expected a param_card with BLOCK and DECAY; got neither"),
    ],
)
def test_what_the_model_asks_for_and_cannot_read_is_named_with_its_line(
    tmp_path: Path, content: str, sentence: str
) -> None:
    with pytest.raises(CardError, match=f"param_card.dat: .*{sentence}"):
        model_of(tmp_path, content)


def test_what_it_does_not_ask_for_is_not_judged(tmp_path: Path) -> None:
    text = (
        "BLOCK MASS\n 6 170.0\n 1000021 heavy\n 35\n"
        "DECAY 1000021 Auto\nDECAY 36\nBLOCK ZPRIME\n 1 x\n"
    )
    assert model_of(tmp_path, text)["MT"] == 170.0


COMPLETE = """\
BLOCK SMINPUTS
 1 132.507
 2 1.16639e-05
 3 0.118
BLOCK MASS
 5 4.7
 6 173.0
 15 1.777
 23 91.188
 25 125.0
BLOCK YUKAWA
 5 4.7
 6 173.0
 15 1.777
DECAY 6 1.4915
DECAY 23 2.441404
DECAY 24 2.0476
DECAY 25 0.006382339
"""


def process_of(folder: Path, content: str, **parameters: float) -> Process:
    tables = {
        "process": {"definition": "u u~ > z z"},
        "beams": {"pdf": "none"},
        "parameters": {"param_card": str(card_at(folder, content)), **parameters},
    }
    return Process.from_card(Card.parse(tables))


def test_what_the_model_fills_in_is_told_beside_the_numbers_also_when_the_card_is_read_again(
    tmp_path: Path,
) -> None:
    assert process_of(tmp_path, COMPLETE).caveats == ()
    process = process_of(
        tmp_path, COMPLETE.replace("DECAY 23 2.441404\n", "").replace(" 3 0.118\n", "")
    )
    sentence = (
        "parameters: the param_card does not have these, the model has filled them in: "
        "aS = 0.118, WZ = 2.4414"
    )
    assert process.caveats == (sentence,)
    (tmp_path / "resolved.toml").write_text(process.card.to_toml())
    assert Process.from_card(tmp_path / "resolved.toml").caveats == (sentence,)
    assert process_of(tmp_path, COMPLETE.replace(" 3 0.118\n", ""), aS=0.13).caveats == ()


@pytest.mark.parametrize(
    ("name", "sentence"), [("a\0b", "null byte"), ("x" * 5000, "File name too long")]
)
def test_a_name_that_no_file_can_have_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(CardError, match=f"param_card; got: .*{sentence}"):
        read_slha(Path(name))
