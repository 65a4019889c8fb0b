"""What is compared event by event: functions of the final momenta, the same for both programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array

Integers = NDArray[np.int32]


def _pt(pdg: Integers, p: Array) -> Array:
    """The largest transverse momentum in GeV."""
    return np.asarray(np.hypot(p[..., 1], p[..., 2]).max(axis=1))


def _mass(pdg: Integers, p: Array) -> Array:
    """Invariant mass of the final state in GeV."""
    total = p.sum(axis=1)
    return np.asarray(np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)))


def _rapidity(pdg: Integers, p: Array) -> Array:
    """Modulus of the rapidity of the final state."""
    total = p.sum(axis=1)
    return np.asarray(np.abs(np.arctanh(total[:, 3] / total[:, 0])))


def _cos_theta(pdg: Integers, p: Array) -> Array:
    """Cosine of the angle between the beam and the final particle with the larger PDG code."""
    chosen = p[np.arange(len(p)), pdg.argmax(axis=1)]
    return np.asarray(chosen[:, 3] / np.sqrt((chosen[:, 1:] ** 2).sum(axis=1)))


def _abs_cos_theta(pdg: Integers, p: Array) -> Array:
    return np.abs(_cos_theta(pdg, p))


OBSERVABLES: Mapping[str, Callable[[Integers, Array], Array]] = MappingProxyType(
    {
        "pt": _pt,
        "mass": _mass,
        "rapidity": _rapidity,
        "cos_theta": _cos_theta,
        "abs_cos_theta": _abs_cos_theta,
    }
)
"""Name -> function of PDG codes, int32 (n, F), and momenta (E, px, py, pz) in GeV, float64 (n, F,
4), of n events."""
