"""A small set of parton densities, written by hand, and a machine with no others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from madnis_py.physics.pdf import pythia_grids

INFO = """\
SetDesc: "a small set"
SetIndex: 4000
Format: lhagrid1
NumMembers: 2
Flavors: [21, 1]
AlphaS_Type: ipol
AlphaS_Qs: [1.0, 2.0, 2.0, 4.0]
AlphaS_Vals: [0.5, 0.4,
  0.4, 0.3]
"""
X = "0.01 0.1 0.5 1.0"
ROWS = "".join(f"{i + 0.5} {-i}e-1\n" for i in range(8))
MEMBER = (
    f"PdfType: central\nFormat: lhagrid1\n---\n{X}\n1.0 2.0\n21 1\n{ROWS}---\n"
    f"{X}\n2.0 4.0\n21 1\n{ROWS}---\n"
)


def write_set(folder: Path, info: str = INFO, member: str = MEMBER) -> Path:
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.info").write_text(info)
    (folder / f"{folder.name}_0000.dat").write_text(member)
    (folder / f"{folder.name}_0001.dat").write_text(member.replace("0.5 0e-1", "0.7 0e-1"))
    return folder


def hide_other_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the shipped sets alone to be found."""
    monkeypatch.delenv("LHAPDF_DATA_PATH", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(sys.modules, "lhapdf", None)
    monkeypatch.setattr(pythia_grids, "_candidates", lambda: iter(()))
