"""Inputs of libraries with the UMAMI interface, and the first call of each library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.plugins.matrix_elements.adapter import per_event
from madnis_py.plugins.matrix_elements.umami_interface import Input, Output
from madnis_py.plugins.matrix_elements.umami_library import UmamiLibrary

WARM_UP_POINTS = 16
"""Points of the first call."""

WARM_UP_COUPLING = 0.118
"""Strong coupling of the first call."""

_RANDOM = (Input.RANDOM_COLOR, Input.RANDOM_HELICITY, Input.RANDOM_DIAGRAM)


def usual_inputs(
    library: UmamiLibrary, p: Array, alpha_s: Array, flavor: int | NDArray[np.int32] | None
) -> dict[Input, Any]:
    """Momenta, the coupling as a library takes it, a flavour if there is one, random numbers.

    Random numbers are 0.5, and only where the library requires them.

    Args:
        library: that is called.
        p: momenta in GeV, float64 (n, n_particles, 4).
        alpha_s: float64 (n,).
        flavor: index for all events, or int32 (n,); None passes none.
    """
    inputs = {Input.MOMENTA: p, **_coupling(library, alpha_s)}
    if flavor is not None:
        inputs[Input.FLAVOR_INDEX] = np.full(len(p), flavor, np.int32)
    return inputs | {key: np.full(len(p), 0.5) for key in _RANDOM if library.requires(key)}


def _coupling(library: UmamiLibrary, alpha_s: Array) -> dict[Input, Any]:
    if library.takes(Input.ALPHA_S):
        return {Input.ALPHA_S: alpha_s}
    if library.takes(Input.G_STRONG):
        return {Input.G_STRONG: np.sqrt(4 * math.pi * alpha_s)}
    return {}


def first_call(library: UmamiLibrary, p: Array, flavors: Sequence[int]) -> None:
    """Show a library physical momenta before any others; all flavours that it is used for occur."""
    flavor = np.resize(np.array(flavors, np.int32), len(p)) if flavors else None
    inputs = usual_inputs(library, p, per_event(WARM_UP_COUPLING, p), flavor)
    library.evaluate(inputs, [Output.MATRIX_ELEMENT])


def try_library(
    library: str, param_card: str, flavors: Sequence[int], masses: Sequence[float], n_incoming: int
) -> None:
    """Load a library and make its first call: what `require_survival` has another process do."""
    p = generic_momenta(masses, n_incoming, WARM_UP_POINTS)
    opened = UmamiLibrary(Path(library), param_card)
    if opened.n_particles == len(masses):
        first_call(opened, p, flavors)
