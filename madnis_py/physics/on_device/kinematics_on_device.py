"""Kinematics of events in the kernels of a device: features, scales and the flux factor."""

from __future__ import annotations

from torch import Tensor

from madnis_py.devices.kernels import Argument, Kernels
from madnis_py.physics.observables.scales import Scale, dynamical
from madnis_py.physics.on_device.momenta_on_device import momentum_rows

_MEASURES = {"ht": 0, "sum_et": 1, "sum_mt": 2, "sqrt_s": 3}
"""Observable of a dynamical scale -> its number in `cpp/cuda/observables.cu`."""


class KinematicsOnDevice:
    """What a cross section needs to know of momenta beside their matrix element.

    Args:
        kernels: of the device.
    """

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels

    def features(self, p: Tensor, hadronic: bool) -> Tensor:
        """What the channel weights see, as `features.features`.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), two massless incoming first.
            hadronic: whether to append log(s-hat / GeV^2) and the rapidity of the collision.

        Returns:
            float64, shape (n, 3 (n_particles - 2)) or (n, 3 (n_particles - 2) + 2).
        """
        n, n_particles, _ = p.shape
        values = p.new_empty(n, 3 * (n_particles - 2) + 2 * hadronic)
        self._launch("features", n, momentum_rows(p), n_particles, int(hadronic), values)
        return values

    def scale(self, p: Tensor, scale: Scale) -> Tensor:
        """A scale of each event, as `Scale.__call__`.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), two incoming first.
            scale: which one.

        Returns:
            mu in GeV, float64, shape (n,).
        """
        n, n_particles, _ = p.shape
        if isinstance(scale.choice, float):
            return p.new_full((n,), scale.factor * scale.choice)
        measure, factor = dynamical(scale.choice)
        arguments = _MEASURES[measure], scale.factor * factor, momentum_rows(p), n_particles
        values = p.new_empty(n)
        self._launch("dynamical_scale", n, *arguments, values)
        return values

    def flux(self, p: Tensor) -> Tensor:
        """The flux factor, as `parton_kinematics.flux`.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), two incoming along z first.

        Returns:
            GeV^-2, float64, shape (n,).
        """
        n, n_particles, _ = p.shape
        values = p.new_empty(n)
        self._launch("flux_factor", n, momentum_rows(p), n_particles, values)
        return values

    def _launch(self, name: str, n: int, *arguments: Argument) -> None:
        self._kernels.launch("observables", name, n, *arguments, n)
