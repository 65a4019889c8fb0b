"""Adam on one vector against torch's own on the parameters one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from madnis_py.integration.training.adam import FlatAdam, copied


def parameters() -> dict[str, nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    shapes: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
        "a": ((3, 4), torch.float32),
        "b": ((5,), torch.float64),
        "c": ((2, 1, 7), torch.float32),
        "d": ((), torch.float64),
    }
    return {
        name: nn.Parameter(torch.randn(shape, dtype=dtype, generator=generator))
        for name, (shape, dtype) in shapes.items()
    }


def loss(values: dict[str, nn.Parameter], step: int) -> Tensor:
    return torch.stack([((p.double() - step) ** 4).sum() for p in values.values()]).sum()


def test_steps_are_those_of_torch() -> None:
    ours, theirs = parameters(), parameters()
    flat, reference = FlatAdam(ours), torch.optim.Adam(theirs.values())
    for step in range(20):
        norm = flat.take_gradient(loss(ours, step))
        reference.zero_grad()
        loss(theirs, step).backward()
        expected = torch.nn.utils.get_total_norm(
            [p.grad for p in theirs.values() if p.grad is not None]
        )
        assert float(norm) == pytest.approx(float(expected), rel=1e-5)
        reference.param_groups[0]["lr"] = 0.1 / (step + 1)
        reference.step()
        flat.step(0.1 / (step + 1), scale=1.0)
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-5, atol=1e-6)


def test_parameters_keep_their_values_and_shapes() -> None:
    before, after = parameters(), parameters()
    FlatAdam(after)
    for name in before:
        assert torch.equal(before[name], after[name])


def test_a_parameter_that_the_loss_does_not_see_has_no_gradient() -> None:
    values = parameters()
    flat = FlatAdam(values)
    before = {name: p.detach().clone() for name, p in values.items()}
    flat.take_gradient(values["a"].sum())
    flat.step(0.1, scale=1.0)
    assert [torch.equal(values[name], before[name]) for name in values] == [False, True, True, True]


def test_a_copy_brings_everything_back() -> None:
    def go_on(values: dict[str, nn.Parameter], flat: FlatAdam) -> list[Tensor]:
        for step in range(5):
            flat.take_gradient(loss(values, step))
            flat.step(0.1, scale=0.5)
        return [p.detach().clone() for p in values.values()]

    values = parameters()
    flat = FlatAdam(values)
    go_on(values, flat)
    kept = copied(flat.memory)
    first = go_on(values, flat)
    copied(kept, flat.memory)
    assert all(torch.equal(a, b) for a, b in zip(first, go_on(values, flat), strict=True))


def test_the_mean_follows_the_parameters() -> None:
    values = parameters()
    flat = FlatAdam(values, averaged=True)
    start = values["a"].detach().clone()
    flat.take_gradient(loss(values, 3))
    flat.step(0.1, scale=1.0)
    moved = values["a"].detach().clone()
    flat.follow(0.25)
    flat.adopt_mean()
    torch.testing.assert_close(values["a"].detach(), 0.75 * start + 0.25 * moved)
