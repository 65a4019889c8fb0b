"""Rates of kernels on a device beside the processor of the same machine, and their bandwidth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import numpy as np
import torch
from gaussian_mixture import GaussianMixture
from gpu_cards import Sizes, cross_section_of, moved, points_of, seconds_of
from gpu_correctness import trained_flow
from matrix_element_side import ALPHA_S, make_amplitude, make_momenta
from side_by_side import Row
from torch import Tensor

from madnis_py.devices.device import Device
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.observables.features import features
from madnis_py.physics.observables.scales import Scale
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.physics.on_device.densities_on_device import densities_on_device
from madnis_py.physics.on_device.kinematics_on_device import KinematicsOnDevice
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.maps_on_device import MapsOnDevice
from madnis_py.physics.on_device.matrix_elements_on_device import matrix_element_on_device
from madnis_py.physics.on_device.selection_on_device import SelectionOnDevice

FLOW_DIM, FLOW_CHANNELS, TRAINING_POINTS = 10, 8, 10_000
"""Of the flow that is sampled and trained."""

GLUONS = ("g g > t t~", "g g > t t~ g", "g g > t t~ g g", "g g > t t~ g g g")

MARKS = {GLUONS[2]: 1.5e6, GLUONS[3]: 5e4, "sampling": 3e7}
"""What a GPU of the class of an H200 should reach in a second."""

V100S = {GLUONS[2]: 4.4e5, GLUONS[3]: 1.3e4}
"""|M|^2 in a second of code that MadGraph generated on a V100S, double precision."""

TRAINING_MARK = 10.0
"""Times that a training step should be faster than on the processor."""


@dataclass(frozen=True)
class Rates:
    """Measures the same work on a device and on the processor.

    Attributes:
        device: measured.
        sizes: how long.
    """

    device: Device
    sizes: Sizes

    def row(
        self,
        what: str,
        n: int,
        on_device: Callable[[], object],
        here: Callable[[int], Callable[[], object]],
        unit: str = "/s",
        moved_bytes: float = 0.0,
    ) -> Row:
        """Rates of both sides.

        Args:
            what: is done.
            n: how often in a call of `on_device`.
            on_device: the work.
            here: makes the same work on the processor, of so many points.
            unit: of the rate.
            moved_bytes: that the device has to read and write for one point; 0 if unknown.
        """
        at_least = self.sizes.seconds
        rate = n / seconds_of(on_device, self.device, at_least)
        few = max(1, int(n * self.sizes.processor_share))
        beside = few / seconds_of(here(few), None, at_least)
        found: Row = {"what": what, "device": rate, "processor": beside, "unit": unit}
        found["ratio"] = rate / beside
        notes = []
        if moved_bytes:
            share = rate * moved_bytes / self.copy_speed
            notes.append(f"{rate * moved_bytes / 1e9:.3g} GB/s, {share:.0%} of a copy")
        if mark := next((value for name, value in MARKS.items() if what.endswith(name)), None):
            notes.append(f"mark {mark:.2g}")
        if known := V100S.get(what):
            notes.append(f"generated code on a V100S {known:.2g}")
        return {**found, "note": ", ".join(notes)}

    @property
    def copy_speed(self) -> float:
        """Bytes that the device reads and writes in a second when it copies memory."""
        numbers = max(self.sizes.batch * 64, 1)
        source = torch.zeros(numbers, dtype=torch.float64, device=self.device.torch_device)
        target = torch.empty_like(source)
        seconds = seconds_of(lambda: target.copy_(source), self.device, self.sizes.seconds)
        return 2 * 8 * numbers / seconds


def matrix_elements(device: Device, sizes: Sizes) -> Iterator[Row]:
    """|M|^2 in double precision, summed over helicities and colours, with more and more gluons."""
    rates = Rates(device, sizes)
    with TemporaryDirectory() as folder:
        for process, n in zip(GLUONS, sizes.tape_batch, strict=False):
            yield _of_amplitude(rates, make_amplitude(process, folder), process, n)


def _of_amplitude(rates: Rates, amplitude: TreeAmplitude, process: str, n: int) -> Row:
    device = rates.device.torch_device
    element = matrix_element_on_device(amplitude, rates.device.kernels)
    p, live = moved(make_momenta(amplitude, n), device), LiveEvents.all(n, device)
    alpha_s = torch.full((n,), ALPHA_S, dtype=torch.float64, device=device)

    def here(few: int) -> Callable[[], object]:
        points = make_momenta(amplitude, few)
        return lambda: amplitude.squared(points, ALPHA_S)

    return rates.row(process, n, lambda: element.squared(p, alpha_s, live), here)


def integrand(device: Device, sizes: Sizes) -> Iterator[Row]:
    """The steps of the integrand of t t~ j, and the whole of it."""
    rates, n = Rates(device, sizes), sizes.batch
    cross_section = cross_section_of("ttbar_1j")
    x, channel = (part.to(device.torch_device) for part in points_of(cross_section, n))
    maps = MapsOnDevice([one.mapping for one in cross_section.channels], device.kernels)
    legs = cross_section.flavours.shape[1]
    per_event, per_point = 8 * 4 * legs, 8 * cross_section.dim
    yield rates.row(
        "phase space",
        n,
        lambda: maps.forward(x, channel),
        lambda few: _call(cross_section.momenta, *points_of(cross_section, few)),
        "points/s",
        per_point + 8 + per_event + 8,
    )
    p, jacobian = maps.forward(x, channel)
    yield from _of_momenta(rates, cross_section, p, jacobian)
    on_device = CrossSectionOnDevice(cross_section, device)
    channel_here = channel.cpu()
    yield rates.row(
        "whole integrand",
        n,
        lambda: on_device.evaluate(x, channel_here),
        lambda few: _call(cross_section.evaluate, *points_of(cross_section, few)),
        "points/s",
    )


def _of_momenta(
    rates: Rates, cross_section: CrossSection, p: Tensor, jacobian: Tensor
) -> Iterator[Row]:
    process, kernels, n = cross_section.process, rates.device.kernels, len(p)
    per_event = 8 * 4 * p.shape[1]
    selection = SelectionOnDevice(process.selection, p.shape[1], kernels)
    acceptance = Acceptance(process.selection)
    kinematics = KinematicsOnDevice(kernels)
    scale = Scale(process.card.scales.factorizations[0], process.card.scales.factorization_factor)
    densities = densities_on_device(cross_section.luminosity, kernels)
    live, q2 = LiveEvents.all(n, p.device), kinematics.scale(p, scale) ** 2

    def momenta(few: int) -> tuple[np.ndarray, np.ndarray]:
        return cross_section.momenta(*points_of(cross_section, few))

    yield rates.row(
        "cuts",
        n,
        lambda: selection.passes(p, jacobian),
        lambda few: _call(acceptance.passes, momenta(few)[0]),
        "events/s",
        per_event + 8 + 1,
    )
    yield rates.row(
        "features",
        n,
        lambda: kinematics.features(p, True),
        lambda few: _call(features, momenta(few)[0], True),
        "events/s",
        per_event + 8 * cross_section.n_features,
    )

    def densities_here(few: int) -> Callable[[], object]:
        points = momenta(few)[0]
        return _call(cross_section.luminosity.evaluate, points, scale(points) ** 2)

    yield rates.row(
        "PDFs of both partons",
        n,
        lambda: densities.evaluate(p, q2, live),
        densities_here,
        "events/s",
    )


def flows(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Sampling and training of a flow of usual size."""
    rates, n = Rates(device, sizes), sizes.batch
    on_device, here = (trained_flow(FLOW_DIM, FLOW_CHANNELS, one) for one in (device, None))

    def sampling(flow: SplineFlow, count: int) -> Callable[[], object]:
        channel = torch.arange(count) * FLOW_CHANNELS // count
        return _call(flow.sample, channel, stream(1, "benchmark flows"))

    yield rates.row(
        "flow sampling", n, sampling(on_device, n), lambda few: sampling(here, few), "points/s"
    )
    trainers = [_trainer(one, sizes) for one in (device, None)]
    seconds = [
        seconds_of(trainer.step, place, sizes.seconds)
        for trainer, place in zip(trainers, (device, None), strict=True)
    ]
    yield {
        "what": f"training step of {trainers[0].settings.batch_size} points",
        "device": 1 / seconds[0],
        "processor": 1 / seconds[1],
        "unit": "steps/s",
        "ratio": seconds[1] / seconds[0],
        "note": f"mark: ratio {TRAINING_MARK:g}",
    }


class MixtureOnDevice(AbstractIntegrand):
    """A mixture of Gaussians with its own channel weights, evaluated where the points are."""

    def __init__(self, dim: int, n_channels: int) -> None:
        self.dim = self.n_features = dim
        self.n_channels = n_channels
        self._mixture = GaussianMixture(dim, n_channels)

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """See `AbstractIntegrand.evaluate`."""
        value, prior = self._mixture.to(x.device).value_and_prior(x)
        return Evaluation(value, x, prior)


def _trainer(device: Device | None, sizes: Sizes) -> Trainer:
    points = min(TRAINING_POINTS, sizes.batch)
    sampler = ImportanceSampler(MixtureOnDevice(FLOW_DIM, FLOW_CHANNELS), device=device)
    return Trainer(sampler, TrainingSettings(steps=10_000, batch_size=points))


def _call(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: function(*arguments)
