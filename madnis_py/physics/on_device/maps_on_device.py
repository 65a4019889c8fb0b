"""Maps of a process in the kernels of a device: momenta of many channels, and their densities."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from madnis_py.devices.kernels import Kernels
from madnis_py.devices.upload import pointers, upload
from madnis_py.errors import InputError
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.momenta_on_device import momentum_rows, new_momenta
from madnis_py.physics.phase_space.mapping import ChannelMapping


class MapsOnDevice:
    """The maps of the channels of a process.

    Args:
        mappings: one for each channel, of the same particles.
        kernels: of the device.

    Raises:
        InputError: no device has kernels for a map, or the maps are of different kinds.
    """

    def __init__(self, mappings: Sequence[ChannelMapping], kernels: Kernels) -> None:
        descriptions = [mapping.description for mapping in mappings]
        families = sorted({one.family for one in descriptions})
        if len(families) > 1:
            raise InputError(
                "device: expected channels with one kind of map; "
                f"got {', '.join(families)}, which --device cpu runs"
            )
        self._family, self._kernels = families[0], kernels
        self._specs = [upload(one.described, kernels) for one in descriptions]
        self._addresses = pointers(self._specs, kernels)
        self._dim, self._n_particles = mappings[0].dim, mappings[0].n_particles

    def forward(self, x: Tensor, channel: Tensor) -> tuple[Tensor, Tensor]:
        """Map points of the unit cube to momenta, each by the map of its channel.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: of each point, in any order, int64, shape (n,).

        Returns:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory.
            jacobian: as of `ChannelMapping.forward`, float64, shape (n,).
        """
        n = len(x)
        rows, p = new_momenta(n, self._n_particles, x.device)
        jacobian = x.new_empty(n)
        self._launch("forward", n, channel, x.contiguous(), rows, jacobian, n)
        return p, jacobian

    def inverse(self, p: Tensor, channel: Tensor) -> tuple[Tensor, Tensor]:
        """Find the points that `forward` maps to these momenta.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4).
            channel: by whose map, of each event, int64, shape (n,).

        Returns:
            x: points in [0, 1], float64, shape (n, dim).
            jacobian: as of `ChannelMapping.inverse`, float64, shape (n,).
        """
        n = len(p)
        x, jacobian = p.new_empty(n, self._dim), p.new_empty(n)
        self._launch("inverse", n, channel, momentum_rows(p), x, jacobian, n)
        return x, jacobian

    def densities(self, p: Tensor, live: LiveEvents) -> Tensor:
        """Density 1 / Jacobian of the points of every channel, 0 outside of its support.

        It is the density prior, see `priors.DensityPrior`.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4).
            live: events that are looked at; the others get 0.

        Returns:
            GeV^(4 - 2 n_out), float64, shape (n, n_channels), events fastest in memory.
        """
        n, n_channels = len(p), len(self._specs)
        rows, values = momentum_rows(p), p.new_zeros(n_channels, n)
        self._launch(
            "densities", n_channels * n, n_channels, rows, live.positions, live.count, values, n
        )
        return values.T

    def _launch(self, name: str, threads: int, *arguments: Tensor | int) -> None:
        kernel = f"{self._family}_{name}"
        self._kernels.launch("phase_space", kernel, threads, self._addresses, *arguments)
