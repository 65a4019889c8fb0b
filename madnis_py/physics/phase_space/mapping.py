"""Contract of maps from the unit cube to momenta, in the layout of `observables.momenta`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from madnis_py.arrays import Array
from madnis_py.errors import InputError

if TYPE_CHECKING:
    from madnis_py.devices.upload import Described


@dataclass(frozen=True)
class MapDescription:
    """A map as the kernels of a device take it.

    Attributes:
        family: first part of the names of its kernels in `cpp/cuda/phase_space.cu`.
        described: its numbers in the layout of that family.
    """

    family: str
    described: Described


class ChannelMapping(ABC):
    """A bijection between the unit cube and the momenta of one channel.

    Attributes:
        dim: dimension of the unit cube.
        n_particles: incoming and outgoing particles.
    """

    dim: int
    n_particles: int

    @abstractmethod
    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map points of the unit cube to momenta.

        Args:
            x: points in [0, 1], float64, shape (n, dim), C-contiguous.

        Returns:
            p: momenta in GeV, shape (n, n_particles, 4), events fastest in memory.
            jacobian: |dp/dx| including dx1 dx2 of the partons and all factors of 2 pi of Eq.
                (2.10), in GeV^(2 n_out - 4), shape (n,); 0 where x is outside the cube or NaN.
        """

    @abstractmethod
    def inverse(self, p: Array) -> tuple[Array, Array]:
        """Find the points of the unit cube that `forward` maps to these momenta.

        Args:
            p: momenta in GeV, shape (n, n_particles, 4), events fastest in memory (see
                `as_momenta`).

        Returns:
            x: points in [0, 1], float64, shape (n, dim).
            jacobian: the same |dp/dx| as of `forward`, shape (n,); 0, never NaN, outside the
                support.
        """

    @property
    def description(self) -> MapDescription:
        """What the kernels of a device need to know of it.

        Raises:
            InputError: no device has kernels for it.
        """
        raise InputError(
            "device: expected maps of phase space that have kernels there; "
            f"got {type(self).__name__}, which --device cpu runs"
        )
