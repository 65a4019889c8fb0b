"""What a training leaves behind after each step, complete enough to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor, nn

from madnis_py.errors import CheckpointError
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.training.adam import FlatAdam, Memory, copied
from madnis_py.integration.training.buffer import SampleBuffer
from madnis_py.integration.training.channel_averages import ChannelAverages
from madnis_py.integration.training.rollback import SLOWER, Fall, Return, TrainingCheck


@dataclass(frozen=True)
class TrainingState:
    """Everything that the next step depends on; continuing from it changes no bit of the result.

    Attributes:
        step: steps finished.
        tensors: by name: `flow.*` and `weights.*` of the model, `adam.*` of the optimiser,
            `average.*` of `ChannelAverages`, the `active` channels, `buffer.*` of the
            `SampleBuffer`, `check.*` of the `TrainingCheck`, the `unit` of these figures, the rows
            of every `Return` as `returns`, and `recent.*` and `sound.*` of the states of earlier
            steps that are kept, see `Finished`.
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

    @property
    def unit(self) -> float:
        """Of the averages and of what the looks have seen, a power of two.

        Raises:
            CheckpointError: it is missing.
        """
        return float(self._require("unit", ()))

    @property
    def check(self) -> TrainingCheck:
        """What the looks have seen.

        Raises:
            CheckpointError: it is missing.
        """
        return TrainingCheck(
            self._require("check.window", (4,)), self._require("check.looks", (None, 4))
        )

    @property
    def returns(self) -> tuple[Return, ...]:
        """How often the training went back, and why.

        Raises:
            CheckpointError: it is missing.
        """
        return tuple(Return.of_row(row) for row in self._require("returns", (None, 7)).tolist())

    def snapshot(self, name: str, n_channels: int, batches: int, memory: Memory) -> Snapshot | None:
        """A state to go back to; None if it is the one before, as `Finished` lists them.

        Args:
            name: of the state.
            n_channels: of the integrand.
            batches: in a full buffer.
            memory: of the optimiser; says what is expected.

        Raises:
            CheckpointError: it is incomplete or belongs to another training.
        """
        if not (stored := self.under(name)):
            return None
        then = TrainingState(int(self._require(f"{name}.step", (), torch.int64)), stored)
        return Snapshot(
            then.step,
            then.averages(n_channels),
            then._require("active", (n_channels,), torch.bool),
            self.buffer.with_differences(then.under("buffer"), min(then.step, batches)),
            then.check,
            tuple(
                then._require(f"memory.{k}", part.shape, part.dtype)
                for k, part in enumerate(memory)
            ),
        )

    def averages(self, n_channels: int) -> ChannelAverages:
        """Running averages of the channels.

        Raises:
            CheckpointError: they are missing or made for another number of channels.
        """
        stored = self.under("average")
        tensors = [stored.get(field.name, torch.empty(0)) for field in fields(ChannelAverages)]
        if any(tensor.shape != (n_channels,) for tensor in tensors):
            raise CheckpointError(
                f"training state: expected running averages of {n_channels} channels"
            )
        return ChannelAverages(*tensors)

    def load_into(self, integrator: Integrator) -> None:
        """Give the integrator's flow and weights the trained parameters, and drop the channels that were dropped.

        Raises:
            CheckpointError: the state belongs to another flow, other weights or another number of
                channels.
        """
        for prefix, module in modules(integrator).items():
            stored = self.under(prefix)
            with suppress(
                RuntimeError
            ):  # a flow takes the grids of the state; what does not fit is named below
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
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }

    def _require(
        self, name: str, shape: Sequence[int | None], dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """A tensor of this shape, in which None stands for any length."""
        tensor = self.tensors.get(name)
        if tensor is None or tensor.dtype != dtype or not _fits(tensor.shape, shape):
            wanted = f"{dtype} {tuple(shape)}"
            raise CheckpointError(
                f"training state: expected {wanted} as {name}; got {_kind(tensor)}"
            )
        return tensor


@dataclass(frozen=True)
class Snapshot:
    """A moment of a training, to go back to.

    Attributes:
        step: steps finished.
        averages: of the channels.
        active: channels, bool, shape (n_channels,).
        buffer: of points.
        check: what its looks had seen.
        memory: of the optimiser, with the parameters.
    """

    step: int
    averages: ChannelAverages
    active: Tensor
    buffer: SampleBuffer
    check: TrainingCheck
    memory: Memory

    def tensors(self, current: SampleBuffer) -> dict[str, Tensor]:
        """By name, without the batches that the current buffer still has."""
        named = {"average": self.averages.tensors(), "check": self.check.tensors()}
        named["buffer"] = self.buffer.differences(current)
        named["memory"] = {str(k): part for k, part in enumerate(self.memory)}
        flat = {
            f"{prefix}.{name}": part
            for prefix, parts in named.items()
            for name, part in parts.items()
        }
        return flat | {"step": torch.tensor(self.step), "active": self.active}


@dataclass(frozen=True)
class Finished(Snapshot):
    """What the last finished step left behind.

    Attributes:
        recent: the state at the last look. What that look saw came before; whether it is sound, the
            next one tells.
        sound: the one before it: where the training would go back to.
        returns: how often it did, and why.
        spare: memory for the next one.
    """

    recent: Snapshot
    sound: Snapshot
    returns: tuple[Return, ...]
    spare: Memory

    @classmethod
    def at(
        cls,
        now: Snapshot,
        recent: Snapshot,
        sound: Snapshot,
        returns: tuple[Return, ...],
        spare: Memory | None = None,
    ) -> Self:
        """With the state of a moment."""
        state = {field.name: getattr(now, field.name) for field in fields(Snapshot)}
        return cls(
            **state, recent=recent, sound=sound, returns=returns, spare=spare or copied(now.memory)
        )

    @property
    def kept(self) -> dict[str, Snapshot]:
        """The earlier states by name, without repetitions."""
        kept = {"recent": self.recent} if self.recent.step < self.step else {}
        return kept | ({"sound": self.sound} if self.sound.step < self.recent.step else {})

    @property
    def learning_rate_factor(self) -> float:
        """By which the learning rate has become smaller."""
        return SLOWER ** len(self.returns)

    @property
    def attempt(self) -> tuple[str | int, ...]:
        """Tells the random numbers of a step from those of the same step before the training went back."""
        return ("return", len(self.returns)) if self.returns else ()

    def after(self, now: Snapshot, sound: bool) -> Finished:
        """After one more step; a look at its end may have found the state at the look before to be sound."""
        if not sound:
            return Finished.at(now, self.recent, self.sound, self.returns, self.memory)
        return Finished.at(
            now, replace(now, memory=copied(now.memory)), self.recent, self.returns, self.memory
        )

    def returned(self, step: int, fall: Fall) -> Finished:
        """At the last sound state again, because of what a step found."""
        now = replace(self.sound, memory=copied(self.sound.memory, self.spare))
        returns = (*self.returns, Return(step, self.sound.step, fall))
        return Finished.at(now, self.sound, self.sound, returns, self.memory)


def modules(integrator: Integrator) -> dict[str, nn.Module]:
    """What can be trained, by the first part of its tensors' names in a state."""
    return {"flow": integrator.flow, "weights": integrator.weights}


def _fits(shape: torch.Size, expected: Sequence[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        want in (None, size) for size, want in zip(shape, expected, strict=True)
    )


def _kind(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)}"
