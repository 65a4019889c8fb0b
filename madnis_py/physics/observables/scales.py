"""Scale of the PDFs or of alpha_s, fixed or event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.observables.parton_kinematics import s_hat


def _ht(p: Array) -> Array:
    """H_T: sum of the transverse momenta of the final particles."""
    return np.asarray(np.hypot(p[:, 2:, 1], p[:, 2:, 2]).sum(axis=1))


def _sum_et(p: Array) -> Array:
    """Sum of the transverse energies E p_T / |p| of the final particles."""
    energy, pt, pz = p[:, 2:, 0], np.hypot(p[:, 2:, 1], p[:, 2:, 2]), p[:, 2:, 3]
    momentum = np.hypot(pt, pz)
    return np.asarray(
        np.divide(energy * pt, momentum, out=np.zeros_like(pt), where=momentum != 0).sum(axis=1)
    )


def _sum_mt(p: Array) -> Array:
    """Sum of the transverse masses sqrt(E^2 - p_z^2) of the final particles."""
    energy, pz = p[:, 2:, 0], p[:, 2:, 3]
    return np.asarray(np.sqrt(np.maximum((energy - pz) * (energy + pz), 0.0)).sum(axis=1))


_MEASURES: MappingProxyType[str, Callable[[Array], Array]] = MappingProxyType(
    {"ht": _ht, "sum_et": _sum_et, "sum_mt": _sum_mt, "sqrt_s": lambda p: np.sqrt(s_hat(p))}
)
"""Name of the observable of a dynamical scale -> its values in GeV."""


@dataclass(frozen=True)
class Scale:
    """A scale of the events, fixed or dynamical.

    Attributes:
        choice: GeV, or a name: "ht" (sum of p_T of the final particles), "sum_et" (sum of their
            transverse energies), "sum_mt" (sum of their transverse masses), "sqrt_s" (energy of the
            partonic collision), each also divided by a number ("ht/3"). dynamical_scale_choice 1,
            2, 3, 4 of MadGraph are "sum_et", "sum_mt", "sum_mt/2", "sqrt_s".
        factor: what multiplies it.
    """

    choice: float | str
    factor: float = 1.0

    def __call__(self, p: Array) -> Array:
        """The scale of each event.

        Args:
            p: momenta in GeV, float64 (n, P, 4), two incoming first.

        Returns:
            mu in GeV, float64 (n,).
        """
        if isinstance(self.choice, float):
            return np.full(len(p), self.factor * self.choice)
        measure, factor = dynamical(self.choice)
        return self.factor * factor * _MEASURES[measure](p)


@dataclass(frozen=True)
class BeamScales:
    """Scales of the parton densities, one for both beams or one for each.

    Attributes:
        scales: of the beams.
    """

    scales: tuple[Scale, Scale]

    @property
    def common(self) -> Scale | None:
        """The scale of both; None where they differ."""
        first, second = self.scales
        return first if first == second else None

    def __call__(self, p: Array) -> Array:
        """The scales of each event in GeV, float64 (n,), or (n, 2) where they differ."""
        if self.common:
            return self.common(p)
        return np.stack([scale(p) for scale in self.scales], axis=1)


def dynamical(choice: str) -> tuple[str, float]:
    """Observable of a dynamical scale, without the "/3" behind it, and the factor that this is."""
    measure, _, divisor = choice.partition("/")
    return measure, 1 / float(divisor or 1)
