"""LHAPDF's register of sets: the number of the central member of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

UNREGISTERED = 0
"""LHAPDF number of a set that has none in the register."""


@cache
def registered_sets() -> Mapping[int, str]:
    """LHAPDF's number of the central member -> name of the set.

    The index of LHAPDF 6.2.3 with later sets of ATLAS, CT, MSHT, NNPDF and PDF4LHC and of nuclei.
    """
    path = Path(str(files("madnis_py"))) / "data" / "lhapdf_sets.txt"
    rows = (line.split() for line in path.read_text().splitlines())
    return {int(number): name for number, name in rows}


def number_of_set(name: str) -> int:
    """LHAPDF's number of the central member of a set; 0 where it has none."""
    return next((number for number, one in registered_sets().items() if one == name), UNREGISTERED)
