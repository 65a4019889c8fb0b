"""Libraries with the UMAMI interface, called for batches of events from several threads."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.errors import InputError, IntegrandError
from madnis_py.plugins.matrix_elements.umami_interface import (
    DEVICES,
    LAST_INPUT_OF_1_0,
    REQUIRED_FUNCTIONS,
    AnyArray,
    Input,
    Meta,
    Output,
    empty_output,
    ffi,
    in_layout,
    status_text,
)

BLOCK = 4096
"""Events per call: the same for any number of threads, so that results do not depend on it."""


class UmamiLibrary:
    """One library with a matrix element.

    Its symbols stay its own, so that many libraries can be loaded side by side. Every call has a
    handle for itself, whatever the thread.

    Args:
        path: of the shared object.
        param_card: given to the library as it is: most read an SLHA file of that name.

    Attributes:
        path: as given.
        version: (1, 0) or (1, 1).
        n_particles: incoming and outgoing.
        n_diagrams: columns of DIAGRAM_AMP2; this and the next four are None where the library does
            not tell.
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
        self.version = self._version()
        device = self._required_number(Meta.DEVICE)
        if device != 0:
            shown = DEVICES[device] if 0 < device < len(DEVICES) else device
            raise InputError(f"{path}: expected a library that computes on the cpu; got {shown}")
        self.n_particles = self._required_number(Meta.PARTICLE_COUNT)
        self.n_diagrams = self._number(Meta.DIAGRAM_COUNT)
        self.n_helicities = self._number(Meta.HELICITY_COUNT)
        self.n_flows = self._number(Meta.COLOR_COUNT)
        self._idle_handles: SimpleQueue[Any] = SimpleQueue()
        weakref.finalize(self, _free_handles, self._lib, self._idle_handles).atexit = False
        self._idle_handles.put(self._new_handle())
        self.masses = self._masses()
        self.fingerprint = self._fingerprint()
        self._inputs = self._keys("umami_supported_inputs")
        self._required = self._keys("umami_required_inputs") or frozenset({int(Input.MOMENTA)})
        self._outputs = self._keys("umami_supported_outputs")

    @property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def takes(self, key: Input) -> bool:
        """Whether the library says, or may be supposed, to take an input."""
        if self._inputs is not None:
            return key in self._inputs
        return key <= LAST_INPUT_OF_1_0

    def requires(self, key: Input) -> bool:
        """Whether the library says that it does not do without an input."""
        return key in self._required

    def gives(self, key: Output) -> bool:
        """Whether the library says, or may be supposed, to give an output."""
        if key == Output.DIAGRAM_AMP2 and not self.n_diagrams:
            return False
        return self._outputs is None or key in self._outputs

    def evaluate(
        self, inputs: Mapping[Input, AnyArray], outputs: Sequence[Output]
    ) -> dict[Output, AnyArray]:
        """Call the library for a batch, from as many threads as kernels use.

        Args:
            inputs: MOMENTA in GeV, float64 (n, n_particles, 4), not copied where mu is slowest and
                the event fastest in memory; all others (n,), indices int32 and the rest float64.
            outputs: which outputs to return.

        Returns:
            MATRIX_ELEMENT float64 (n,), GeV^(8 - 2 n_particles), averaged and summed; DIAGRAM_AMP2
            float64 (n, n_diagrams), event-fastest; indices int32 (n,).

        Raises:
            InputError: the library needs an input that is not given.
            IntegrandError: the library returned an error.
        """
        missing = self._required - inputs.keys()
        if missing:
            names = ", ".join(
                Input(key).name if key in set(Input) else str(key) for key in sorted(missing)
            )
            raise InputError(f"{self.path}: needs the input {names}, which is not known here")
        n = len(inputs[Input.MOMENTA])
        arrays = {key: in_layout(key, array) for key, array in inputs.items()}
        results = {key: empty_output(key, n, self.n_diagrams or 0) for key in outputs}

        def evaluate_block(start: int) -> None:
            self.call(arrays, results, min(BLOCK, n - start), n, start)

        starts = range(0, n, BLOCK)
        threads = min(_core.thread_count(), len(starts))
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(evaluate_block, starts))
        else:
            list(map(evaluate_block, starts))
        return {
            key: array.T if key == Output.DIAGRAM_AMP2 else array for key, array in results.items()
        }

    def call(
        self,
        inputs: Mapping[Input, AnyArray],
        outputs: Mapping[Output, AnyArray],
        count: int,
        stride: int,
        offset: int,
    ) -> None:
        """A single call of the library, for the events [offset, offset + count).

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
        input_keys, input_data = _pointers(inputs, "void const*[]")
        output_keys, output_data = _pointers(outputs, "void*[]")
        with self._handle() as handle:
            status = self._lib.umami_matrix_element(
                handle, count, stride, offset,
                len(inputs), input_keys, input_data,
                len(outputs), output_keys, output_data,
            )  # fmt: skip
        if status != 0:
            raise IntegrandError(
                f"{self.path}: umami_matrix_element: {status_text(status, self.version)}"
            )

    @contextmanager
    def _handle(self) -> Iterator[Any]:
        """A handle that no other call uses meanwhile: an idle one, or a new one."""
        try:
            handle = self._idle_handles.get_nowait()
        except Empty:
            handle = self._new_handle()
        try:
            yield handle
        finally:
            self._idle_handles.put(handle)

    def _new_handle(self) -> Any:
        handle = ffi().new("void**")
        status = self._lib.umami_initialize(handle, self._param_card.encode())
        if status != 0:
            card = f' with param_card "{self._param_card}"' if self._param_card else ""
            meaning = status_text(status, self.version)
            raise InputError(f"{self.path}: umami_initialize{card}: {meaning}")
        return handle[0]

    def _version(self) -> tuple[int, int]:
        """The version that the library tells; without one, 1.1 where it has a function of 1.1."""
        major, minor = self._number(Meta.ABI_MAJOR), self._number(Meta.ABI_MINOR)
        if major is None:
            return (1, 1) if hasattr(self._lib, "umami_supported_inputs") else (1, 0)
        if major != 1:
            got = f"{major}.{minor or 0}"
            raise InputError(f"{self.path}: expected version 1.x of the UMAMI interface; got {got}")
        return 1, minor or 0

    def _number(self, key: Meta) -> int | None:
        buffer = ffi().new("int[64]")  # a library of another version may write more than a number
        return int(buffer[0]) if self._lib.umami_get_meta(int(key), buffer) == 0 else None

    def _required_number(self, key: Meta) -> int:
        value = self._number(key)
        if value is None:
            fact = key.name.lower().replace("_", " ")
            raise InputError(f"{self.path}: expected a library that tells its {fact}; got an error")
        return value

    def _masses(self) -> NDArray[np.float64] | None:
        if self.version < (1, 1):
            return None
        buffer = np.zeros(max(self.n_particles, 64))
        status = self._lib.umami_get_meta(int(Meta.MASSES), ffi().from_buffer(buffer))
        return buffer[: self.n_particles].copy() if status == 0 else None

    def _fingerprint(self) -> str | None:
        if self.version < (1, 1):
            return None
        buffer = ffi().new("char const*[64]")
        if self._lib.umami_get_meta(int(Meta.PROCESS_FINGERPRINT), buffer) != 0 or not buffer[0]:
            return None
        return bytes(ffi().string(buffer[0])).decode(errors="replace")

    def _keys(self, function: str) -> frozenset[int] | None:
        """The keys for which an optional function says true; None where it is not there."""
        if not hasattr(self._lib, function):
            return None
        keys, count = ffi().new("_Bool const**"), ffi().new("int*")
        if getattr(self._lib, function)(keys, count) != 0:
            return None
        return frozenset(key for key in range(count[0]) if keys[0][key])


def _free_handles(lib: Any, handles: SimpleQueue[Any]) -> None:
    """Called when a library is collected, so it must not be a method of the library."""
    while not handles.empty():
        lib.umami_free(handles.get_nowait())


def _pointers(arrays: Mapping[Any, AnyArray], kind: str) -> tuple[Any, Any]:
    """Keys and addresses of arrays, for a call."""
    keys = ffi().new("int[]", [int(key) for key in arrays])
    addresses = [ffi().cast("void*", array.ctypes.data) for array in arrays.values()]
    return keys, ffi().new(kind, addresses)


def open_library(path: Path, param_card: str = "") -> UmamiLibrary:
    """A library, loaded once in a process; see `UmamiLibrary`."""
    _require_unchanged(path)
    return _opened(path, param_card)


@cache
def _opened(path: Path, param_card: str) -> UmamiLibrary:
    return UmamiLibrary(path, param_card)


def _loaded(path: Path) -> Any:
    _require_unchanged(path)
    expected = f"{path}: expected a library with the UMAMI interface"
    try:
        lib = ffi().dlopen(str(path.resolve()), ffi().RTLD_NOW)
    except OSError as error:
        reason = str(error).rpartition(f"{path.resolve()}: ")[2]
        raise InputError(f"{expected}; cannot load it: {reason}") from None
    missing = [name for name in REQUIRED_FUNCTIONS if not hasattr(lib, name)]
    if missing:
        raise InputError(f"{expected}; it has no {', '.join(missing)}")
    return lib


_LOADED_FILES: dict[Path, tuple[int, int, int]] = {}
"""Inode, size and time of change of every file that this process has loaded.

State of the module because it mirrors state of the process: the dynamic loader knows a library by
its name, and returns the one that it has loaded for good.
"""


def _require_unchanged(path: Path) -> None:
    """Refuse a file that is not there, or is another one than the process has loaded before."""
    if not path.is_file():
        raise InputError(
            f"{path}: expected a library with the UMAMI interface; there is no such file"
        )
    found = path.stat()
    now = found.st_ino, found.st_size, found.st_mtime_ns
    if _LOADED_FILES.setdefault(path.resolve(), now) != now:
        expected = f"{path}: expected the library that was loaded before"
        raise InputError(f"{expected}; it has changed: start a new process")
