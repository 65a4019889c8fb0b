"""Kernels of madnis_py in C++; topics in alphabetical order, one per cpp/<room>/bind_<topic>.cpp."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]

# amplitude

_Arrays = Mapping[str, NDArray[np.int32] | NDArray[np.float64]]

class AmplitudeTape:
    def __init__(self, arrays: _Arrays, average: float) -> None: ...
    def evaluate(
        self,
        p: _Array,
        alpha_s: _Array,
        helicities: _Array | None,
        flow_weights: bool,
        helicity_weights: bool,
        single: bool,
    ) -> tuple[_Array, _Array | None, _Array | None]: ...

class DiagramTape:
    def __init__(self, arrays: _Arrays) -> None: ...
    def evaluate(self, p: _Array, alpha_s: _Array) -> _Array: ...

# coupling

_Number = TypeVar("_Number", np.float32, np.float64)
_Block = tuple[Sequence[int], Sequence[tuple[int, int]]]

class _CouplingFlow(Generic[_Number]):
    def __init__(
        self,
        dim: int,
        n_channels: int,
        bins: int,
        min_bin_size: float,
        derivative_range: tuple[float, float],
        blocks: Sequence[_Block],
    ) -> None: ...
    def forward(
        self, parameters: Sequence[int], counts: Sequence[int], x: _Array
    ) -> tuple[_Array, _Array]: ...
    def inverse(
        self, parameters: Sequence[int], counts: Sequence[int], z: _Array
    ) -> tuple[_Array, _Array]: ...
    def backward(
        self,
        parameters: Sequence[int],
        counts: Sequence[int],
        x: _Array,
        grad_z: _Array | None,
        grad_log_jac: _Array,
    ) -> tuple[_Array, NDArray[_Number]]: ...

class CouplingFlow32(_CouplingFlow[np.float32]): ...
class CouplingFlow64(_CouplingFlow[np.float64]): ...

# cuts

class Cuts:
    def __init__(self, cuts: Sequence[tuple[str, Sequence[int], float, float]]) -> None: ...
    def passes(self, p: _Array) -> NDArray[np.bool_]: ...

# drell_yan

class DrellYan:
    def __init__(
        self,
        mediators: Sequence[tuple[float, float, tuple[float, float], tuple[float, float]]],
        legs: tuple[int, int, int, int],
        average: float,
    ) -> None: ...
    def evaluate(self, p: _Array) -> tuple[_Array, _Array]: ...

# lhe

_Columns = Mapping[str, NDArray[np.int32] | NDArray[np.float64]]

class LheError(ValueError): ...

def event_fault(columns: _Columns, on_shell: float) -> tuple[int, str, int] | None: ...
def lhe_events(
    text: bytes,
    weights: Sequence[str],
    listed: Sequence[int],
    before: int,
    most_rows: int,
    most_events: int,
) -> tuple[dict[str, Any], set[str], list[bytes], int, bool]: ...
def lhe_text(columns: _Columns, weight_tags: Sequence[str]) -> list[bytes]: ...

# observables

def observables(p: _Array, particles: Sequence[int]) -> _Array: ...

# pdf

class PdfGrid:
    def __init__(self, x: _Array, q2: _Array, values: _Array, minimum: float) -> None: ...
    def density(self, columns: Sequence[int], x: _Array, q2: _Array) -> _Array: ...

class AlphaSTable:
    def __init__(self, q2: _Array, values: _Array) -> None: ...
    def evaluate(self, q2: _Array) -> _Array: ...

# phase_space

class Invariant:
    def __init__(
        self, kind: str, mass: float, width: float, power: float, s_min: float, s_max: float
    ) -> None: ...
    def forward(self, z: _Array) -> tuple[_Array, _Array]: ...
    def inverse(self, s: _Array) -> tuple[_Array, _Array]: ...

class SChannel:
    def __init__(
        self,
        beam_energies: tuple[float, float],
        masses: tuple[float, float],
        invariant: Invariant,
        partonic: bool,
    ) -> None: ...
    def forward(self, x: _Array) -> tuple[_Array, _Array]: ...
    def inverse(self, p: _Array) -> tuple[_Array, _Array]: ...

# runtime

def arc_tangent(y: _Array, x: _Array) -> _Array: ...
def elementary(function: str, x: _Array) -> _Array: ...
def exp_float32(x: NDArray[np.float32]) -> NDArray[np.float32]: ...
def instruction_set() -> str: ...
def instruction_sets() -> list[str]: ...
def lane_width() -> int: ...
def set_thread_count(count: int) -> None: ...
def thread_count() -> int: ...

# topology

_Line = tuple[str, float, float, float, float, float]

class Topology:
    def __init__(
        self,
        beam_energies: tuple[float, float],
        partonic: bool,
        s_hat: _Line,
        s_range: tuple[float, float],
        clusters: Sequence[tuple[int, int, int, float, _Line]],
        top: Sequence[int],
        exchanges: Sequence[_Line],
        least_rest: Sequence[float],
        rest: _Line,
        legs: Sequence[int],
    ) -> None: ...
    def forward(self, x: _Array) -> tuple[_Array, _Array]: ...
    def inverse(self, p: _Array) -> tuple[_Array, _Array]: ...
