from __future__ import annotations

import pytest
import torch
from torch import Tensor

from madnis_py.errors import CheckpointError
from madnis_py.integration.samples import Samples
from madnis_py.integration.training.buffer import Batch, SampleBuffer, StoredBatch
from madnis_py.parallel.random_streams import stream, torch_generator

DIM, FEATURES = 3, 2


def uniform(name: str, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch_generator(7, name), dtype=torch.float64)


def batch(n_channels: int = 6, per_channel: int = 20, seed: str = "") -> Batch:
    counts = torch.full((n_channels,), per_channel)
    channel = torch.arange(n_channels).repeat_interleave(counts)
    n = len(channel)
    value = uniform(f"value{seed}", n) - 0.3
    value[::7] = 0.0
    prior = uniform(f"prior{seed}", n, n_channels) ** 4 * 1e-20
    samples = Samples(
        channel=channel,
        x=uniform(f"x{seed}", n, DIM),
        log_q=uniform(f"log q{seed}", n),
        target=value,
        features=uniform(f"features{seed}", n, FEATURES),
        prior=prior,
        weight=value,
        magnitude=value.abs(),
    )
    return Batch.of(samples, counts)


def tensors(stored: StoredBatch) -> dict[str, Tensor]:
    return SampleBuffer((stored,)).tensors()


def equal(a: SampleBuffer, b: SampleBuffer) -> bool:
    one, other = a.tensors(), b.tensors()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_points_of_value_zero_are_left_out_but_counted() -> None:
    points = batch()
    assert len(points) == 120 - 18
    assert (points.value != 0).all()
    assert points.counts.sum() == 120


def test_with_room_for_all_channels_the_whole_normalised_prior_comes_back() -> None:
    points = batch()
    restored = StoredBatch.of(points, 75).restored()
    expected = points.prior / points.prior.sum(dim=1, keepdim=True)
    assert torch.allclose(restored.prior, expected, rtol=1e-6, atol=0)
    for name in ("channel", "x", "log_q", "value", "counts"):
        assert torch.equal(getattr(restored, name), getattr(points, name))
    assert torch.allclose(restored.features, points.features, rtol=1e-6)


@pytest.mark.parametrize("m", [1, 2, 4])
def test_the_largest_weights_are_kept_always_with_that_of_the_own_channel(m: int) -> None:
    points = batch()
    restored = StoredBatch.of(points, m).restored().prior
    own = torch.nn.functional.one_hot(points.channel, 6).bool()
    others = points.prior.masked_fill(own, -1.0)
    threshold = others.sort(dim=1, descending=True).values[:, m - 1 : m]
    kept = torch.where(own | (others > threshold), points.prior, 0.0)
    assert ((kept > 0).sum(dim=1) == m).all()
    assert torch.allclose(restored, kept / kept.sum(dim=1, keepdim=True), rtol=1e-6, atol=0)


@pytest.mark.parametrize(("n_channels", "m"), [(6, 4), (6, 75), (200, 75)])
def test_a_point_takes_the_bytes_that_the_documentation_says(n_channels: int, m: int) -> None:
    points = batch(n_channels)
    kept = min(m, n_channels)
    per_point = 18 + 8 * DIM + 4 * FEATURES + 6 * kept
    buffer = SampleBuffer((StoredBatch.of(points, m),))
    assert buffer.memory == per_point * len(points) + 8 * n_channels


def test_the_memory_measured_is_that_of_the_storage_behind_the_tensors() -> None:
    buffer = SampleBuffer((StoredBatch.of(batch(200), 10),))
    storages = {
        t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
        for t in buffer.tensors().values()
    }
    assert sum(storages.values()) == buffer.memory


def test_a_purged_batch_is_one_that_never_had_the_channels() -> None:
    points = batch()
    active = torch.tensor([True, False, True, True, False, True])
    restored = StoredBatch.of(points, 3).purged(active).restored()
    before = StoredBatch.of(points, 3).restored()
    kept = active[points.channel]
    assert restored.counts.tolist() == [20, 0, 20, 20, 0, 20]
    assert torch.equal(restored.x, points.x[kept])
    assert torch.equal(restored.channel, points.channel[kept])
    assert (restored.prior[:, ~active] == 0).all()
    expected = before.prior[kept] * active
    assert torch.allclose(
        restored.prior, expected / expected.sum(dim=1, keepdim=True), rtol=1e-6, atol=0
    )


def test_a_batch_takes_the_place_of_an_older_one_and_leaves_the_older_buffer_alone() -> None:
    a, b, c = (StoredBatch.of(batch(seed=s), 3) for s in "abc")
    first = SampleBuffer().stored(0, a).stored(1, b)
    second = first.stored(0, c)
    assert first.batches == (a, b)
    assert second.batches == (c, b)


def test_a_pass_takes_every_batch_once_in_an_order_that_its_stream_names() -> None:
    buffer = SampleBuffer(tuple(StoredBatch.of(batch(seed=str(k)), 3) for k in range(8)))

    def order(sweep: int) -> list[int]:
        taken = [buffer.at(position, stream(1, "buffer", sweep)) for position in range(8)]
        return [[one is batch for batch in buffer.batches].index(True) for one in taken]

    assert sorted(order(0)) == list(range(8))
    assert order(0) == order(0)
    assert order(0) != order(1)


def test_a_buffer_comes_back_from_its_tensors() -> None:
    buffer = SampleBuffer(tuple(StoredBatch.of(batch(seed=str(k)), 3) for k in range(12)))
    assert equal(SampleBuffer.from_tensors(buffer.tensors()), buffer)
    assert len(SampleBuffer.from_tensors({})) == 0


def test_tensors_that_are_no_buffer_are_refused() -> None:
    stored = tensors(StoredBatch.of(batch(), 3))
    del stored["0.value"]
    with pytest.raises(CheckpointError, match="its buffer is not one"):
        SampleBuffer.from_tensors(stored)
