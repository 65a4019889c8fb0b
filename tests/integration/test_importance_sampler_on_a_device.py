"""Integration and training where the points are on a device."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from integrands import gaussian
from torch import Tensor
from waiting import WITHOUT_VALUES

from madnis_py.devices.device import device_of
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.block_sampler import BlockSampler, _EvaluationCheck, _LaterCheck
from madnis_py.integration.grids.vegas_flow import VegasFlow, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler, move_to
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand
from madnis_py.integration.samples import Samples
from madnis_py.integration.training.buffer import Batch, StoredBatch
from madnis_py.integration.training.losses import LOSSES
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer

COUNTS = torch.tensor([70, 0, 50])


def two_peaks() -> FunctionIntegrand:
    return FunctionIntegrand(gaussian, dim=2, n_channels=3, prior=lambda x: x.new_ones(len(x), 3))


def test_a_function_of_torch_has_the_integral_of_the_cpu_on_a_device() -> None:
    here, there = (
        ImportanceSampler(gaussian, dim=2, device=device).integrate(20_000)
        for device in (None, "emulated")
    )
    assert (there.value, there.error) == pytest.approx((here.value, here.error), rel=1e-12)


def test_grids_of_a_device_are_those_of_the_cpu() -> None:
    (here, _), (there, _) = (
        train_vegas(two_peaks(), device=device) for device in (None, device_of("emulated"))
    )
    torch.testing.assert_close(there.grid, here.grid, rtol=1e-12, atol=0)


def test_points_of_grids_follow_to_a_device_without_waiting_for_it() -> None:
    sampler = ImportanceSampler(two_peaks(), VegasFlow.uniform(2, 3, 8), device=WITHOUT_VALUES)
    samples = sampler.sample_ahead(COUNTS, "ahead")
    assert samples.x.device.type == samples.log_q.device.type == "meta"


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("groups", [None, (0, 1, 0)])
def test_a_step_of_a_training_waits_for_nothing_before_its_end(
    loss: str, groups: tuple[int, ...] | None
) -> None:
    integrand = two_peaks()
    integrand.groups = groups
    settings = TrainingSettings(steps=10, batch_size=120, loss=loss, gradient_clip=1.0)
    trainer = Trainer(ImportanceSampler(integrand, flow(groups)), settings)
    sampler = trainer.sampler
    for module in (sampler.flow, sampler.weights):
        move_to(module, WITHOUT_VALUES)
    sampler.device = WITHOUT_VALUES
    samples = sampler.sample_ahead(COUNTS, "train", 0)
    assert samples.weight.is_meta
    update = type(trainer._update)(sampler, settings)
    batch = Batch.of(samples.in_unit(2.0), COUNTS)
    size = trainer._averages.size_with(samples, COUNTS, 0)
    update(batch, size, 1e-3, fresh=True)
    stored = StoredBatch.of(batch, max_weights=2)
    update(stored.restored(), size, 1e-3, fresh=False)
    assert {part.device.type for part in update.adam.memory} == {"meta"}


def flow(groups: tuple[int, ...] | None) -> SplineFlow:
    return SplineFlow(2, 3, FlowSettings(bins=4, units=8), groups=groups)


def test_points_of_a_worker_come_to_the_cpu() -> None:
    samples = ImportanceSampler(two_peaks(), device="emulated").sample(COUNTS, "worker")
    assert samples.to(torch.device("meta")).to(torch.device("meta")).x.is_meta
    again = pickle.loads(pickle.dumps(samples))
    assert all(torch.equal(vars(again)[name], part) for name, part in vars(samples).items())


@dataclass
class Spoilt(AbstractIntegrand):
    """Two channels of one dimension, after something has spoilt what they return."""

    spoil: Callable[[Evaluation], Evaluation]
    dim, n_channels, n_features = 1, 2, 1

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        value = 1.0 + x[:, 0]
        return self.spoil(Evaluation(value, x.clone(), x.new_ones(len(x), 2), 2 * value))


def with_bad(name: str, number: float) -> Callable[[Evaluation], Evaluation]:
    def spoil(evaluation: Evaluation) -> Evaluation:
        getattr(evaluation, name)[3] = number
        return evaluation

    return spoil


SPOILT = {
    "nothing": lambda evaluation: evaluation,
    "nan value": with_bad("value", torch.nan),
    "infinite features": with_bad("features", torch.inf),
    "nan prior": with_bad("prior", torch.nan),
    "negative prior": with_bad("prior", -1.0),
    "no prior": with_bad("prior", 0.0),
    "small magnitude": with_bad("magnitude", 0.5),
    "infinite magnitude": with_bad("magnitude", torch.inf),
}


@pytest.mark.parametrize("name", SPOILT)
def test_weights_are_nan_where_a_device_was_not_asked_whether_they_can_be_used(name: str) -> None:
    sampler = ImportanceSampler(Spoilt(SPOILT[name]))
    (block,) = sampler._blocks(torch.tensor([5, 5]))
    block_sampler: BlockSampler = sampler._block_sampler

    def weights(checked: type[_EvaluationCheck]) -> Samples:
        with torch.no_grad():
            return block_sampler._sample(("check",), block, checked)

    found = weights(_LaterCheck).weight
    assert found.isnan().all() if name != "nothing" else found.isfinite().all()
