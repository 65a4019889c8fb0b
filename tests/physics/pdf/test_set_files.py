"""Files of sets of parton densities: their numbers, and what is said of malformed ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator
from small_pdf_set import INFO, MEMBER, X, hide_other_sets, write_set

from madnis_py.errors import PdfError
from madnis_py.physics.pdf.pdf import GridPdf, load_pdf


@pytest.fixture(autouse=True)
def _no_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_other_sets(tmp_path, monkeypatch)


def test_a_subgrid_of_two_scales_is_bilinear_in_the_logarithms(tmp_path: Path) -> None:
    pdf = GridPdf.from_folder(write_set(tmp_path / "small"))
    axes = (np.log([0.01, 0.1, 0.5, 1.0]), np.log([4.0, 16.0]))
    truth = RegularGridInterpolator(axes, np.arange(8.0).reshape(4, 2) + 0.5)
    x, q2 = np.geomspace(0.011, 0.99, 50), np.geomspace(4.1, 15.9, 50)
    np.testing.assert_allclose(pdf.density([21], x, q2)[:, 0], truth(np.log([x, q2]).T), rtol=1e-12)


def test_a_threshold_belongs_to_the_subgrid_above(tmp_path: Path) -> None:
    pdf = GridPdf.from_folder(write_set(tmp_path / "small"))
    below, at = pdf.density([21], np.full(2, 0.1), np.array([np.nextafter(4.0, 0), 4.0]))[:, 0]
    assert (below, at) == (pytest.approx(3.5), 2.5)


def test_negative_densities_are_kept_by_default(tmp_path: Path) -> None:
    pdf = GridPdf.from_folder(write_set(tmp_path / "small"))
    assert pdf.density([1], np.array([0.5]), 1.0)[0, 0] == pytest.approx(-0.4)


@pytest.mark.parametrize(("level", "minimum"), [(1, 0.0), (2, 1e-10)])
def test_force_positive_raises_negative_densities(
    tmp_path: Path, level: int, minimum: float
) -> None:
    pdf = GridPdf.from_folder(write_set(tmp_path / "small", INFO + f"ForcePositive: {level}\n"))
    assert pdf.density([1, 6], np.array([0.5]), 1.0).tolist() == [[minimum, 0.0]]


def test_a_member_is_named_behind_the_set(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "small")
    central, other = load_pdf(str(folder)), load_pdf(f"{folder}/1")
    assert (central.name, central.lhapdf_id, other.name, other.lhapdf_id) == (
        "small",
        4000,
        "small/1",
        4001,
    )
    at_knot = (np.array([0.01]), 1.0)
    assert (central.density([21], *at_knot)[0, 0], other.density([21], *at_knot)[0, 0]) == (
        0.5,
        0.7,
    )


def test_a_member_has_its_own_entries(tmp_path: Path) -> None:
    own = MEMBER.replace(
        "PdfType: central\n", "PdfType: central\nAlphaS_Vals: [0.6, 0.5, 0.5, 0.4]\n"
    )
    assert GridPdf.from_folder(write_set(tmp_path / "small", INFO, own)).alpha_s(1.0)[
        0
    ] == pytest.approx(0.6)


def test_lists_and_texts_may_go_over_several_lines(tmp_path: Path) -> None:
    info = INFO.replace("[21, 1]", "\n  - 21\n  - 1").replace(
        '"a small set"', '"a small\n  set: with a colon"'
    )
    folder = write_set(tmp_path / "small", "# comment\n\n" + info)
    assert GridPdf.from_folder(folder).member.pdg == (21, 1)
    assert load_pdf(str(folder)).density([1], np.array([1.0]), 1.0)[0, 0] == pytest.approx(-0.6)


def info_without(key: str) -> str:
    return "".join(line for line in INFO.splitlines(keepends=True) if not line.startswith(key))


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (info_without("Flavors"), None),  # they stand in the grid too
        (info_without("Format"), None),  # the member says it too
        (info_without("NumMembers"), r"bad\.info: expected the key NumMembers"),
        (info_without("AlphaS_Qs"), r"bad\.info: expected the key AlphaS_Qs"),
        (INFO.replace("4000", "many"), r"bad\.info:2: SetIndex: expected an integer; got 'many'"),
        (
            INFO.replace("[21, 1]", "21, 1"),
            r"bad\.info:5: Flavors: expected a list in brackets; got '21, 1'",
        ),
        (INFO.replace("[21, 1]", "[21, x]"), r"bad\.info:5: Flavors: expected a list of integers"),
        (
            INFO.replace("[21, 1]", "[21, 2]"),
            r"bad_0000\.dat:4: flavours: expected those of bad\.info",
        ),
        (
            INFO.replace("0.4,", "nan,"),
            r"bad\.info:8: AlphaS_Vals: expected finite numbers .*; got 'nan'",
        ),
        (
            INFO.replace("4.0]", "1e308]"),
            r"bad\.info:7: AlphaS_Qs: expected finite numbers .*; got '1e308'",
        ),
        (
            INFO.replace("0.5, ", ""),
            r"bad\.info:8: AlphaS_Vals: expected 4 numbers as in AlphaS_Qs; got 3",
        ),
        (INFO.replace("0.5,", "-0.5,"), r"bad\.info:8: AlphaS_Vals: expected positive numbers"),
        (
            INFO.replace("[1.0, 2.0", "[3.0, 2.0"),
            r"bad\.info:7: AlphaS_Qs: expected .* ascending order",
        ),
        (INFO + "ForcePositive: 3\n", r"bad\.info:10: ForcePositive: expected 0, 1 or 2; got 3"),
        (
            INFO + "Interpolator: linear\n",
            r"bad\.info:10: Interpolator: expected logcubic; got linear",
        ),
        (
            INFO + "Extrapolator: error\n",
            r"bad\.info:10: Extrapolator: expected continuation; got error",
        ),
        ("a line\n" + INFO, r"bad\.info:1: expected 'Key: value'; got 'a line'"),
    ],
)
def test_a_malformed_info_file_is_named_with_its_line(
    tmp_path: Path, info: str, message: str | None
) -> None:
    folder = write_set(tmp_path / "bad", info)
    if message is None:
        assert load_pdf(str(folder)).name == "bad"
        return
    with pytest.raises(PdfError, match=message):
        load_pdf(str(folder))


def cut(member: str, lines: int) -> str:
    return "".join(member.splitlines(keepends=True)[:lines])


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (
            "",
            r"bad_0000\.dat:1: expected a head and at least one subgrid, each ended by '---'; "
            r"the file is truncated",
        ),
        (cut(MEMBER, 3), r"bad_0000\.dat:4: expected a head and at least one subgrid"),
        (
            MEMBER.replace("---\n", "---\n---\n", 1),
            r"bad_0000\.dat:4: expected a subgrid before '---'; got nothing",
        ),
        (
            cut(MEMBER, 17),
            r"bad_0000\.dat:17: expected lines of x knots, Q knots, flavours and values",
        ),
        (cut(MEMBER, 20), r"bad_0000\.dat:20: expected 4 x 2 = 8 lines of values; got 2"),
        (
            cut(MEMBER, 26)[:-2],
            r"bad_0000\.dat:26: expected the end of a line; the file is truncated",
        ),
        (
            cut(MEMBER, 5) + "---\n",
            r"bad_0000\.dat:5: expected lines of x knots, Q knots, flavours and values",
        ),
        (
            MEMBER.replace("3.5 -3e-1\n", "", 1),
            r"bad_0000\.dat:13: expected 4 x 2 = 8 lines of values; got 7",
        ),
        (
            MEMBER.replace("3.5 -3e-1\n", "3.5\n", 1),
            r"bad_0000\.dat:10: expected 2 values, one per flavour; got 1",
        ),
        (
            MEMBER.replace("3.5 -3e-1\n", "3.5 a\n", 1),
            r"bad_0000\.dat:10: values: expected finite numbers .*; got 'a'",
        ),
        (
            MEMBER.replace("3.5 -3e-1\n", "inf 1\n", 1),
            r"bad_0000\.dat:10: values: expected finite numbers .*; got 'inf'",
        ),
        (
            MEMBER.replace(X, "0.01 0.5 0.1 1.0", 1),
            r"bad_0000\.dat:4: x knots: expected .* ascending order",
        ),
        (
            MEMBER.replace(X, "0.0 0.1 0.5 1.0"),
            r"bad_0000\.dat:4: x knots: expected at least 4 positive",
        ),
        (
            MEMBER.replace(X, "0.1 0.5 1.0"),
            r"bad_0000\.dat:4: x knots: expected at least 4 positive",
        ),
        (
            MEMBER.replace("1.0 2.0\n", "2.0 2.0\n", 1),
            r"bad_0000\.dat:5: Q knots: expected .* ascending order",
        ),
        (
            MEMBER.replace("\n2.0 4.0", "\n1.5 4.0"),
            r"bad_0000\.dat:16: Q knots: expected a subgrid above",
        ),
        (
            MEMBER.replace("21 1\n", "21 21\n"),
            r"bad_0000\.dat:6: flavours: expected 1 to 32 different PDG numbers",
        ),
        (
            MEMBER.replace(f"{X}\n2.0", "0.01 0.1 0.6 1.0\n2.0"),
            r"bad_0000\.dat:16: x knots: expected those of the first",
        ),
        (
            MEMBER.replace("4.0\n21 1", "4.0\n1 21"),
            r"bad_0000\.dat:16: flavours: expected those of the first",
        ),
        (
            MEMBER.replace("lhagrid1", "lhagrid2"),
            r"bad_0000\.dat:2: Format: expected lhagrid1; got lhagrid2",
        ),
    ],
)
def test_a_malformed_member_file_is_named_with_its_line(
    tmp_path: Path, member: str, message: str
) -> None:
    with pytest.raises(PdfError, match=message):
        load_pdf(str(write_set(tmp_path / "bad", INFO, member)))


def test_a_missing_member_file_is_named(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "bad")
    (folder / "bad_0001.dat").unlink()
    with pytest.raises(PdfError, match=r"bad_0001\.dat: cannot be read"):
        load_pdf(f"{folder}/1")


def test_a_member_beyond_the_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PdfError, match=r"bad\.info: expected a member 0\.\.1; got 2"):
        load_pdf(f"{write_set(tmp_path / 'bad')}/2")


def test_a_member_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "bad")
    (folder / "bad_0000.dat").write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(
        PdfError, match=r"bad_0000\.dat: expected text; got other bytes at position 0"
    ):
        load_pdf(str(folder))


def test_a_set_without_a_coupling_says_so_when_it_is_asked_for_one(tmp_path: Path) -> None:
    info = "".join(line for line in INFO.splitlines(keepends=True)[:5])
    with pytest.raises(
        PdfError, match=r"small\.info: expected a strong coupling: AlphaS_Type with a table, Lambda"
    ):
        load_pdf(str(write_set(tmp_path / "small", info))).alpha_s(100.0)
