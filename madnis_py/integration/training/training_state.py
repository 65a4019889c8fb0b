"""State of a training after each step, complete enough to go on from, as tensors by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor, nn

from madnis_py.errors import CheckpointError
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.adam import FlatAdam, Memory, copied
from madnis_py.integration.training.buffer import SampleBuffer
from madnis_py.integration.training.channel_averages import ChannelAverages
from madnis_py.integration.training.rollback import RATE_FACTOR, Deficit, IntegralCheck, Rollback
from madnis_py.parallel.random_streams import RANDOM_NUMBERS

_RANDOM_NUMBERS = torch.tensor(list(RANDOM_NUMBERS.encode()), dtype=torch.uint8)
"""Name of the random numbers as a state has it."""


@dataclass(frozen=True)
class TrainingState:
    """Everything that the next step depends on; continuing from it changes no bit of the result.

    Attributes:
        step: steps finished.
        tensors: by name: `flow.*` and `weights.*` of the model, `adam.*` of the optimiser,
            `average.*` of `ChannelAverages`, the `active` channels, `buffer.*` of the
            `SampleBuffer`, `check.*` of the `IntegralCheck`, the `unit` of these figures, the rows
            of every `Rollback` as `returns`, the name of the `random_numbers` as UTF-8, and
            `recent.*` and `sound.*` of the recent and the trusted state of earlier steps, see
            `FinishedStep`.
    """

    step: int
    tensors: Mapping[str, Tensor]

    @classmethod
    def of(
        cls,
        last: FinishedStep,
        sampler: ImportanceSampler,
        adam: FlatAdam,
        unit: float,
        ended: bool,
    ) -> Self:
        """The state after a step.

        Args:
            last: what the step left behind.
            sampler: whose flow and weights are trained.
            adam: the optimiser.
            unit: of averages and looks.
            ended: whether no step follows, so that earlier states need not be kept.
        """
        tensors = {f"average.{name}": tensor for name, tensor in last.averages.tensors().items()}
        tensors["active"] = last.active
        for prefix, module in modules(sampler).items():
            tensors |= {
                f"{prefix}.{name}": tensor.clone() for name, tensor in module.state_dict().items()
            }
        tensors |= {f"adam.{name}": tensor.clone() for name, tensor in adam.tensors().items()}
        tensors |= {f"buffer.{name}": tensor for name, tensor in last.buffer.tensors().items()}
        tensors |= {f"check.{name}": tensor for name, tensor in last.check.tensors().items()}
        tensors["unit"] = torch.tensor(unit, dtype=torch.float64)
        tensors["random_numbers"] = _RANDOM_NUMBERS
        rows = [one.row for one in last.rollbacks]
        tensors["returns"] = torch.tensor(rows, dtype=torch.float64).reshape(-1, 7)
        for prefix, snapshot in last.kept.items() if not ended else ():
            stored = snapshot.tensors(last.buffer)
            tensors |= {f"{prefix}.{name}": tensor for name, tensor in stored.items()}
        return cls(last.step, tensors)

    @property
    def sigma(self) -> Tensor:
        """Running sigma_i, float64, shape (n_channels,), as `ImportanceSampler.integrate` takes."""
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
        """Unit of the averages and of the figures of the looks, a power of two.

        Raises:
            CheckpointError: it is missing.
        """
        return float(self._require("unit", ()))

    @property
    def random_numbers(self) -> str:
        """What the random numbers of its steps came from; earlier builds did not say it.

        Raises:
            CheckpointError: what is stored is no name.
        """
        if "random_numbers" not in self.tensors:
            return "mt19937"
        name = self._require("random_numbers", (None,), torch.uint8)
        return bytes(name.tolist()).decode(errors="replace")

    def require_random_numbers(self) -> None:
        """Refuse to go on with other random numbers than before.

        Raises:
            CheckpointError: they came from something else.
        """
        if self.random_numbers != RANDOM_NUMBERS:
            raise CheckpointError(
                f"training state: expected one with random numbers of {RANDOM_NUMBERS}; got one "
                f"with those of {self.random_numbers}, after {self.step:,} steps, and the next "
                "steps would be others than with these; begin the training anew"
            )

    def with_random_numbers_of_this_build(self) -> TrainingState:
        """The same, for someone who goes on with it although the next steps will be others."""
        return replace(self, tensors={**self.tensors, "random_numbers": _RANDOM_NUMBERS})

    @property
    def check(self) -> IntegralCheck:
        """The looks so far.

        Raises:
            CheckpointError: it is missing.
        """
        return IntegralCheck(
            self._require("check.window", (4,)), self._require("check.looks", (None, 4))
        )

    @property
    def rollbacks(self) -> tuple[Rollback, ...]:
        """How often the training went back, and why.

        Raises:
            CheckpointError: it is missing.
        """
        return tuple(Rollback.of_row(row) for row in self._require("returns", (None, 7)).tolist())

    def snapshot(self, name: str, n_channels: int, batches: int, memory: Memory) -> Snapshot | None:
        """A state to go back to; None if it is the same as the one before it in `FinishedStep`.

        Args:
            name: "recent" or "sound".
            n_channels: number of channels of the integrand.
            batches: number of batches in a full buffer.
            memory: of the optimiser; has the shapes and types that are expected.

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

    def load_into(self, sampler: ImportanceSampler) -> None:
        """Give a sampler the trained parameters, and drop the channels that were dropped.

        Raises:
            CheckpointError: the state belongs to another flow, other weights or another number of
                channels, or has no channel left.
        """
        for prefix, module in modules(sampler).items():
            stored = self.under(prefix)
            with suppress(RuntimeError):  # what does not fit is named below
                module.load_state_dict(stored)  # a flow takes the grids of the state
            expected = module.state_dict()
            for name in sorted(expected.keys() | stored.keys()):
                wanted, got = _kind(expected.get(name)), _kind(stored.get(name))
                if wanted != got:
                    raise CheckpointError(
                        f"training state: made for another {prefix}: "
                        f"expected {wanted} as {prefix}.{name}; got {got}"
                    )
        active = self._require("active", sampler.active.shape, torch.bool)
        if not active.any():
            raise CheckpointError("training state: expected a channel that is active; got none")
        sampler.active = active

    def load_into_optimiser(self, adam: FlatAdam) -> None:
        """Give the optimiser its moments and its count of steps.

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
    check: IntegralCheck
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
class FinishedStep(Snapshot):
    """The last finished step, with the earlier states that the training may go back to.

    Attributes:
        recent: the state at the last look. What that look saw came before it; the next look tells
            whether the state is to be trusted.
        trusted: the state to go back to, at a look before.
        rollbacks: how often the training went back, and why.
        spare: memory for the next step.
    """

    recent: Snapshot
    trusted: Snapshot
    rollbacks: tuple[Rollback, ...]
    spare: Memory

    @classmethod
    def at(
        cls,
        now: Snapshot,
        recent: Snapshot,
        trusted: Snapshot,
        rollbacks: tuple[Rollback, ...],
        spare: Memory | None = None,
    ) -> Self:
        """The step that left the state `now`."""
        state = {field.name: getattr(now, field.name) for field in fields(Snapshot)}
        return cls(
            **state,
            recent=recent,
            trusted=trusted,
            rollbacks=rollbacks,
            spare=spare or copied(now.memory),
        )

    @property
    def kept(self) -> dict[str, Snapshot]:
        """The earlier states by their name in a `TrainingState`, without repetitions."""
        kept = {"recent": self.recent} if self.recent.step < self.step else {}
        return kept | ({"sound": self.trusted} if self.trusted.step < self.recent.step else {})

    @property
    def learning_rate_factor(self) -> float:
        """Factor by which the learning rate has become smaller."""
        return RATE_FACTOR ** len(self.rollbacks)

    @property
    def attempt(self) -> tuple[str | int, ...]:
        """Part of the names of random streams, to tell a step from itself before a rollback."""
        return ("return", len(self.rollbacks)) if self.rollbacks else ()

    def after(self, now: Snapshot, trusted: bool) -> FinishedStep:
        """One more step, at whose end a look may have found the recent state to be trusted."""
        if not trusted:
            return FinishedStep.at(now, self.recent, self.trusted, self.rollbacks, self.memory)
        return FinishedStep.at(
            now, replace(now, memory=copied(now.memory)), self.recent, self.rollbacks, self.memory
        )

    def rolled_back(self, step: int, deficit: Deficit) -> FinishedStep:
        """The trusted state again, because of a deficit that a step found."""
        now = replace(self.trusted, memory=copied(self.trusted.memory, self.spare))
        rollbacks = (*self.rollbacks, Rollback(step, self.trusted.step, deficit))
        return FinishedStep.at(now, self.trusted, self.trusted, rollbacks, self.memory)


def modules(sampler: ImportanceSampler) -> dict[str, nn.Module]:
    """What can be trained, by the first part of its tensors' names in a state."""
    return {"flow": sampler.flow, "weights": sampler.weights}


def _fits(shape: torch.Size, expected: Sequence[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        want in (None, size) for size, want in zip(shape, expected, strict=True)
    )


def _kind(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)}"
