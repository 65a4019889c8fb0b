"""Hit or miss where the weights are on a device; only accepted trials come back."""

from __future__ import annotations

import torch
from torch import Tensor

from madnis_py.devices.kernels import Kernels
from madnis_py.events.unweighting import Accepted, Unweighter, UnweightingTally
from madnis_py.integration.samples import Samples

_PARTS = 16384
"""Partial sums of a tally: as many threads decide about all trials."""

_SUMS = 8
"""Sums of a tally without the number of trials, and the trials that its maxima forbid."""


class UnweighterOnDevice:
    """The decisions of an `Unweighter` in the kernels of a device, the same bit by bit.

    Args:
        unweighter: knows the maxima.
        kernels: of the device.
    """

    def __init__(self, unweighter: Unweighter, kernels: Kernels) -> None:
        self._unweighter, self._kernels = unweighter, kernels
        self._maxima = torch.from_numpy(unweighter.maxima).to(kernels.torch_device)

    def accept(self, samples: Samples, uniform: Tensor) -> Accepted:
        """Decide for every trial; see `Unweighter.accept`.

        Args:
            samples: the points of the trials, shape (n,), with weights and magnitudes on the
                device.
            uniform: random numbers in [0, 1), float64, shape (n,), on the device.

        Returns:
            the accepted trials, with their positions on the device.

        Raises:
            GenerationError: a channel whose maximum is 0 has a weight.
        """
        n, weight, device = len(samples), samples.weight, self._kernels.torch_device
        ratio, accepted = torch.empty_like(weight), torch.empty_like(weight, dtype=torch.bool)
        parts = weight.new_empty(_SUMS, _PARTS)
        self._kernels.launch(
            "sampling",
            "accept_trials",
            _PARTS,
            weight,
            samples.magnitude,
            samples.channel.to(device, non_blocking=True),
            self._maxima,
            uniform,
            ratio,
            accepted,
            parts,
            _PARTS,
            n,
        )
        *sums, lost = parts.sum(dim=1).tolist()
        if lost:
            self._unweighter.ratios(samples)  # says which channel and how much
        index = accepted.nonzero().squeeze(1)
        return Accepted(
            index,
            ratio[index].cpu().numpy(),
            uniform[index].cpu().numpy(),
            UnweightingTally(float(n), *sums),
        )
