"""Integrators in files: the same bits afterwards, and sentences about what does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from integrands import gaussian
from torch import Tensor
from toy_integrands import CamelBack

from madnis_py.errors import CheckpointError, OutputError
from madnis_py.flows.discrete import MixedFlow
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import ChannelWeights, ChannelWeightSettings
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.integration.integrand import FunctionIntegrand
from madnis_py.integrator.integrator import Integrator
from madnis_py.integrator.stored_integrator import StoredIntegrator
from madnis_py.parallel.random_streams import RandomStream

FAST: dict[str, Any] = {"steps": 6, "batch_size": 200, "warmup_steps": 2}


def peak(x: Any) -> Any:
    return np.exp(-np.sum(x**2, axis=1) / 0.02)


def boxed() -> Integrator:
    return Integrator(peak, bounds=[(-1, 1), (-1, 2)], seed=5)


def channels() -> Integrator:
    flow = SplineFlow(1, 2, FlowSettings(bins=4, units=8))
    return Integrator(CamelBack(), flow, ChannelWeights(1, 2, ChannelWeightSettings(units=8)))


def categories() -> Integrator:
    return Integrator(gaussian, MixedFlow([3, 2], 1, 1, FlowSettings(units=8)), dim=3)


def grids() -> Integrator:
    integrand = FunctionIntegrand(gaussian, 2)
    flow, _ = train_vegas(integrand, VegasSettings(iterations=2, points=1000))
    return Integrator(integrand, flow)


CASES: dict[str, tuple[Callable[[], Integrator], bool]] = {
    "a function in a box": (boxed, True),
    "several channels": (channels, True),
    "categories": (categories, True),
    "grids": (grids, False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_integrator_goes_on_with_the_same_bits(name: str, tmp_path: Path) -> None:
    make, trainable = CASES[name]
    original = make()
    if trainable:
        original.train(**FAST)
    original.integrate(500)
    original.save(tmp_path / "it.safetensors")
    integrand = original.integrand
    loaded = Integrator.load(tmp_path / "it.safetensors", integrand)
    assert loaded.steps == original.steps
    assert torch.equal(loaded.active, original.active)
    here = np.full((2, integrand.dim), 0.4)
    for one, other in zip(
        *(
            (
                integrator.sample(300).weight.tolist(),
                integrator.unweight(30, scan=2000).x.tolist(),
                integrator.integrate(1000).value,
                integrator.log_prob(here, 0).tolist(),
            )
            for integrator in (original, loaded)
        ),
        strict=True,
    ):
        assert one == other
    if trainable:
        for integrator in (original, loaded):
            integrator.train(**FAST)
        assert original.sample(10).weight.tolist() == loaded.sample(10).weight.tolist()


def test_a_function_gets_dimension_and_bounds_from_the_file(tmp_path: Path) -> None:
    original = boxed()
    original.save(str(tmp_path / "it"))
    loaded = Integrator.load(str(tmp_path / "it"), peak)
    assert loaded.sample(5).x.tolist() == original.sample(5).x.tolist()


def test_a_file_holds_no_pickle(tmp_path: Path) -> None:
    boxed().save(tmp_path / "it")
    content = (tmp_path / "it").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert "__metadata__" in json.loads(content[8 : 8 + length])
    assert safetensors.torch.load(content)


class UniformFlow(AbstractFlow):
    """A flow of a class that the package does not know."""

    dim, n_channels = 2, 1

    def sample(self, channel: Tensor, stream: RandomStream) -> tuple[Tensor, Tensor]:
        return stream.uniform(len(channel), 2), torch.zeros(len(channel), dtype=torch.float64)

    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        return torch.zeros(len(x), dtype=torch.float64)


def test_flows_of_other_classes_are_brought_along(tmp_path: Path) -> None:
    original = Integrator(gaussian, UniformFlow(), dim=2)
    original.save(tmp_path / "it")
    with pytest.raises(CheckpointError, match="expected flow=, an untrained UniformFlow; got none"):
        Integrator.load(tmp_path / "it", gaussian)
    loaded = Integrator.load(tmp_path / "it", gaussian, UniformFlow())
    assert loaded.sample(4).x.tolist() == original.sample(4).x.tolist()


@pytest.mark.parametrize(
    ("integrand", "sentence"),
    [
        (FunctionIntegrand(peak, 2), r"expected the bounds \(\(-1.0, 1.0\), "),
        (FunctionIntegrand(peak, 3), "expected an integrand with dim = 2; got 3"),
        (
            FunctionIntegrand(peak, n_channels=2, bounds=[(-1, 1), (-1, 2)]),
            "expected an integrand with n_channels = 1; got 2",
        ),
    ],
)
def test_another_integrand_is_refused(
    integrand: FunctionIntegrand, sentence: str, tmp_path: Path
) -> None:
    boxed().save(tmp_path / "it")
    with pytest.raises(CheckpointError, match=sentence):
        Integrator.load(tmp_path / "it", integrand)


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "it"
    with pytest.raises(CheckpointError, match="it: cannot be read: No such file"):
        Integrator.load(path, peak)
    path.write_text("text")
    with pytest.raises(CheckpointError, match="it: expected a safetensors file; got"):
        Integrator.load(path, peak)
    safetensors.torch.save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="expected a madnis_py integrator 1; got something"):
        Integrator.load(path, peak)


def test_damage_is_noticed(tmp_path: Path) -> None:
    boxed().save(tmp_path / "it")
    content = bytearray((tmp_path / "it").read_bytes())
    content[-3] ^= 1
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(CheckpointError, match="it: changed, it is not what was stored"):
        Integrator.load(tmp_path / "it", peak)


@pytest.mark.parametrize(
    ("name", "tensor", "sentence"),
    [
        ("active", torch.tensor([False]), "expected a channel that is active; got none"),
        (
            "sigma",
            torch.tensor([1.0]),
            r"expected torch.float64 \(1,\) as sigma; got torch.float32",
        ),
        ("sigma", torch.tensor([-1.0], dtype=torch.float64), r"expected sigma >= 0; got \[-1.0\]"),
    ],
)
def test_parts_that_mean_nothing_are_refused(
    name: str, tensor: Tensor, sentence: str, tmp_path: Path
) -> None:
    boxed().save(tmp_path / "it")
    stored, tensors = StoredIntegrator.read(tmp_path / "it")
    stored.write(tmp_path / "it", {**tensors, name: tensor})
    with pytest.raises(CheckpointError, match=sentence):
        Integrator.load(tmp_path / "it", peak)


def test_a_place_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        boxed().save(tmp_path / "nowhere" / "it")
