"""Kernels of madnis_py in C++, topics in alphabetical order; see cpp/<room>/bind_<topic>.cpp."""

from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]

# amplitude

AUXILIARY_STATE: Final[int]
CHOSEN_HELICITY: Final[int]
MOMENTUM_HELICITY: Final[int]
SCALAR_NUMBERS: Final[int]
WAVE_NUMBERS: Final[int]
WIDE_NUMBERS: Final[int]
MOMENTUM_COMPONENT: Final[int]
TAPE_COLUMNS: Final[dict[str, tuple[str, ...]]]

class WaveKind(IntEnum):
    scalar = 0
    vector = 1
    ket = 2
    bra = 3
    tensor = 4
    vector_ket = 5
    vector_bra = 6

class Operation(IntEnum):
    ffv_vector = 0
    ffv_ket = 1
    ffv_bra = 2
    ffs_scalar = 3
    ffs_ket = 4
    ffs_bra = 5
    vvv = 6
    vvvv = 7
    vvs_scalar = 8
    vvs_vector = 9
    vvss_scalar = 10
    vvss_vector = 11
    sss = 12
    ssss = 13
    vss_scalar = 14
    vss_vector = 15
    tensor = 16

class Finish(IntEnum):
    raw = 0
    scalar = 1
    vector = 2
    massive_vector = 3
    ket = 4
    bra = 5
    polarised_vector = 6
    polarised_ket = 7
    polarised_bra = 8
    tensor = 9
    vector_ket = 10
    vector_bra = 11
    factor = 12
    complex_vector = 13
    complex_ket = 14
    complex_bra = 15

class StepFunction(IntEnum):
    product = 0
    inverse = 1
    root = 2
    exponential = 3
    logarithm = 4
    conjugated = 5
    choice = 6

def state_bit(state: int) -> int: ...

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
    def image(self, address: int) -> bytes: ...
    @property
    def workspace_numbers(self) -> int: ...

class DiagramTape:
    def __init__(self, arrays: _Arrays) -> None: ...
    def evaluate(self, p: _Array, alpha_s: _Array) -> _Array: ...
    def image(self, address: int) -> bytes: ...
    @property
    def workspace_numbers(self) -> int: ...

# clustering

_ClusterLine: TypeAlias = tuple[int, int, bool, float, float, int]

class Clustering:
    def __init__(
        self,
        *,
        legs: Sequence[int],
        masses: Sequence[float],
        colours: Sequence[int],
        diagrams: Sequence[tuple[int, Sequence[_ClusterLine]]],
        max_jet_flavour: int,
        window: float,
        hadrons: bool,
        xqcut: float,
        coupling_flavour: int,
    ) -> None: ...
    def scales(self, p: _Array, diagram: NDArray[np.int64]) -> tuple[_Array, NDArray[np.bool_]]: ...
    def nodes(self, p: _Array, diagram: NDArray[np.int64]) -> dict[str, Any]: ...

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
    def image(self, address: int) -> bytes: ...
    @property
    def n_blocks(self) -> int: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def transform_rows(self) -> int: ...
    @property
    def backward_rows(self) -> int: ...

class CouplingFlow32(_CouplingFlow[np.float32]): ...
class CouplingFlow64(_CouplingFlow[np.float64]): ...

TILE_NUMBERS: Final[int]

# drell_yan

class DrellYan:
    def __init__(
        self,
        mediators: Sequence[tuple[float, float, tuple[float, float], tuple[float, float]]],
        legs: tuple[int, int, int, int],
        average: float,
    ) -> None: ...
    def evaluate(self, p: _Array) -> tuple[_Array, _Array]: ...
    def image(self, address: int) -> bytes: ...

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

_Cut: TypeAlias = tuple[str, Sequence[int], float, float]
_RankedCut: TypeAlias = tuple[str, Sequence[tuple[Sequence[int], int]], float, float]
_Isolation: TypeAlias = tuple[int, Sequence[int], float, float, float]
_CutSet: TypeAlias = tuple[Sequence[_Cut], Sequence[_RankedCut], Sequence[_Isolation]]

