"""Parton densities x f(x, Q^2) and the strong coupling that belongs to them.

Sets are folders in LHAPDF's format. They are looked for in this order:

1. a name that is a path of a folder with its info file;
2. the folders of the environment variable `LHAPDF_DATA_PATH`, separated by colons;
3. `lhapdf.paths()` where that module is installed;
4. the sets shipped with the package: `toy`.

A name may end in the number of a member, "SET/3"; "SET" is its member 0.
"""

from __future__ import annotations

import difflib
import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.card.card import expanded
from madnis_py.errors import PdfError
from madnis_py.physics.pdf.lhagrid import GLUON, PdfMember, member_file, read_member, read_set
from madnis_py.physics.pdf.running_coupling import running_coupling

SHIPPED = Path(str(files("madnis_py"))) / "data"
UNREGISTERED = 0  # no set has this number in LHAPDF's register
DOWNLOADS = "https://lhapdfsets.web.cern.ch/current"
_ANOTHER = f"Another one: `lhapdf install NAME`, or unpack {DOWNLOADS}/NAME.tar.gz in a folder of LHAPDF_DATA_PATH"
NOT_FOR_PREDICTIONS = "for tests, not for predictions"
CAVEAT = "parton densities:"

_MINIMUM = {0: -np.inf, 1: 0.0, 2: 1e-10}  # of the entry ForcePositive


class AbstractPdf(ABC):
    """The parton densities of one hadron and the strong coupling they were made with.

    Attributes:
        name: name of the set, with "/member" unless that is 0.
        lhapdf_id: LHAPDF's number of the member; 0 for a set without one.
        x_min, x_max: range of x of the grid.
        q_min, q_max: range of Q of the grid in GeV.
        coupling_range: of Q in GeV, where the strong coupling is known.
    """

    name: str
    lhapdf_id: int
    x_min: float
    x_max: float
    q_min: float
    q_max: float
    coupling_range: tuple[float, float]

    @abstractmethod
    def density(self, pdg: Sequence[int], x: Array, q2: Array | float) -> Array:
        """Momentum densities x f(x, Q^2).

        Outside the grid they are continued as LHAPDF's `continuation` does. They are 0 for x <= 0
        and x > x_max (where LHAPDF raises an error), and NaN where x or Q^2 is NaN or Q^2 is
        negative.

        Args:
            pdg: PDG numbers of the flavours, 21 or 0 for the gluon; a flavour that the set does not
                have is 0.
            x: momentum fractions, float64, contiguous, shape (n,).
            q2: squared factorisation scale in GeV^2, float64, shape (n,), or one number.

        Returns:
            x f(x, Q^2), float64, shape (n, len(pdg)).

        Raises:
            ValueError: wrong shape or dtype.
        """

    @abstractmethod
    def alpha_s(self, q2: Array | float) -> Array:
        """The strong coupling at given scales.

        Args:
            q2: squared renormalisation scale in GeV^2, float64, contiguous, shape (n,), or one
                number.

        Returns:
            alpha_s, float64, shape (n,), (1,) for one number; NaN where Q^2 is NaN or negative.

        Raises:
            PdfError: the set has no coupling that can be used.
        """


class GridPdf(AbstractPdf):
    """A member of a set in the format `lhagrid1`, evaluated by our own kernels.

    Between the knots the density is LHAPDF's log-bicubic interpolation, outside its `continuation`:
    a straight line of log f in log x below the grid, in log Q^2 above it (of f itself where that is
    below 1e-3), and a power law in Q^2 below it. The coupling is a cubic in log Q^2, a power law
    below its table and constant above it, or what `running_coupling` makes of the set.

    Args:
        member: what was read from the files.
        name: name of the set.
        lhapdf_id: LHAPDF's number of the member.

    Raises:
        PdfError: the set asks for what is not built in: another interpolation, an unknown
            ForcePositive; or the entries of its coupling cannot be used.
    """

    def __init__(self, member: PdfMember, name: str, lhapdf_id: int) -> None:
        _check_methods(member)
        self.member = member
        self.name = name
        self.lhapdf_id = lhapdf_id
        self.x_min, self.x_max = float(member.x[0]), float(member.x[-1])
        self.q_min, self.q_max = float(np.sqrt(member.q2[0])), float(np.sqrt(member.q2[-1]))
        self._column = {pdg: column for column, pdg in enumerate(member.pdg)}
        self._grid = _core.PdfGrid(member.x, member.q2, member.values, _minimum(member))
        self._coupling = running_coupling(member.metadata)
        known = self._coupling
        self.coupling_range = (known.q_min, known.q_max) if known else (self.q_min, self.q_max)

    @classmethod
    def from_folder(cls, folder: Path, member: int = 0) -> GridPdf:
        """Read a member of the set in a folder.

        Raises:
            PdfError: a file is missing or malformed.
        """
        data = read_member(folder, member)
        index = data.metadata.integer("SetIndex", UNREGISTERED)
        name = f"{folder.name}/{member}" if member else folder.name
        return cls(data, name, index + member if index > 0 else UNREGISTERED)

    def __reduce__(self) -> tuple[type[GridPdf], tuple[PdfMember, str, int]]:
        return GridPdf, (self.member, self.name, self.lhapdf_id)

    def density(self, pdg: Sequence[int], x: Array, q2: Array | float) -> Array:
        """Momentum densities; see `AbstractPdf.density`."""
        columns = [self._column.get(number or GLUON, -1) for number in pdg]
        return self._grid.density(columns, x, _per_point(q2, len(x)))

    def alpha_s(self, q2: Array | float) -> Array:
        """The strong coupling; see `AbstractPdf.alpha_s`."""
        if self._coupling is None:
            expected = (
                "expected a strong coupling: AlphaS_Type with a table, Lambda or a reference value"
            )
            raise PdfError(f"{self.member.metadata.file}: {expected}; got none")
        return self._coupling.coupling.evaluate(_per_point(q2, 1))


