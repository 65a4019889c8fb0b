"""UMAMI (Unified MAtrix eleMent Interface), versions 1.0 and 1.1: functions, keys and statuses."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
"""Arrays of inputs and outputs: float64 or int32."""

DECLARATIONS = """
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
"""Functions of the interface, for cffi."""

REQUIRED_FUNCTIONS = (
    "umami_get_meta",
    "umami_initialize",
    "umami_matrix_element",
    "umami_free",
)
"""Functions that every library of either version has."""


class Meta(IntEnum):
    """Facts about a library; from 5 on only version 1.1 has them."""

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
    """Inputs per event; G_STRONG only in version 1.1."""

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
    """Outputs per event; indices count from 0."""

    MATRIX_ELEMENT = 0
    DIAGRAM_AMP2 = 1
    COLOR_INDEX = 2
    HELICITY_INDEX = 3
    DIAGRAM_INDEX = 4


INTEGER_INPUTS = (Input.FLAVOR_INDEX, Input.HELICITY_INDEX, Input.DIAGRAM_INDEX)
"""Inputs that are int32; all others are float64."""

LAST_INPUT_OF_1_0 = Input.DIAGRAM_INDEX
"""The last input of version 1.0, whose libraries do not say which ones they take."""

DEVICES = ("cpu", "cuda", "hip")
"""Values of Meta.DEVICE, from 0."""

_STATUSES = {
    1: "unspecified error",
    2: "not implemented",
    3: "input not supported",
    4: "output not supported",
}
"""Meanings of the statuses that both versions share."""

_STATUSES_OF_MINOR: tuple[dict[int, str], ...] = (
    {5: "metadata not supported", 6: "missing input"},
    {
        5: "metadata not known before initialisation",
        6: "metadata not supported",
        7: "missing input",
    },
)
"""Meanings of the other statuses, by minor version."""


def status_text(status: int, version: tuple[int, int]) -> str:
    """The meaning of a status other than 0 in a version (1, minor), for messages."""
    meanings = _STATUSES | _STATUSES_OF_MINOR[min(version[1], 1)]
    return f"status {status} ({meanings.get(status, 'unknown')})"


def in_layout(key: Input, array: AnyArray) -> AnyArray:
    """An input as the interface has it, copied only from another layout or type.

    Args:
        key: of the input.
        array: momenta (n, n_particles, 4), which are (4, n_particles, n) there; all others (n,).
    """
    if key == Input.MOMENTA:
        return np.ascontiguousarray(array.transpose(2, 1, 0), np.float64)
    return np.ascontiguousarray(array, np.int32 if key in INTEGER_INPUTS else np.float64)


def empty_output(key: Output, n: int, n_diagrams: int) -> AnyArray:
    """An array for an output of n events; that of DIAGRAM_AMP2 is (n_diagrams, n)."""
    if key == Output.DIAGRAM_AMP2:
        assert n_diagrams
        return np.zeros((n_diagrams, n))
    return np.zeros(n, np.float64 if key == Output.MATRIX_ELEMENT else np.int32)


@cache
def ffi() -> Any:
    """The cffi interface of the functions, parsed once."""
    from cffi import FFI  # optional: only who uses libraries needs it

    parsed = FFI()
    parsed.cdef(DECLARATIONS)
    return parsed
