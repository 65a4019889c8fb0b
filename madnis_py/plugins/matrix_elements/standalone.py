"""Matrix elements from `output standalone` of MadGraph5_aMC@NLO, compiled for Python with f2py.

`make allmatrix2py.so` in the folder SubProcesses makes one module for all processes, `make
matrix2py.so` in a folder P* one for that process. Both take one point at a time and keep their
state for the whole process.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.process.providers import MatrixElementRequest
from madnis_py.plugins.matrix_elements.adapter import ExternalElement
from madnis_py.plugins.matrix_elements.separate_process import require_survival

_SUM_OF_HELICITIES = -1
"""Value of the argument nhel that asks for the sum over helicities."""

_TREE_LEVEL_SCALE = 0.0
"""Value of the argument scale2, which only loops depend on, in GeV^2."""

_TEST_COUPLING = 0.118
"""Strong coupling at which the precision of a module is measured."""

_LOCK = Lock()
"""Held while a module computes: the state of its Fortran code belongs to the whole process."""


class Standalone:
    """A module of `output standalone`, loaded and initialised with its parameters.

    Args:
        path: of the module: allmatrix2py.so or matrix2py.so.
        param_card: SLHA file.

    Raises:
        InputError: the file is no such module, or there is no param_card.
    """

    def __init__(self, path: Path, param_card: Path) -> None:
        self.path = path
        if not param_card.is_file():
            raise InputError(
                f"{param_card}: expected a param_card for {path}; there is no such file"
            )
        self._module = _load(path)
        names = [name for name in ("initialise", "initialisemodel") if hasattr(self._module, name)]
        if not names:
            raise InputError(
                f"{path}: expected a module of MadGraph's `output standalone`; it has no initialise"
            )
        getattr(self._module, names[0])(str(param_card))

    def function(self, pdg: Sequence[int]) -> Callable[[Array, float], float]:
        """|M|^2 of one process as a function of one point and alpha_s.

        Args:
            pdg: PDG codes of the legs, incoming first.

        Returns:
            function of momenta in GeV, float64 (4, n_particles) in Fortran order, and alpha_s.

        Raises:
            InputError: the module does not have the process, or a function with other arguments.
        """
        if hasattr(self._module, "smatrixhel"):
            self._require_process(pdg)
            call, values = (
                self._module.smatrixhel,
                {"pdgs": list(pdg), "procid": -1, "nhel": _SUM_OF_HELICITIES},
            )
        elif hasattr(self._module, "get_value"):
            call, values = self._module.get_value, {"nhel": _SUM_OF_HELICITIES}
        else:
            raise InputError(
                f"{self.path}: expected a function smatrixhel or get_value; got neither"
            )
        names = _arguments(call, self.path)
        values["scale2"] = _TREE_LEVEL_SCALE
        unknown = [name for name in names if name not in (*values, "p", "alphas")]
        if unknown:
            raise InputError(
                f"{self.path}: expected arguments that are known here; got {', '.join(unknown)}"
            )

        def at(point: Array, alpha_s: float) -> float:
            given = {**values, "p": point, "alphas": alpha_s}
            return float(call(*(given[name] for name in names)))

        return at

    def _require_process(self, pdg: Sequence[int]) -> None:
        """Refuse a process that is not in the list of the module, if it has one."""
        if not hasattr(self._module, "get_pdg_order"):
            return
        found = self._module.get_pdg_order()
        rows = np.asarray(found[0] if isinstance(found, tuple) else found)
        if list(pdg) not in [[int(code) for code in row[: len(pdg)]] for row in rows]:
            expected = f"expected a module with the process {list(pdg)}"
            raise InputError(f"{self.path}: {expected}; it has {rows.tolist()}")


class StandaloneElement(ExternalElement):
    """|M|^2 from a module of `output standalone`, point by point; |M_i|^2 are ours.

    Args:
        path: of the module.
        param_card: SLHA file.
        pdg: PDG codes of the legs, incoming first.
        own: our matrix element of the same process.
        probe: momenta to check the module with.
        precision: accepted relative error of |M|^2.

    Raises:
        InputError: the module cannot be used, or is less precise than declared.
        IntegrandError: it returns NaN or infinity at the first points.
    """

    def __init__(
        self,
        path: Path,
        param_card: Path,
        pdg: tuple[int, ...],
        own: MatrixElement,
        probe: Array,
        precision: float = 1e-4,
    ) -> None:
        super().__init__(own, str(path))
        self._arguments = (path, param_card, pdg, own, probe, precision)
        self._function = open_standalone(path, param_card).function(pdg)
        self.require_precision(probe, _TEST_COUPLING, precision)
        self.alpha_s_power = self.probe_power(probe)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments

    @property
    def identity(self) -> Hashable:
        """Module, parameters and process; see `MatrixElement.identity`."""
        path, param_card, pdg, own, *_ = self._arguments
        return "standalone", path, param_card, pdg, own.identity

    def external_squared(self, p: Array, alpha_s: Array) -> Array:
        """See `ExternalElement.external_squared`."""
        points = np.ascontiguousarray(p)
        with _LOCK:
            values = [
                self._function(point.T, float(one))
                for point, one in zip(points, alpha_s, strict=True)
            ]
        return np.array(values, np.float64)


_CARD_OF_MODULE: dict[Path, Path] = {}
"""The param_card of every module that this process has opened.

