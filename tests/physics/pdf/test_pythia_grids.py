"""Sets that come with Pythia, against Pythia itself and against a set with a complete info file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from places import SHARED

from madnis_py.errors import PdfError
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.pdf.pdf_sets import available_sets, missing_members
from madnis_py.physics.pdf.pythia_grids import pythia_folders, pythia_sets

pythia8mc = pytest.importorskip("pythia8mc")

NAMES = [one.name for one in pythia_sets()]


@pytest.mark.parametrize("name", ["NNPDF31_nnlo_as_0118_luxqed", "CT14qed_proton"])
def test_densities_are_those_of_pythia(name: str) -> None:
    pythia = pythia8mc.Pythia("", False)
    for setting in ("Print:quiet = on", f"PDF:pSet = LHAGrid1:{name}_0000.dat", "HardQCD:all = on"):
        pythia.readString(setting)
    pythia.init()
    theirs, ours = pythia.getPDFPtr(2212), load_pdf(name)
    for x, q2 in [(1e-3, 1e4), (0.1, 100.0), (0.3, 1e6)]:
        for flavour in (21, 1, 2, -3):
            own = ours.density([flavour], np.array([x]), q2).item()
            assert own == pytest.approx(theirs.xf(flavour, x, q2), rel=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_coupling_at_the_mass_of_the_z_is_that_of_the_name(name: str) -> None:
    digits = name.partition("_as_")[2].partition("_")[0]
    expected = float(f"0.{digits[1:]}") if digits else 0.118
    assert load_pdf(name).alpha_s(91.2**2).item() == pytest.approx(expected, rel=1e-4)


def test_every_set_is_listed_with_its_central_member_alone() -> None:
    assert len(NAMES) == 9
    listed = {one.name: one for one in available_sets()}
    assert all(listed[name].n_members == 1 for name in NAMES)
    assert missing_members(NAMES[0]) == []
    assert listed["NNPDF31_nnlo_as_0118_luxqed"].lhapdf_id == 325100
    assert listed["NNPDF23_lo_as_0130_qed"].lhapdf_id == 247000
    with pytest.raises(PdfError, match=r"expected a member 0\.\.0; got 1"):
        load_pdf(f"{NAMES[0]}/1")


def test_a_coupling_with_one_loop_is_the_table_of_a_set_at_leading_order() -> None:
    folder = SHARED / "pdf" / "NNPDF40_lo_as_01180"
    if not folder.is_dir():
        pytest.skip("needs NNPDF40_lo_as_01180")
    table, known = load_pdf(str(folder)), load_pdf("NNPDF31_lo_as_0118")
    for q in (2.0, 10.0, 91.2, 1000.0):
        ratio = (table.alpha_s(q * q) / known.alpha_s(q * q)).item()
        assert ratio == pytest.approx(1.0, abs=1e-4)


def test_folders_are_found_where_the_environment_names_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pdfdata").mkdir()
    monkeypatch.setenv("PYTHIA8DATA", str(tmp_path / "xmldoc"))
    assert pythia_folders()[0] == tmp_path / "pdfdata"
