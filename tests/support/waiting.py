"""What would make the host wait for a device, and a device without values on which it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from madnis_py.devices.device import Device
from madnis_py.devices.kernels import BLOCK, Argument, Kernels
from madnis_py.progress import Watch

WAITING = {
    "_local_scalar_dense",
    "item",
    "is_nonzero",
    "equal",
    "nonzero",
    "masked_select",
    "_unique2",
    "bincount",
}
"""Operators whose results the host needs to go on."""


class NoWaiting(TorchDispatchMode):
    """Forbids what would make the host wait for a device."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = function.overloadpacket.__name__
        indices = args[1] if name in ("index", "index_put", "index_put_") else []
        if name in WAITING or any(i is not None and i.dtype == torch.bool for i in indices):
            raise AssertionError(f"the host waits for {name}")
        return function(*args, **(kwargs or {}))


class LaunchesNothing(Kernels):
    """Kernels of torch's device "meta", whose tensors have shapes and no values."""

    torch_device = torch.device("meta")

    def prepare(self, watch: Watch) -> None:
        """Nothing to prepare."""

    def launch(
        self,
        source: str,
        name: str,
        threads: int,
        *arguments: Argument,
        block: int = BLOCK,
        shared_bytes: int = 0,
    ) -> None:
        """Do nothing."""

    def free_bytes(self) -> int:
        """As much as anyone asks for."""
        return 2**62


WITHOUT_VALUES = Device("meta", LaunchesNothing())
"""A device whose tensors refuse to be read, to come to the CPU, or to meet those that are there."""
