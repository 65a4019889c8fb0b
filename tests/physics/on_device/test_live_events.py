"""Events that live on, against where numpy finds them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from madnis_py.physics.on_device.live_events import LiveEvents


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_live_events_are_where_the_mask_says_in_ascending_order(n: int, share: float) -> None:
    mask = np.random.default_rng(n).random(n) < share
    live = LiveEvents.of(torch.from_numpy(mask))
    expected = np.flatnonzero(mask)
    assert live.count.tolist() == [len(expected)]
    assert live.positions[: len(expected)].tolist() == expected.tolist()
    assert (live.n, live.positions.dtype, live.count.dtype) == (n, torch.int64, torch.int64)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_all_events_of_a_batch_live(n: int) -> None:
    live, masked = (
        LiveEvents.all(n, torch.device("cpu")),
        LiveEvents.of(torch.ones(n, dtype=torch.bool)),
    )
    assert live.positions.tolist() == masked.positions.tolist() == list(range(n))
    assert live.count.tolist() == masked.count.tolist() == [n]
