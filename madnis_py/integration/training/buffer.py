"""Buffer of points that a training learns from more than once.

Channels and counts are on the CPU, everything else is where the points were drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from madnis_py.errors import CheckpointError
from madnis_py.flows.flow import channel_there
from madnis_py.integration.samples import Samples
from madnis_py.parallel.random_streams import RandomStream

ON_THE_CPU = ("channel", "counts")
"""Parts of a batch that never move to a device."""


@dataclass(frozen=True)
class Batch:
    """What one step learns from: the points of a batch that have a value.

    On a device those of value 0 are in it, too: they teach nothing, and cost less than to find out
    which they are.

    Attributes:
        channel: sorted, int64, shape (n,), CPU.
        x: points in [0, 1], float64, shape (n, dim).
        log_q: log density of the point in its channel when it was drawn, float64, shape (n,).
        value: f J_i, float64, shape (n,).
        features: float64, shape (n, n_features).
        prior: float64, shape (n, n_channels).
        counts: points drawn per channel, those of value 0 included, int64, shape (n_channels,),
            CPU.
    """

    channel: Tensor
    x: Tensor
    log_q: Tensor
    value: Tensor
    features: Tensor
    prior: Tensor
    counts: Tensor

    @classmethod
    def of(cls, samples: Samples, counts: Tensor) -> Batch:
        """Leave out the points of value 0, on the CPU."""
        live = samples
        if samples.x.is_cpu:
            index = samples.target.nonzero().squeeze(1)
            live = samples if len(index) == len(samples) else samples.select(index)
        return cls(live.channel, live.x, live.log_q, live.target, live.features, live.prior, counts)

    def to(self, device: torch.device) -> Batch:
        """The batch on a device, without waiting for it to arrive there."""
        if device == self.x.device:
            return self
        return Batch(**_moved(self, device))

    def __len__(self) -> int:
        """Number of points that have a value."""
        return len(self.channel)


@dataclass(frozen=True)
class StoredBatch:
    """A batch in little memory.

    It takes 18 + 8 dim + 4 n_features + 6 m bytes per point with m prior weights.

    Of the prior only the m largest weights are kept, always that of the point's own channel, and
    normalised; the others count as 0, Section 5.1.2 of the MadNIS thesis. This changes what is
    learned a little and the integral not at all.

    Attributes:
        channel: int16, or int32 for more than 32767 channels, shape (n,), CPU.
        x: float64, shape (n, dim); a narrow peak needs the digits.
        log_q: float64, shape (n,).
        value: float64, shape (n,).
        features: float32, shape (n, n_features).
        prior: the weights kept, float32, shape (n, m).
        index: the channels that they belong to, dtype of `channel`, shape (n, m).
        counts: int64, shape (n_channels,), CPU.
    """

    channel: Tensor
    x: Tensor
    log_q: Tensor
    value: Tensor
    features: Tensor
    prior: Tensor
    index: Tensor
    counts: Tensor

    @classmethod
    def of(cls, batch: Batch, max_weights: int) -> StoredBatch:
        """Store a batch with at most `max_weights` prior weights per point."""
        n_channels = len(batch.counts)
        small = torch.int16 if n_channels <= torch.iinfo(torch.int16).max else torch.int32
        own = channel_there(batch.channel, batch.x.device).unsqueeze(1)
        index = (
            batch.prior.scatter(1, own, torch.inf).topk(min(max_weights, n_channels), dim=1).indices
        )
        return cls(
            channel=batch.channel.to(small),
            x=batch.x,
            log_q=batch.log_q,
            value=batch.value,
            features=batch.features.float(),
            prior=_normalised(batch.prior.gather(1, index)).float(),
            index=index.to(small),
            counts=batch.counts,
        )

    def restored(self) -> Batch:
        """The batch as training needs it."""
        dense = self.value.new_zeros(len(self.channel), len(self.counts))
        return Batch(
            channel=self.channel.long(),
            x=self.x,
            log_q=self.log_q,
            value=self.value,
            features=self.features.double(),
            prior=dense.scatter(1, self.index.long(), self.prior.double()),
            counts=self.counts,
        )

    def purged(self, active: Tensor) -> StoredBatch:
        """The batch without all points and prior weights of channels that are not active.

        Args:
            active: bool, shape (n_channels,).
        """
        kept = active[self.channel.long()].nonzero().squeeze(1)
        there = kept.to(self.x.device)
        parts = {
            part.name: getattr(self, part.name)[there]
            for part in fields(self)
            if part.name not in ON_THE_CPU
        }
        remain = active.to(self.x.device)[parts["index"].long()]
        parts["prior"] = _normalised(parts["prior"] * remain)
        return StoredBatch(channel=self.channel[kept], **parts, counts=self.counts * active)

    def to(self, device: torch.device) -> StoredBatch:
        """The batch on a device."""
        return self if device == self.x.device else StoredBatch(**_moved(self, device))


@dataclass(frozen=True)
class SampleBuffer:
    """Batches to learn from again.

    A buffer never changes: a batch more makes another one, which shares the other batches.

    Attributes:
        batches: those stored so far, by slot.
    """

    batches: tuple[StoredBatch, ...] = field(default=())

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SampleBuffer:
        """The buffer whose `tensors` these are.

        Raises:
            CheckpointError: they are not those of a buffer.
        """
        slots = _by_slot(tensors)
        return cls(tuple(_stored(slots.get(slot, {})) for slot in range(len(slots))))

    def tensors(self) -> dict[str, Tensor]:
        """Everything in it by "<slot>.<name>"."""
        return self.differences(SampleBuffer())

    def differences(self, other: SampleBuffer) -> dict[str, Tensor]:
        """The batches that are not those of another buffer, by "<slot>.<name>"."""
        shared = {id(batch) for batch in other.batches}
        return {
            f"{slot}.{part.name}": getattr(batch, part.name)
            for slot, batch in enumerate(self.batches)
            if id(batch) not in shared
            for part in fields(batch)
        }

    def with_differences(self, tensors: Mapping[str, Tensor], size: int) -> SampleBuffer:
        """The buffer of so many batches whose `differences` from this one these are.

        Raises:
            CheckpointError: they are not those of a buffer.
        """
        shared = dict(enumerate(self.batches))
        changed = {slot: _stored(parts) for slot, parts in _by_slot(tensors).items()}
        if not set(range(size)) <= (batches := shared | changed).keys():
            raise CheckpointError(
                f"training state: expected {size} batches in its buffer; got {len(batches)}"
            )
        return SampleBuffer(tuple(batches[slot] for slot in range(size)))

    def __len__(self) -> int:
        """Number of batches."""
        return len(self.batches)

    @property
    def memory(self) -> int:
        """Bytes of the stored points."""
        return sum(tensor.nbytes for tensor in self.tensors().values())

    def stored(self, slot: int, batch: StoredBatch) -> SampleBuffer:
        """With a batch in a slot, in place of an older one or at the end."""
        return replace(self, batches=(*self.batches[:slot], batch, *self.batches[slot + 1 :]))

    def to(self, device: torch.device) -> SampleBuffer:
        """With its batches on a device."""
        return replace(self, batches=tuple(batch.to(device) for batch in self.batches))

    def purged(self, active: Tensor) -> SampleBuffer:
        """Without the points of channels that are not `active`, bool, shape (n_channels,)."""
        return replace(self, batches=tuple(batch.purged(active) for batch in self.batches))

    def at(self, position: int, stream: RandomStream) -> StoredBatch:
        """A batch of a pass over the buffer.

        A pass takes the batches whole in random order: points are mixed no further, which would
        need them twice in memory.

        Args:
            position: place in the pass.
            stream: names the pass; at the same position for each batch.
        """
        order = stream.permutation(len(self.batches))
        return self.batches[int(order[position])]


def _moved(batch: Batch | StoredBatch, device: torch.device) -> dict[str, Tensor]:
    """The parts of a batch by name, those that do not stay on the CPU on a device."""
    parts = {part.name: getattr(batch, part.name) for part in fields(batch)}
    return {
        name: tensor if name in ON_THE_CPU else tensor.to(device, non_blocking=True)
        for name, tensor in parts.items()
    }


def _normalised(weights: Tensor) -> Tensor:
    total = weights.sum(dim=1, keepdim=True)
    return weights / torch.where(total > 0, total, 1.0)


def _by_slot(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    slots: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in tensors.items():
        slot, _, part = name.partition(".")
        if not slot.isdecimal():
            raise CheckpointError(
                f"training state: its buffer is not one: expected a slot in the name; got {name}"
            )
        slots[int(slot)][part] = tensor
    return slots


def _stored(parts: Mapping[str, Tensor]) -> StoredBatch:
    try:
        return StoredBatch(**parts)
    except TypeError as error:
        raise CheckpointError(f"training state: its buffer is not one: {error}") from None
