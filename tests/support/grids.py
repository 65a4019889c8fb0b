"""Sets of parton densities in LHAPDF's format, written for tests."""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from madnis_py.arrays import Array

PYTHIA_GRIDS = Path(sysconfig.get_path("data")) / "share" / "Pythia8" / "pdfdata"

FLAVOURS = "Flavors: [{flavours}]\n"
COUPLING = """\
AlphaS_Type: ipol
AlphaS_Qs: [1.0, 10.0, 91.188, 1.0e+5]
AlphaS_Vals: [0.45, 0.18, 0.118, 0.06]
"""
INFO = 'SetDesc: "made for a test"\nSetIndex: 4000\nFormat: lhagrid1\nNumMembers: 1\n'


def write_set(folder: Path, info: str, *members: str) -> Path:
    """A set of given texts."""
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.info").write_text(info)
    for number, text in enumerate(members):
        (folder / f"{folder.name}_{number:04d}.dat").write_text(text)
    return folder


def grid_text(x: Sequence[float], q: Sequence[float], densities: Mapping[int, Array]) -> str:
    """A member.

    Args:
        x: ascending knots.
        q: ascending knots in GeV.
        densities: x f of each flavour, shape (len(x), len(q)) or one that becomes it.
    """
    columns = np.stack(
        [np.broadcast_to(values, (len(x), len(q))) for values in densities.values()], axis=2
    )
    lines = ["PdfType: central", "Format: lhagrid1", "---"]
    lines += [" ".join(f"{number:.10e}" for number in knots) for knots in (x, q)]
    lines.append(" ".join(map(str, densities)))
    lines += [
        " ".join(f"{value:.10e}" for value in row) for row in columns.reshape(-1, len(densities))
    ]
    return "\n".join([*lines, "---", ""])


def grid_of_pythia(name: str, folder: Path) -> Path:
    """A set made of a grid of Pythia, which has no info file.

    The test is skipped where there is none.

    Args:
        name: of the file, without _0000.dat.
        folder: in which the folder of the set is made.
    """
    files = [
        path
        for path in (PYTHIA_GRIDS / f"{name}_0000.dat", PYTHIA_GRIDS / f"{name}.dat")
        if path.exists()
    ]
    if not files:
        pytest.skip("no grids of Pythia here")
    return write_set(folder / name, INFO + COUPLING, files[0].read_text())


def grids_of_pythia() -> list[str]:
    """Names of Pythia's grids in LHAPDF's format; none where it is not installed."""
    files = sorted(PYTHIA_GRIDS.glob("*.dat"))
    return [
        path.stem.removesuffix("_0000") for path in files if b"lhagrid1" in path.read_bytes()[:300]
    ]