def _check_methods(member: PdfMember) -> None:
    for key, known in (("Interpolator", "logcubic"), ("Extrapolator", "continuation")):
        if member.metadata.text(key, known).lower() != known:
            raise member.metadata.error(key, f"expected {known}; got {member.metadata.text(key)}")


def _minimum(member: PdfMember) -> float:
    level = member.metadata.integer("ForcePositive", 0)
    if level not in _MINIMUM:
        raise member.metadata.error("ForcePositive", f"expected 0, 1 or 2; got {level}")
    return _MINIMUM[level]


def _per_point(q2: Array | float, count: int) -> Array:
    return np.full(count, float(q2)) if np.ndim(q2) == 0 else np.asarray(q2)


class LhapdfPdf(AbstractPdf):
    """A member of a set, evaluated by the installed LHAPDF library through its Python module, one point at a time.

    Args:
        name: name of the set, "SET" or "SET/member", as LHAPDF finds it.

    Raises:
        PdfError: the module `lhapdf` is not installed, or it cannot load the set.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._pdf = _lhapdf_member(name)
        self.lhapdf_id = max(int(self._pdf.lhapdfID), UNREGISTERED)
        self.x_min, self.x_max = float(self._pdf.xMin), float(self._pdf.xMax)
        self.q_min, self.q_max = float(np.sqrt(self._pdf.q2Min)), float(np.sqrt(self._pdf.q2Max))
        self.coupling_range = self.q_min, self.q_max

    def __reduce__(self) -> tuple[type[LhapdfPdf], tuple[str]]:
        return LhapdfPdf, (self.name,)

    def density(self, pdg: Sequence[int], x: Array, q2: Array | float) -> Array:
        """Momentum densities; see `AbstractPdf.density`."""
        result = np.zeros((len(x), len(pdg)))
        for row, x_here, q2_here in zip(result, x, _per_point(q2, len(x)), strict=True):
            row[:] = self._at(pdg, float(x_here), float(q2_here))
        return result

    def _at(self, pdg: Sequence[int], x: float, q2: float) -> ArrayLike:
        if np.isnan(x) or not q2 >= 0:
            return np.nan
        if not 0 < x <= self.x_max:
            return 0.0
        return [self._pdf.xfxQ2(number, x, q2) for number in pdg]

    def alpha_s(self, q2: Array | float) -> Array:
        """The strong coupling; see `AbstractPdf.alpha_s`."""
        return np.array(
            [
                self._pdf.alphasQ2(float(value)) if value >= 0 else np.nan
                for value in _per_point(q2, 1)
            ]
        )


def _lhapdf() -> ModuleType | None:
    try:
        return importlib.import_module("lhapdf")
    except ImportError:
        return None


def _lhapdf_member(name: str) -> Any:
    lhapdf = _lhapdf()
    if lhapdf is None:
        raise PdfError(
            f"{name}: the PDF backend 'lhapdf' needs the Python module lhapdf, which is not installed; "
            "'builtin' reads the same sets"
        )
    verbosity = lhapdf.verbosity()
    lhapdf.setVerbosity(0)  # it would write to standard output
    try:
        return lhapdf.mkPDF(name)
    except RuntimeError as error:
        raise PdfError(f"{name}: LHAPDF cannot load it: {error}") from error
    finally:
        lhapdf.setVerbosity(verbosity)


@dataclass(frozen=True)
class PdfSet:
    """A set on the search path.

    Attributes:
        name: name of the set.
        path: its folder.
        lhapdf_id: LHAPDF's number of its member 0; 0 for a set without one.
        description: the set's own words, or what is wrong with its info file.
        n_members: how many members it has, here or elsewhere.
        error_type: how they make an uncertainty, "replicas", "hessian", ...; "none" where the set
            does not say.
    """

    name: str
    path: Path
    lhapdf_id: int
    description: str
    n_members: int = 1
    error_type: str = "none"

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the members whose files are not in the folder."""
        return tuple(
            number
            for number in range(self.n_members)
            if not member_file(self.path, number).is_file()
        )

    @property
    def caveat(self) -> str:
        """What to say wherever results of this set are shown; empty for sets of others."""
        return NOT_FOR_PREDICTIONS if self.path.parent == SHIPPED else ""

    @classmethod
    def from_folder(cls, folder: Path) -> PdfSet:
        """Describe the set in a folder; a set that cannot be read says so in its description."""
        try:
            metadata = read_set(folder)
            index = metadata.integer("SetIndex", UNREGISTERED)
            n_members, error_type = (
                metadata.integer("NumMembers", 1),
                metadata.text("ErrorType", "none"),
            )
            return cls(
                folder.name, folder, index, metadata.text("SetDesc", ""), n_members, error_type
            )
        except PdfError as error:
            return cls(folder.name, folder, UNREGISTERED, str(error))


