"""What a training leaves behind after each step, complete enough to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from madnis_py.errors import CheckpointError
from madnis_py.integration.adam import FlatAdam
from madnis_py.integration.averages import RunningAverages
from madnis_py.integration.buffer import SampleBuffer
from madnis_py.integration.integrator import Integrator


@dataclass(frozen=True)
class TrainingState:
    """Everything that the next step depends on; continuing from it changes no bit of the result.

    Attributes:
        step: steps finished.
        tensors: by name: `flow.*` and `weights.*` of the model, `adam.*` of the optimiser, `average.*` of
            `RunningAverages`, the `active` channels and `buffer.*` of the `SampleBuffer`.
    """

    step: int
    tensors: Mapping[str, Tensor]

    @property
    def sigma(self) -> Tensor:
        """Running sigma_i, float64, shape (n_channels,): the `sigma` of `Integrator.integrate`."""
        return self.tensors["average.variance"].sqrt()

    @property
    def active(self) -> Tensor:
        """Channels that have not been dropped, bool, shape (n_channels,)."""
        return self.tensors["active"]

    @property
    def buffer(self) -> SampleBuffer:
        """Points to learn from again.

        Raises:
            CheckpointError: what is stored is no buffer.
        """
        return SampleBuffer.from_tensors(self.under("buffer"))

    def averages(self, n_channels: int) -> RunningAverages:
        """Running averages of the channels.

        Raises:
            CheckpointError: they are missing or made for another number of channels.
        """
        stored = self.under("average")
        tensors = [stored.get(field.name, torch.empty(0)) for field in fields(RunningAverages)]
        if any(tensor.shape != (n_channels,) for tensor in tensors):
            raise CheckpointError(f"training state: expected running averages of {n_channels} channels")
        return RunningAverages(*tensors)

    def load_into(self, integrator: Integrator) -> None:
        """Give the integrator's flow and weights the trained parameters, and drop the channels that were dropped.

        Raises:
            CheckpointError: the state belongs to another flow, other weights or another number of channels.
        """
        for prefix, module in modules(integrator).items():
            stored = self.under(prefix)
            with suppress(RuntimeError):  # a flow takes the grids of the state; what does not fit is named below
                module.load_state_dict(stored)
            expected = module.state_dict()
            for name in sorted(expected.keys() | stored.keys()):
                wanted, got = _kind(expected.get(name)), _kind(stored.get(name))
                if wanted != got:
                    raise CheckpointError(
                        f"training state: made for another {prefix}: expected {wanted} as {prefix}.{name}; got {got}"
                    )
        integrator.active = self._require("active", integrator.active.shape, torch.bool)

    def load_into_optimiser(self, adam: FlatAdam) -> None:
        """Give the optimiser what it knew.

        Raises:
            CheckpointError: it is incomplete or belongs to other parameters or settings.
        """
        stored, expected = self.under("adam"), adam.tensors()
        if any(name.startswith("mean.") for name in stored.keys() ^ expected.keys()):
            raise CheckpointError("training state: made with another setting of averaging")
        for name, tensor in expected.items():
            self._require(f"adam.{name}", tensor.shape, tensor.dtype)
        adam.load(stored)

    def under(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name starts with the prefix and a dot, under the rest of their name."""
        start = f"{prefix}."
        return {name.removeprefix(start): tensor for name, tensor in self.tensors.items() if name.startswith(start)}

    def _require(self, name: str, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        tensor = self.tensors.get(name)
        if tensor is None or tensor.shape != shape or tensor.dtype != dtype:
            wanted = f"{dtype} {tuple(shape)}"
            raise CheckpointError(f"training state: expected {wanted} as {name}; got {_kind(tensor)}")
        return tensor


def modules(integrator: Integrator) -> dict[str, nn.Module]:
    """What can be trained, by the first part of its tensors' names in a state."""
    return {"flow": integrator.flow, "weights": integrator.weights}


def _kind(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)}"
