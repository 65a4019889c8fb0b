"""Libraries with the UMAMI interface (Unified MAtrix eleMent Interface), versions 1.0 and 1.1, through cffi."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import IntEnum
from functools import cache, partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.errors import InputError, IntegrandError

Array = NDArray[Any]

_DECLARATIONS = """
int umami_get_meta(int key, void* result);
int umami_supported_inputs(_Bool const** supported, int* count);
int umami_required_inputs(_Bool const** required, int* count);
int umami_supported_outputs(_Bool const** supported, int* count);
int umami_initialize(void** handle, char const* param_card);
int umami_matrix_element(void* handle, size_t count, size_t stride, size_t offset,
    size_t n_inputs, int const* input_keys, void const* const* inputs,
    size_t n_outputs, int const* output_keys, void* const* outputs);
int umami_free(void* handle);
"""
_NEEDED = ("umami_get_meta", "umami_initialize", "umami_matrix_element", "umami_free")

_BLOCK = 4096
"""Events per call: the same for any number of threads."""


class Meta(IntEnum):
    """What a library tells about itself; from 5 on only those of version 1.1."""

    DEVICE = 0
    PARTICLE_COUNT = 1
    DIAGRAM_COUNT = 2
    HELICITY_COUNT = 3
    COLOR_COUNT = 4
    MASSES = 5
    ABI_MAJOR = 6
    ABI_MINOR = 7
    PROCESS_FINGERPRINT = 8


class Input(IntEnum):
    """What goes in per event; G_STRONG only in version 1.1."""

    MOMENTA = 0
    ALPHA_S = 1
    FLAVOR_INDEX = 2
    RANDOM_COLOR = 3
    RANDOM_HELICITY = 4
    RANDOM_DIAGRAM = 5
    HELICITY_INDEX = 6
    DIAGRAM_INDEX = 7
    G_STRONG = 9


class Output(IntEnum):
    """What comes out per event; indices count from 0."""

    MATRIX_ELEMENT = 0
    DIAGRAM_AMP2 = 1
    COLOR_INDEX = 2
    HELICITY_INDEX = 3
    DIAGRAM_INDEX = 4


_INTEGERS = (
    Input.FLAVOR_INDEX,
    Input.HELICITY_INDEX,
    Input.DIAGRAM_INDEX,
)
_LAST_KEY_OF_1_0 = 7
_WORDS = {
    1: "unspecified error",
    2: "not implemented",
    3: "input not supported",
    4: "output not supported",
}
_WORDS_OF_MINOR: tuple[dict[int, str], ...] = (
    {5: "metadata not supported", 6: "missing input"},
    {
        5: "metadata not known before initialisation",
        6: "metadata not supported",
        7: "missing input",
    },
)
_DEVICES = ("cpu", "cuda", "hip")


@cache
def _ffi() -> Any:
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(_DECLARATIONS)
    return ffi


class UmamiLibrary:
    """One library with a matrix element; its symbols stay its own, so that many can be loaded side by side.

    Every call has a handle for itself, whatever the thread.

    Args:
        path: of the shared object.
        param_card: given to the library as it is: most read an SLHA file of that name.

    Attributes:
        path: as given.
        version: (1, 0) or (1, 1).
        n_particles: incoming and outgoing.
        n_diagrams: columns of DIAGRAM_AMP2; None where the library does not tell, as the next four.
        n_helicities: range of HELICITY_INDEX.
        n_flows: range of COLOR_INDEX.
        masses: in GeV, float64 (n_particles,).
        fingerprint: of the process.

    Raises:
        InputError: the file is missing or not a shared object, a symbol is missing, the interface
            has another major version, the numbers are computed on a GPU, or the library cannot be
            initialised.
    """

    def __init__(self, path: Path, param_card: str = "") -> None:
        self.path, self._param_card = path, param_card
        self._lib = _loaded(path)
        self.version = self._detect_version()
        device = self._known(Meta.DEVICE)
        if device != 0:
            shown = _DEVICES[device] if 0 < device < len(_DEVICES) else device
            raise InputError(f"{path}: expected a library that computes on the cpu; got {shown}")
        self.n_particles = self._known(Meta.PARTICLE_COUNT)
        self.n_diagrams = self._number(Meta.DIAGRAM_COUNT)
        self.n_helicities = self._number(Meta.HELICITY_COUNT)
        self.n_flows = self._number(Meta.COLOR_COUNT)
        self._free: SimpleQueue[Any] = SimpleQueue()
        weakref.finalize(self, _free_all, self._lib, self._free).atexit = False
        self._free.put(self._new_handle())
        self.masses = self._masses()
        self.fingerprint = self._fingerprint()
        self._inputs = self._keys("umami_supported_inputs")
        self._required = self._keys("umami_required_inputs") or frozenset({int(Input.MOMENTA)})
        self._outputs = self._keys("umami_supported_outputs")

    @property
    def digest(self) -> str:
        """Of the file, 64 hexadecimal digits."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def takes(self, key: Input) -> bool:
        """Whether the library says, or may be supposed, to take an input."""
        if self._inputs is not None:
            return key in self._inputs
        return key <= _LAST_KEY_OF_1_0

    def requires(self, key: Input) -> bool:
        """Whether the library says that it does not do without an input."""
        return key in self._required

    def gives(self, key: Output) -> bool:
        """Whether the library says, or may be supposed, to give an output."""
        if key == Output.DIAGRAM_AMP2 and not self.n_diagrams:
            return False
        return self._outputs is None or key in self._outputs

    def evaluate(
        self, inputs: Mapping[Input, Array], outputs: Sequence[Output]
    ) -> dict[Output, Array]:
        """Call the library for a batch, from as many threads as kernels use.

        Args:
            inputs: MOMENTA in GeV, float64 (n, n_particles, 4), not copied where mu is slowest and
                the event fastest in memory; all others (n,), indices int32 and the rest float64.
            outputs: what is wanted.

        Returns:
            MATRIX_ELEMENT float64 (n,), GeV^(8 - 2 n_particles), averaged and summed; DIAGRAM_AMP2
            float64 (n, n_diagrams), event-fastest; indices int32 (n,).

        Raises:
            InputError: the library needs an input that is not given.
            IntegrandError: the library returned an error.
        """
        missing = self._required - inputs.keys()
        if missing:
            names = ", ".join(_name(key) for key in sorted(missing))
            raise InputError(f"{self.path}: needs the input {names}, which is not known here")
        n = len(inputs[Input.MOMENTA])
        arrays = {key: _laid_out(key, array) for key, array in inputs.items()}
        results = {key: self._room(key, n) for key in outputs}
        starts = range(0, n, _BLOCK)
        call = partial(self._call, arrays, results, n)
        threads = min(_core.thread_count(), len(starts))
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(call, starts))
        else:
            list(map(call, starts))
        return {
            key: array.T if key == Output.DIAGRAM_AMP2 else array for key, array in results.items()
        }

    def call(
        self,
        inputs: Mapping[Input, Array],
        outputs: Mapping[Output, Array],
        count: int,
        stride: int,
        offset: int,
    ) -> None:
        """One plain call for the events [offset, offset + count).

        Args:
            inputs: arrays in the layout of the interface: MOMENTA (4, n_particles, stride), others
                (stride,).
            outputs: arrays to write to, in the layout of the interface.
            count: how many events.
            stride: events in the arrays.
            offset: the first event.

        Raises:
            IntegrandError: the library returned an error.
        """
        ffi = _ffi()
        input_keys, input_data = _pointers(ffi, inputs, "void const*[]")
        output_keys, output_data = _pointers(ffi, outputs, "void*[]")
        with self._handle() as handle:
            status = self._lib.umami_matrix_element(
                handle, count, stride, offset,
                len(inputs), input_keys, input_data,
                len(outputs), output_keys, output_data,
            )  # fmt: skip
        if status != 0:
            raise IntegrandError(f"{self.path}: umami_matrix_element: {self.words(status)}")

    def words(self, status: int) -> str:
        """What a status other than 0 means."""
        words = _WORDS | _WORDS_OF_MINOR[min(self.version[1], 1)]
        return f"status {status} ({words.get(status, 'unknown')})"

    def _call(
        self,
        inputs: Mapping[Input, Array],
        outputs: Mapping[Output, Array],
        stride: int,
        offset: int,
    ) -> None:
        self.call(inputs, outputs, min(_BLOCK, stride - offset), stride, offset)

    def _room(self, key: Output, n: int) -> Array:
        if key == Output.DIAGRAM_AMP2:
            assert self.n_diagrams
            return np.zeros((self.n_diagrams, n))
        return np.zeros(n, np.float64 if key == Output.MATRIX_ELEMENT else np.int32)

    @contextmanager
    def _handle(self) -> Iterator[Any]:
        """A handle that nobody else uses meanwhile."""
        try:
            handle = self._free.get_nowait()
        except Empty:
            handle = self._new_handle()
        try:
            yield handle
        finally:
            self._free.put(handle)

    def _new_handle(self) -> Any:
        ffi = _ffi()
        handle = ffi.new("void**")
        status = self._lib.umami_initialize(handle, self._param_card.encode())
        if status != 0:
            card = f' with param_card "{self._param_card}"' if self._param_card else ""
            raise InputError(f"{self.path}: umami_initialize{card}: {self.words(status)}")
        return handle[0]

    def _detect_version(self) -> tuple[int, int]:
        self.version = (1, 0)
        major, minor = self._number(Meta.ABI_MAJOR), self._number(Meta.ABI_MINOR)
        if major is None:
            return (1, 1) if hasattr(self._lib, "umami_supported_inputs") else (1, 0)
        if major != 1:
            raise InputError(
                f"{self.path}: expected version 1.x of the UMAMI interface; got {major}.{minor or 0}"
            )
        return 1, minor or 0

    def _number(self, key: Meta) -> int | None:
        room = _ffi().new("int[64]")  # a library of another version may write more than a number
        return int(room[0]) if self._lib.umami_get_meta(int(key), room) == 0 else None

    def _known(self, key: Meta) -> int:
        value = self._number(key)
        if value is None:
            raise InputError(
                f"{self.path}: expected a library that tells its {_words(key)}; got an error"
            )
        return value

    def _masses(self) -> NDArray[np.float64] | None:
        if self.version < (1, 1):
            return None
        room = np.zeros(max(self.n_particles, 64))
        status = self._lib.umami_get_meta(int(Meta.MASSES), _ffi().from_buffer(room))
        return room[: self.n_particles].copy() if status == 0 else None

    def _fingerprint(self) -> str | None:
        if self.version < (1, 1):
            return None
        room = _ffi().new("char const*[64]")
        if self._lib.umami_get_meta(int(Meta.PROCESS_FINGERPRINT), room) != 0 or not room[0]:
            return None
        return bytes(_ffi().string(room[0])).decode(errors="replace")

    def _keys(self, function: str) -> frozenset[int] | None:
        """The keys for which an optional function says true; None where it is not there."""
        if not hasattr(self._lib, function):
            return None
        keys, count = _ffi().new("_Bool const**"), _ffi().new("int*")
        if getattr(self._lib, function)(keys, count) != 0:
            return None
        return frozenset(key for key in range(count[0]) if keys[0][key])