def load_pdf(name: str, backend: str = "builtin") -> AbstractPdf:
    """Load a member of a PDF set.

    Args:
        name: name of a set on the search path or path of its folder; "/3" behind it names the
            member 3.
        backend: "builtin" for our own interpolation, "lhapdf" for the installed library.

    Raises:
        PdfError: the set is not found, incomplete or corrupted; the backend is unknown or not
            installed.
    """
    if backend == "lhapdf":
        return LhapdfPdf(name)
    if backend != "builtin":
        raise PdfError(f"pdf backend: expected 'builtin' or 'lhapdf'; got {backend!r}")
    set_name, member = _split_member(name)
    return GridPdf.from_folder(_find_folder(set_name), member)


def pdf_set(name: str) -> PdfSet:
    """The set that a name as `load_pdf` takes it belongs to.

    Raises:
        PdfError: the set is not found.
    """
    return PdfSet.from_folder(_find_folder(_split_member(name)[0]))


def other_members(name: str) -> tuple[str, ...]:
    """The names of all members of a set that are there, but the named one.

    Raises:
        PdfError: the set is not found.
    """
    head, member = _split_member(name)
    found = pdf_set(name)
    numbers = sorted({*range(found.n_members)} - {*found.missing, member})
    return tuple(f"{head}/{number}" for number in numbers)


def missing_members(name: str) -> list[str]:
    """A sentence about the members of a set that are not there; nothing where all are.

    Raises:
        PdfError: the set is not found.
    """
    found = pdf_set(name)
    if not found.missing:
        return []
    lost = f'members {_spans(found.missing)} of "{found.name}" are not in {found.path}'
    return [f"systematics: {lost}; events go without their weights"]


def _spans(numbers: Sequence[int]) -> str:
    """Ascending numbers in words: "1 to 100, 103"."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1] = [spans[-1][0], number]
        else:
            spans.append([number])
    return ", ".join(" to ".join(map(str, span)) for span in spans)


def available_sets() -> list[PdfSet]:
    """The sets on the search path, by name; of two with the same name the one that is found first."""
    found: dict[str, Path] = {}
    for folder in search_folders():
        for info in sorted(folder.glob("*/*.info")):
            if info.stem == info.parent.name:
                found.setdefault(info.stem, info.parent)
    return [PdfSet.from_folder(found[name]) for name in sorted(found)]


def choices() -> str:
    """Which sets are there, and how to get another one: what to say where a card names none."""
    found = [f'"{one.name}"' + f" ({one.caveat})" * bool(one.caveat) for one in available_sets()]
    return f'Found: {", ".join(found)}. {_ANOTHER}. Beams that are single partons have pdf = "none"'


def caveats(names: Iterable[str]) -> list[str]:
    """Sentences about those of the named sets that are not for predictions, each beginning with `CAVEAT`.

    Raises:
        PdfError: a set is not found.
    """
    found = {one.name: one.caveat for one in map(pdf_set, names)}
    return [f'{CAVEAT} "{name}" is {caveat}' for name, caveat in found.items() if caveat]


def search_folders() -> list[Path]:
    """The folders in which sets are looked for, in this order."""
    named = [Path(entry) for entry in os.environ.get("LHAPDF_DATA_PATH", "").split(":") if entry]
    lhapdf = _lhapdf()
    installed = [Path(entry) for entry in lhapdf.paths()] if lhapdf else []
    return list(dict.fromkeys([*named, *installed, SHIPPED]))


def _split_member(name: str) -> tuple[str, int]:
    head, _, tail = name.rpartition("/")
    return (head, int(tail)) if head and tail.isdecimal() else (name, 0)


def _is_set(folder: Path) -> bool:
    return (folder / f"{folder.name}.info").is_file()


def _find_folder(name: str) -> Path:
    with suppress(OSError, ValueError):  # no file can have such a name: too long, or with NUL
        for folder in (expanded(name).resolve(), *(folder / name for folder in search_folders())):
            if _is_set(folder):
                return folder
    raise PdfError(_not_found(name))


def _not_found(name: str) -> str:
    names = [pdf_set.name for pdf_set in available_sets()]
    close = difflib.get_close_matches(name, names, n=1)
    way_out = f"; did you mean {close[0]}?" if close else f". {_ANOTHER}"
    folders = ", ".join(str(folder) for folder in search_folders())
    return (
        f"PDF set {name!r} is not in {folders}; found there: {', '.join(names) or 'none'}{way_out}"
    )
