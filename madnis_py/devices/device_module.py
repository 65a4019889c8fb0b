"""Modules of torch that compute in the kernels of a device."""

from __future__ import annotations

from typing import Any

from torch import nn

from madnis_py.devices.device import CPU, Device


class DeviceModule(nn.Module):
    """A module that computes on the CPU, or in the kernels of a device.

    Attributes:
        device: where it computes, see `compute_on`; None for the CPU.
    """

    device: Device | None = None

    def compute_on(self, device: Device | None) -> None:
        """Move to a device and compute in its kernels from now on, or on the CPU for None.

        Results stay on the device. The state of the module does not change.
        """
        self.device = device
        self.to(CPU if device is None else device.torch_device)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """On the device of this process: another worker may have had another GPU."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if self.device is not None:
            self.to(self.device.torch_device)