def open_library(path: Path, param_card: str = "") -> UmamiLibrary:
    """A library, loaded once in a process; see `UmamiLibrary`."""
    _require_unchanged(path)
    return _opened(path, param_card)


@cache
def _opened(path: Path, param_card: str) -> UmamiLibrary:
    return UmamiLibrary(path, param_card)


_LOADED: dict[Path, tuple[int, int, int]] = {}


def _require_unchanged(path: Path) -> None:
    """Refuse a file that has changed: a process that has loaded a library gets the old one by its name for good."""
    if not path.is_file():
        raise InputError(
            f"{path}: expected a library with the UMAMI interface; there is no such file"
        )
    found = path.stat()
    now = found.st_ino, found.st_size, found.st_mtime_ns
    if _LOADED.setdefault(path.resolve(), now) != now:
        raise InputError(
            f"{path}: expected the library that was loaded before; it has changed: start a new process"
        )


def _loaded(path: Path) -> Any:
    _require_unchanged(path)
    ffi = _ffi()
    try:
        lib = ffi.dlopen(str(path.resolve()), ffi.RTLD_NOW)
    except OSError as error:
        reason = str(error).rpartition(f"{path.resolve()}: ")[2]
        raise InputError(
            f"{path}: expected a library with the UMAMI interface; cannot load it: {reason}"
        ) from None
    missing = [name for name in _NEEDED if not hasattr(lib, name)]
    if missing:
        raise InputError(
            f"{path}: expected a library with the UMAMI interface; it has no {', '.join(missing)}"
        )
    return lib


def _free_all(lib: Any, handles: SimpleQueue[Any]) -> None:
    while not handles.empty():
        lib.umami_free(handles.get_nowait())


def _laid_out(key: Input, array: Array) -> Array:
    """An input as the interface has it: for momenta (4, n_particles, n), copied only from another layout."""
    if key == Input.MOMENTA:
        return np.ascontiguousarray(array.transpose(2, 1, 0), np.float64)
    return np.ascontiguousarray(array, np.int32 if key in _INTEGERS else np.float64)


def _pointers(ffi: Any, arrays: Mapping[Any, Array], kind: str) -> tuple[Any, Any]:
    keys = ffi.new("int[]", [int(key) for key in arrays])
    return keys, ffi.new(kind, [ffi.cast("void*", array.ctypes.data) for array in arrays.values()])


def _name(key: int) -> str:
    return Input(key).name if key in set(Input) else str(key)


def _words(key: Meta) -> str:
    return key.name.lower().replace("_", " ")
