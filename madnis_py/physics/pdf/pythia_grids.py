"""PDF sets that an installed Pythia brings: grids of their central members, without info files.

`pip install pythia8mc` puts them into `share/Pythia8/pdfdata` of the environment. What their info
files would say, the coupling above all, is known here for those that describe protons.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from madnis_py.physics.pdf.lhapdf_index import number_of_set
from madnis_py.physics.pdf.set_files import SetFiles


@dataclass(frozen=True)
class _Fit:
    """What a fit assumed about the strong coupling.

    Attributes:
        thresholds: where charm, bottom and top enter, in GeV.
        mass_z: where the coupling is given, in GeV.
    """

    thresholds: tuple[float, float, float]
    mass_z: float


_NNPDF23 = _Fit((1.4142135624, 4.75, 175.0), 91.2)
_NNPDF31 = _Fit((1.51, 4.92, 172.5), 91.2)
_CT14 = _Fit((1.3, 4.75, 172.0), 91.1876)

_LO, _NLO, _NNLO = 1, 2, 3

_KNOWN: Mapping[str, tuple[_Fit, int, float]] = {
    "NNPDF23_lo_as_0119_qed": (_NNPDF23, _LO, 0.119),
    "NNPDF23_lo_as_0130_qed": (_NNPDF23, _LO, 0.130),
    "NNPDF23_nlo_as_0119_qed": (_NNPDF23, _NLO, 0.119),
    "NNPDF23_nnlo_as_0119_qed": (_NNPDF23, _NNLO, 0.119),
    "NNPDF31_lo_as_0118": (_NNPDF31, _LO, 0.118),
    "NNPDF31_lo_as_0130": (_NNPDF31, _LO, 0.130),
    "NNPDF31_nlo_as_0118_luxqed": (_NNPDF31, _NLO, 0.118),
    "NNPDF31_nnlo_as_0118_luxqed": (_NNPDF31, _NNLO, 0.118),
    "CT14qed_proton": (_CT14, _NLO, 0.118),
}
"""Set -> its fit, the loops of the running coupling, and alpha_s at the mass of the Z."""


def pythia_sets() -> Iterator[SetFiles]:
    """The sets in an installed Pythia, by name; none where there is no Pythia."""
    for folder in pythia_folders():
        for name, facts in _KNOWN.items():
            found = SetFiles(folder, name, _entries(name, *facts))
            if found.info.is_file():
                yield found


def pythia_folders() -> list[Path]:
    """The folders of parton densities of an installed Pythia."""
    return [folder for folder in dict.fromkeys(_candidates()) if folder.is_dir()]


def _candidates() -> Iterator[Path]:
    if data := os.environ.get("PYTHIA8DATA"):  # names the folder of the settings, beside pdfdata
        yield Path(data).parent / "pdfdata"
    if module := _pythia_module():
        yield module.parents[3] / "share/Pythia8/pdfdata"  # PREFIX/lib/python3.x/site-packages
        yield Path(sys.prefix) / "share/Pythia8/pdfdata"


@cache
def _pythia_module() -> Path | None:
    """The file of Pythia's Python module, which is not imported."""
    found = find_spec("pythia8mc") or find_spec("pythia8")
    if found is None or found.origin is None or len(Path(found.origin).parents) < 4:
        return None
    return Path(found.origin)


def _entries(name: str, fit: _Fit, loops: int, alpha_s: float) -> tuple[str, ...]:
    charm, bottom, top = fit.thresholds
    return (
        f"SetDesc: {name}, its central member, as it comes with Pythia",
        f"SetIndex: {number_of_set(name)}",
        "Format: lhagrid1",
        "NumMembers: 1",
        "Particle: 2212",
        f"OrderQCD: {loops - 1}",
        "FlavorScheme: variable",
        "NumFlavors: 5",
        f"MZ: {fit.mass_z}",
        f"MCharm: {charm}",
        f"MBottom: {bottom}",
        f"MTop: {top}",
        "AlphaS_Type: ode",
        f"AlphaS_OrderQCD: {loops}",
        f"AlphaS_MZ: {alpha_s}",
    )
