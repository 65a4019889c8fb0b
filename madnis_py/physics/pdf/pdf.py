"""Parton densities x f(x, Q^2) and the strong coupling that belongs to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import PdfError
from madnis_py.physics.pdf.lhagrid import GLUON, PdfMember, read_member
from madnis_py.physics.pdf.lhapdf_index import UNREGISTERED
from madnis_py.physics.pdf.pdf_sets import find_set, lhapdf_module, split_member
from madnis_py.physics.pdf.running_coupling import AlphaS, running_coupling
from madnis_py.physics.pdf.set_files import SetFiles

_MINIMUM = {0: -np.inf, 1: 0.0, 2: 1e-10}
"""Smallest value of a density by the entry ForcePositive of a set."""


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

    Attributes:
        member: as given.
        grid: the densities in the form that kernels read.

    Raises:
        PdfError: the set asks for what is not built in: another interpolation, an unknown
            ForcePositive; or the entries of its coupling cannot be used.
    """

    def __init__(self, member: PdfMember, name: str, lhapdf_id: int) -> None:
        metadata = member.metadata
        for key, known in (("Interpolator", "logcubic"), ("Extrapolator", "continuation")):
            if metadata.text(key, known).lower() != known:
                raise metadata.error(key, f"expected {known}; got {metadata.text(key)}")
        level = metadata.integer("ForcePositive", 0)
        if level not in _MINIMUM:
            raise metadata.error("ForcePositive", f"expected 0, 1 or 2; got {level}")
        self.member = member
        self.name = name
        self.lhapdf_id = lhapdf_id
        self.x_min, self.x_max = float(member.x[0]), float(member.x[-1])
        self.q_min, self.q_max = float(np.sqrt(member.q2[0])), float(np.sqrt(member.q2[-1]))
        self._column = {pdg: column for column, pdg in enumerate(member.pdg)}
        self.grid = _core.PdfGrid(member.x, member.q2, member.values, _MINIMUM[level])
        self._coupling = running_coupling(metadata)
        self.coupling_range = (
            (self._coupling.q_min, self._coupling.q_max)
            if self._coupling
            else (self.q_min, self.q_max)
        )

    @classmethod
    def from_folder(cls, folder: Path, member: int = 0) -> GridPdf:
        """Read a member of the set in a folder.

        Raises:
            PdfError: a file is missing or malformed.
        """
        return cls.from_files(SetFiles.of_folder(folder), member)

    @classmethod
    def from_files(cls, files: SetFiles, member: int = 0) -> GridPdf:
        """Read a member of a set.

        Raises:
            PdfError: a file is missing or malformed.
        """
        data = read_member(files, member)
        index = data.metadata.integer("SetIndex", UNREGISTERED)
        name = f"{files.name}/{member}" if member else files.name
        return cls(data, name, index + member if index > 0 else UNREGISTERED)

    def __reduce__(self) -> tuple[type[GridPdf], tuple[PdfMember, str, int]]:
        return GridPdf, (self.member, self.name, self.lhapdf_id)

    def density(self, pdg: Sequence[int], x: Array, q2: Array | float) -> Array:
        """Momentum densities; see `AbstractPdf.density`."""
        return self.grid.density(self.columns(pdg), x, _per_point(q2, len(x)))

    def columns(self, pdg: Sequence[int]) -> list[int]:
        """Numbers of flavours in the grid, -1 for one that the set does not have."""
        return [self._column.get(number or GLUON, -1) for number in pdg]

    def alpha_s(self, q2: Array | float) -> Array:
        """The strong coupling; see `AbstractPdf.alpha_s`."""
        return self.coupling.evaluate(_per_point(q2, 1))

    @property
    def coupling(self) -> AlphaS:
        """The strong coupling at any scale.

        Raises:
            PdfError: the set has none.
        """
        if self._coupling is None:
            expected = (
                "expected a strong coupling: AlphaS_Type with a table, Lambda or a reference value"
            )
            raise PdfError(f"{self.member.metadata.file}: {expected}; got none")
        return self._coupling.alpha_s


def _per_point(q2: Array | float, count: int) -> Array:
    return np.full(count, float(q2)) if np.ndim(q2) == 0 else np.asarray(q2)


class LhapdfPdf(AbstractPdf):
    """A member of a set, evaluated by the installed LHAPDF library, one point at a time.

    Args:
        name: name of the set, "SET" or "SET/member", as LHAPDF finds it.

    Raises:
        PdfError: the module `lhapdf` is not installed, or it cannot load the set.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        lhapdf = lhapdf_module()
        if lhapdf is None:
            raise PdfError(
                f"{name}: the PDF backend 'lhapdf' needs the Python module lhapdf, which is not "
                "installed; 'builtin' reads the same sets"
            )
        verbosity = lhapdf.verbosity()
        lhapdf.setVerbosity(0)  # it would write to standard output
        try:
            self._pdf = lhapdf.mkPDF(name)
        except RuntimeError as error:
            raise PdfError(f"{name}: LHAPDF cannot load it: {error}") from error
        finally:
            lhapdf.setVerbosity(verbosity)
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
            if np.isnan(x_here) or not q2_here >= 0:
                row[:] = np.nan
            elif 0 < x_here <= self.x_max:
                row[:] = [self._pdf.xfxQ2(number, float(x_here), float(q2_here)) for number in pdg]
        return result

    def alpha_s(self, q2: Array | float) -> Array:
        """The strong coupling; see `AbstractPdf.alpha_s`."""
        return np.array(
            [
                self._pdf.alphasQ2(float(value)) if value >= 0 else np.nan
                for value in _per_point(q2, 1)
            ]
        )


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
    set_name, member = split_member(name)
    return GridPdf.from_files(find_set(set_name), member)