class Cuts:
    def __init__(self, cuts: Sequence[_Cut], isolations: Sequence[_Isolation]) -> None: ...
    def passes(self, p: _Array) -> NDArray[np.bool_]: ...

class Selection:
    def __init__(
        self, *, n_particles: int, common: _CutSet, further: Sequence[_CutSet]
    ) -> None: ...
    def image(self, address: int) -> bytes: ...

def observables(p: _Array, particles: Sequence[int]) -> _Array: ...

# pdf

MAX_FLAVOURS: Final[int]

class PdfGrid:
    def __init__(self, x: _Array, q2: _Array, values: _Array, minimum: float) -> None: ...
    def density(self, columns: Sequence[int], x: _Array, q2: _Array) -> _Array: ...
    def image(self, address: int) -> bytes: ...

class AlphaSTable:
    def __init__(self, q2: _Array, values: _Array) -> None: ...
    def evaluate(self, q2: _Array) -> _Array: ...
    def image(self, address: int) -> bytes: ...

# random

def random_uniform(key: int, subsequence: int, position: int, count: int) -> _Array: ...
def random_words(key: int, subsequence: int, block: int) -> list[int]: ...

# runtime

def arc_tangent(y: _Array, x: _Array) -> _Array: ...
def elementary(function: str, x: _Array) -> _Array: ...
def exp_float32(x: NDArray[np.float32]) -> NDArray[np.float32]: ...
def instruction_set() -> str: ...
def instruction_sets() -> list[str]: ...
def lane_width() -> int: ...
def set_thread_count(count: int) -> None: ...
def thread_count() -> int: ...

# s_channel

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
    def image(self, address: int) -> bytes: ...

# topology

class LineKind(Enum):
    resonance = 0
    power = 1
    mixture = 2
    flat = 3

class Line:
    def __init__(
        self,
        *,
        kind: LineKind,
        mass: float = 0.0,
        width: float = 0.0,
        power: float = 0.0,
        pole: float = 0.0,
        share: float = 0.0,
        count: int = 0,
    ) -> None: ...
    @property
    def kind(self) -> LineKind: ...
    @property
    def mass(self) -> float: ...
    @property
    def width(self) -> float: ...
    @property
    def power(self) -> float: ...
    @property
    def pole(self) -> float: ...
    @property
    def share(self) -> float: ...
    @property
    def count(self) -> int: ...

class Cluster:
    @staticmethod
    def external(*, leg: int, minimum: float) -> Cluster: ...
    @staticmethod
    def decaying(
        *, left: int, right: int, minimum: float, maximum: float, line: Line
    ) -> Cluster: ...
    @property
    def minimum(self) -> float: ...
    @property
    def maximum(self) -> float: ...

LEAST_REST: float

class ShareKind(Enum):
    whole = 0
    smooth = 1
    peaked = 2

class Beam:
    def __init__(self, *, energy: float, mass: float, share: ShareKind, power: float) -> None: ...
    @property
    def energy(self) -> float: ...
    @property
    def mass(self) -> float: ...
    @property
    def share(self) -> ShareKind: ...
    @property
    def power(self) -> float: ...

class Topology:
    def __init__(
        self,
        *,
        beams: tuple[Beam, Beam],
        s_hat: Line,
        s_range: tuple[float, float],
        clusters: Sequence[Cluster],
        top: Sequence[int],
        exchanges: Sequence[Line],
        least_rest: Sequence[float],
        rest: Line,
        legs: Sequence[int],
    ) -> None: ...
    def forward(self, x: _Array) -> tuple[_Array, _Array]: ...
    def inverse(self, p: _Array) -> tuple[_Array, _Array]: ...
    def image(self, address: int) -> bytes: ...
