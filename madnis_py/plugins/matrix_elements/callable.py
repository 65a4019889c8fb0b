"""Matrix elements from Python functions that take whole batches."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError, IntegrandError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.process.providers import MatrixElementRequest
from madnis_py.plugins.matrix_elements.adapter import ExternalElement, per_event

Function = Callable[[Array, Array], Any]


class CallableElement(ExternalElement):
    """|M|^2 from a function (p, alpha_s) -> me2, or -> (me2, squares).

    p are momenta in GeV, float64 (n, n_particles, 4), and alpha_s is float64 (n,), both read-only;
    me2 is averaged and summed, GeV^(8 - 2 n_particles), shape (n,); squares are |M_i|^2 in any
    common normalisation, (n, n_diagrams), in the order of our diagrams. Without squares those are
    ours.

    Args:
        function: importable, "module:function" or "path/file.py:function".
        own: our matrix element of the same process.
        probe: momenta to find the power of alpha_s with.

    Raises:
        InputError: there is no such function.
        IntegrandError: it returns something else.
    """

    def __init__(self, function: str, own: MatrixElement, probe: Array) -> None:
        super().__init__(own, function)
        self._probe, self._function = probe, imported(function)
        self.alpha_s_power = self.probe_power(probe)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.own, self._probe)

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """See `MatrixElement.evaluate`.

        Raises:
            IntegrandError: the function returned NaN, infinity or another shape.
        """
        me2, squares = self._results(p, per_event(alpha_s, p))
        if squares is None:
            squares = self.own.evaluate(p, alpha_s)[1]
        return self.require_finite(p, me2), squares

    def external_squared(self, p: Array, alpha_s: Array) -> Array:
        """See `ExternalElement.external_squared`."""
        return self._results(p, alpha_s)[0]

    def _results(self, p: Array, alpha_s: Array) -> tuple[Array, Array | None]:
        """|M|^2, and |M_i|^2 if the function returns them, with the right shapes."""
        result = self._function(_read_only(p), _read_only(alpha_s))
        me2, squares = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
        me2 = self._shaped(me2, (len(p),))
        return me2, None if squares is None else self._shaped(squares, (len(p), self.n_diagrams))

    def _shaped(self, array: Any, shape: tuple[int, ...]) -> Array:
        try:
            found = np.asarray(array, np.float64)
        except (TypeError, ValueError):
            raise IntegrandError(
                f"{self.name}: expected numbers; got {type(array).__name__}"
            ) from None
        if found.shape != shape:
            raise IntegrandError(f"{self.name}: expected shape {shape}; got {found.shape}")
        return found


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def imported(function: str) -> Function:
    """The function "module:name" or "path/file.py:name".

    Raises:
        InputError: there is none.
    """
    where, colon, name = function.rpartition(":")
    if not colon or not name.isidentifier():
        raise InputError(f'{function}: expected "module:function" or "file.py:function"')
    try:
        is_file = where.endswith(".py")
        module = _module_of_file(Path(where)) if is_file else importlib.import_module(where)
        found = getattr(module, name)
    except (ImportError, AttributeError, OSError) as error:
        raise InputError(
            f"{function}: expected a function that can be imported; got: {error}"
        ) from None
    if not callable(found):
        raise InputError(f"{function}: expected a function; got {type(found).__name__}")
    function_found: Function = found
    return function_found


def _module_of_file(path: Path) -> ModuleType:
    name = f"madnis_py_function_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def matrix_element(request: MatrixElementRequest) -> CallableElement:
    """The provider "python": `{ provider = "python", function = "module:function" }`.

    Raises:
        CardError: the card does not say which function, or has a key that is unknown here.
        InputError: see `CallableElement`.
    """
    request.allow("function")
    probe = generic_momenta(request.masses, len(request.reaction.incoming))
    return CallableElement(request.value("function"), request.own(), probe)
