"""An update waits for nothing: shown on the CPU, and on the device "meta".

Tensors have no values there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
import torch
from integrands import Mirrored
from torch import Tensor
from waiting import NoWaiting

from madnis_py.errors import MadnisError
from madnis_py.flows.blocks import GridBlock
from madnis_py.flows.discrete import MixedFlow
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import ChannelWeights, ChannelWeightSettings
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.adam import FlatAdam
from madnis_py.integration.training.buffer import Batch
from madnis_py.integration.training.losses import LOSSES
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer

SMALL = FlowSettings(bins=4, units=8)


def with_grid() -> SplineFlow:
    result = SplineFlow(2, 3, SMALL, fused=False)
    edges = torch.tensor([0.0, 0.2, 0.7, 1.0], dtype=torch.float64).expand(3, 2, 4)
    result.start_from(
        torch.zeros(3 * SMALL.bins + 1, 3, 2, dtype=torch.float64), GridBlock.smooth(edges)
    )
    return result


FLOWS: dict[str, Callable[[], AbstractFlow]] = {
    "spline": lambda: SplineFlow(2, 3, SMALL, fused=False),
    "groups": lambda: SplineFlow(2, 3, SMALL, groups=[0, 1, 0], fused=False),
    "grid": with_grid,
    "periodic": lambda: SplineFlow(2, 3, FlowSettings(bins=4, units=8, periodic=(1,)), fused=False),
    "affine": lambda: SplineFlow(2, 3, FlowSettings(units=8, transform="affine")),
    "soft": lambda: SplineFlow(2, 3, FlowSettings(units=8, transform="affine", permutation="soft")),
    "discrete": lambda: MixedFlow([3], 1, 3, SMALL),
    "discrete alone": lambda: MixedFlow([3, 2], 0, 3, SMALL),
}
PLAIN = TrainingSettings(steps=10, batch_size=100)


def trainer_and_batch(
    flow: AbstractFlow, settings: TrainingSettings = PLAIN
) -> tuple[Trainer, Batch]:
    """A trainer that has seen a step, and the points of the next one.

    `Mirrored` has a symmetry of channels.
    """
    integrand = Mirrored()
    weights = ChannelWeights(integrand.n_features, 3, ChannelWeightSettings(units=8))
    trainer = Trainer(ImportanceSampler(integrand, flow, weights, seed=3), settings)
    trainer.step()
    counts = torch.tensor([40, 31, 29])
    return trainer, Batch.of(trainer.sampler.sample(counts, "update"), counts)


def update(trainer: Trainer, batch: Batch, fresh: bool) -> tuple[Tensor, Tensor]:
    """Loss and norm of the gradient of an update, at the size that the trainer knows."""
    return trainer._update(batch, trainer._averages.size.sum(), 1e-3, fresh)


@pytest.mark.parametrize("name", FLOWS)
def test_the_update_asks_for_no_value(name: str) -> None:
    trainer, batch = trainer_and_batch(FLOWS[name]())
    with NoWaiting():
        loss, norm = update(trainer, batch, fresh=True)
    assert float(norm) > 0
    assert loss.dtype == norm.dtype == torch.float64


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_asks_for_a_value(loss: str) -> None:
    settings = PLAIN.model_copy(update={"loss": loss, "gradient_clip": 1.0})
    trainer, batch = trainer_and_batch(FLOWS["spline"](), settings)
    with NoWaiting():
        update(trainer, batch, fresh=False)


def test_a_wait_would_be_noticed() -> None:
    x = torch.ones(3)
    waits: list[Callable[[], object]] = [
        lambda: x.sum().item(), lambda: bool(x.sum() > 0), lambda: x.nonzero(), lambda: x[x > 0],
        lambda: torch.equal(x, x), lambda: torch.where(x > 0),
    ]  # fmt: skip
    for wait in waits:
        with pytest.raises(AssertionError, match="the host waits"), NoWaiting():
            wait()


def moved(trainer: Trainer, device: str) -> Trainer:
    """The trainer with its networks on a device."""
    trainer.sampler.flow.to(device)
    trainer.sampler.weights.to(device)
    trainer._update.adam = FlatAdam(trainer._update.parameters())
    return trainer


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", FLOWS)
def test_the_update_stays_on_the_device_of_the_networks(name: str, loss: str) -> None:
    """Tensors on the device "meta" have no values to read and refuse to meet those of the CPU."""
    settings = PLAIN.model_copy(update={"loss": loss, "gradient_clip": 1.0})
    trainer, batch = trainer_and_batch(FLOWS[name](), settings)
    results = update(moved(trainer, "meta"), batch, fresh=True)
    assert [(result.device.type, result.shape, result.dtype) for result in results] == [
        ("meta", torch.Size(()), torch.float64)
    ] * 2
    assert {tensor.device.type for tensor in trainer._update.adam.memory} == {"meta"}


def test_a_batch_moves_as_a_whole_but_for_channels_and_counts() -> None:
    _, batch = trainer_and_batch(FLOWS["spline"]())
    there = batch.to(torch.device("meta"))
    places = {part.name: getattr(there, part.name).device.type for part in fields(there)}
    here = {"channel": "cpu", "counts": "cpu"}
    assert places == dict.fromkeys(places, "meta") | here
    assert batch.to(torch.device("cpu")) is batch


def test_an_update_that_fails_leaves_the_parameters_that_the_message_speaks_of() -> None:
    trainer, _ = trainer_and_batch(FLOWS["spline"]())
    before = {name: p.detach().clone() for name, p in trainer._update.parameters().items()}
    handle = next(trainer.sampler.flow.parameters()).register_hook(
        lambda gradient: gradient * torch.nan
    )
    with pytest.raises(
        MadnisError, match=r"gradient is nan at step 1, largest weight [0-9.e+-]+ in channel"
    ):
        trainer.step()
    handle.remove()
    assert all(torch.equal(p, before[name]) for name, p in trainer._update.parameters().items())


def test_a_stored_training_of_a_flow_with_grids_goes_on_in_a_flow_that_has_none_yet() -> None:
    trainer, _ = trainer_and_batch(with_grid())
    weights = ChannelWeights(
        trainer.sampler.integrand.n_features, 3, ChannelWeightSettings(units=8)
    )
    fresh = ImportanceSampler(Mirrored(), SplineFlow(2, 3, SMALL, fused=False), weights, seed=3)
    resumed = Trainer(fresh, PLAIN, trainer.state)
    for one in (trainer, resumed):
        one.step()
    first, second = trainer.state.tensors, resumed.state.tensors
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