State of the module because it mirrors state of the process: the Fortran code keeps one set of
parameters, and two elements that believe in different ones would both get the later one.
"""


@cache
def open_standalone(path: Path, param_card: Path) -> Standalone:
    """A module with its parameters, initialised once in a process.

    Raises:
        InputError: it was loaded with other parameters before; see `Standalone`.
    """
    before = _CARD_OF_MODULE.setdefault(path, param_card)
    if before != param_card:
        raise InputError(
            f"{path}: expected one param_card in a process; got {before} and {param_card}"
        )
    return Standalone(path, param_card)


def try_module(library: str, param_card: str) -> None:
    """Load and initialise a module: what `require_survival` has another process do first."""
    Standalone(Path(library), Path(param_card))


def _load(path: Path) -> ModuleType:
    name = path.name.partition(".")[0]
    spec = spec_from_file_location(name, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise InputError(
            f"{path}: expected a Python module of MadGraph's `output standalone`; there is none"
        )
    try:
        module = module_from_spec(spec)
        sys.modules.setdefault(name, module)
        spec.loader.exec_module(module)
    except ImportError as error:
        raise InputError(f"{path}: expected a Python module; cannot import it: {error}") from None
    return module


def _arguments(function: Any, path: Path) -> list[str]:
    """Names of the required arguments of a function of f2py.

    From the first line of its documentation, "ans = f(pdgs,p,alphas,[npdg])".
    """
    found = re.search(r"\(([^)]*)\)", function.__doc__ or "")
    if found is None:
        raise InputError(
            f"{path}: expected a function whose documentation tells its arguments; got none"
        )
    required = found[1].partition("[")[0]
    return [name for name in re.split(r"[,\s]+", required) if name]


def matrix_element(request: MatrixElementRequest) -> StandaloneElement:
    """The provider "standalone".

    `{ provider = "standalone", library = "allmatrix2py.so", param_card = "..." }`.

    Raises:
        CardError: a key is missing, or unknown here.
        InputError: see `StandaloneElement`.
    """
    request.allow("library", "param_card")
    legs = request.reaction.legs
    probe = generic_momenta(request.masses, len(request.reaction.incoming))
    library, param_card = Path(request.value("library")), Path(request.value("param_card"))
    if library.suffix != ".py":
        require_survival(library, try_module, str(library), str(param_card))
    return StandaloneElement(
        library, param_card, legs, request.own(), probe, request.table.precision
    )
