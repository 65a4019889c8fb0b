"""Where sets of parton densities are looked for, and the installed LHAPDF in their place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from small_pdf_set import INFO, hide_other_sets, write_set

from madnis_py.errors import PdfError
from madnis_py.physics.pdf.pdf import LhapdfPdf, load_pdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED, available_sets


@pytest.fixture(autouse=True)
def _no_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_other_sets(tmp_path, monkeypatch)


# The search path


def test_toy_is_found_without_any_search_path() -> None:
    pdf = load_pdf("toy")
    assert (pdf.name, pdf.lhapdf_id) == ("toy", 0)
    assert [(found.name, found.path) for found in available_sets()] == [("toy", SHIPPED / "toy")]


def test_a_folder_comes_before_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "path" / "small", INFO.replace("4000", "1"))
    here = write_set(tmp_path / "here" / "small", INFO.replace("4000", "2"))
    monkeypatch.setenv("LHAPDF_DATA_PATH", str(tmp_path / "path"))
    assert (load_pdf("small").lhapdf_id, load_pdf(str(here)).lhapdf_id) == (1, 2)


def test_the_search_path_comes_in_order_before_lhapdf_and_the_shipped_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, (folder, name) in enumerate(
        [("a", "one"), ("b", "one"), ("b", "toy"), ("c", "toy"), ("c", "three")], 1
    ):
        write_set(tmp_path / folder / name, INFO.replace("4000", str(place)))
    monkeypatch.setenv("LHAPDF_DATA_PATH", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    monkeypatch.setitem(sys.modules, "lhapdf", SimpleNamespace(paths=lambda: [str(tmp_path / "c")]))
    assert {found.name: found.lhapdf_id for found in available_sets()} == {
        "one": 1,
        "toy": 3,
        "three": 5,
    }
    assert [load_pdf(name).lhapdf_id for name in ("one", "toy", "three")] == [1, 3, 5]


def test_an_unreadable_set_is_listed_with_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "bad", "nonsense\n")
    monkeypatch.setenv("LHAPDF_DATA_PATH", str(tmp_path))
    assert "expected 'Key: value'" in available_sets()[0].description


def test_an_unknown_set_is_answered_with_the_folders_and_the_closest_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "NNPDF40_lo")
    monkeypatch.setenv("LHAPDF_DATA_PATH", str(tmp_path))
    with pytest.raises(PdfError) as raised:
        load_pdf("NNPDF40_l0")
    assert str(raised.value) == (
        f"PDF set 'NNPDF40_l0' is not in {tmp_path}, {tmp_path / 'home/madnis_py/pdf'}, {SHIPPED}; "
        "found there: NNPDF40_lo, toy; did you mean NNPDF40_lo? `madnis-py pdf install "
        "NNPDF40_l0` fetches it from https://lhapdfsets.web.cern.ch/current"
    )
    with pytest.raises(
        PdfError,
        match=r"found there: NNPDF40_lo, toy\. `madnis-py pdf install CT18NLO` fetches it",
    ):
        load_pdf("CT18NLO")


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(PdfError, match="expected 'builtin' or 'lhapdf'; got 'other'"):
        load_pdf("toy", backend="other")


# The installed LHAPDF, replaced by a stand-in


class StandIn:
    """A member of LHAPDF as LhapdfPdf uses it: x f = pid x Q^2, alpha_s = 1 / Q^2."""

    lhapdfID, xMin, xMax, q2Min, q2Max = 331900, 1e-9, 1.0, 1.0, 1e10  # noqa: N815

    def xfxQ2(self, pid: int, x: float, q2: float) -> float:  # noqa: N802
        return pid * x * q2

    def alphasQ2(self, q2: float) -> float:  # noqa: N802
        return 1 / q2


def stand_in(make: Callable[[str], StandIn]) -> SimpleNamespace:
    loud = [1]
    return SimpleNamespace(
        paths=list,
        mkPDF=make,
        verbosity=lambda: loud[-1],
        setVerbosity=lambda level: loud.append(level),
    )


def test_lhapdf_is_silent_only_while_it_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[int] = []

    def make(name: str) -> StandIn:
        levels.append(module.verbosity())
        return StandIn()

    module = stand_in(make)
    monkeypatch.setitem(sys.modules, "lhapdf", module)
    load_pdf("SOME", backend="lhapdf")
    assert (levels, module.verbosity()) == ([0], 1)


def test_the_lhapdf_backend_evaluates_point_by_point(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def make(name: str) -> StandIn:
        asked.append(name)
        return StandIn()

    monkeypatch.setitem(sys.modules, "lhapdf", stand_in(make))
    pdf = load_pdf("SOME/3", backend="lhapdf")
    assert isinstance(pdf, LhapdfPdf)
    assert (asked, pdf.lhapdf_id, pdf.q_max) == (["SOME/3"], 331900, 1e5)
    xf = pdf.density([1, 2], np.array([0.5, 1.5, 0.0, np.nan]), np.array([4.0, 4.0, 4.0, 4.0]))
    np.testing.assert_array_equal(xf, [[2, 4], [0, 0], [0, 0], [np.nan, np.nan]])
    np.testing.assert_array_equal(pdf.alpha_s(np.array([4.0, -1.0])), [0.25, np.nan])


def test_the_lhapdf_backend_says_when_the_module_is_missing() -> None:
    with pytest.raises(PdfError, match="needs the Python module lhapdf, which is not installed"):
        load_pdf("toy", backend="lhapdf")


def test_the_lhapdf_backend_passes_on_why_a_set_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(name: str) -> StandIn:
        raise RuntimeError(f"Info file not found for PDF set '{name}'")

    monkeypatch.setitem(sys.modules, "lhapdf", stand_in(fail))
    with pytest.raises(PdfError, match="SOME: LHAPDF cannot load it: Info file not found"):
        load_pdf("SOME", backend="lhapdf")
