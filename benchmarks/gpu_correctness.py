"""Kernels of a device against those of the processor, at the same points and momenta."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from gaussian_mixture import move_parameters
from gpu_cards import Sizes, cross_section_of, moved, points_of
from side_by_side import Row
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.devices.device import Device
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.observables.features import features
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.observables.parton_kinematics import flux
from madnis_py.physics.observables.scales import Scale
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.on_device.densities_on_device import densities_on_device
from madnis_py.physics.on_device.kinematics_on_device import KinematicsOnDevice
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.maps_on_device import MapsOnDevice
from madnis_py.physics.on_device.matrix_elements_on_device import matrix_element_on_device
from madnis_py.physics.on_device.selection_on_device import SelectionOnDevice

DOUBLE, FLOAT = 1e-12, 1e-5
"""Bounds of relative differences: of kernels in double, and of networks in float32."""

DIAGRAMS = 1e-9
"""The same of single diagrams: large terms that depend on the gauge cancel, at most where the
partons have very different energies."""

ROUNDING = 100.0
"""Times that what a change of the arguments by their rounding does may be seen, beside a bound."""

USUAL = 0.99
"""Share of the events that keep to a bound; the others may exceed it by `WORST`."""

WORST = 1e3


@dataclass(frozen=True)
class Comparison:
    """What one kernel gives on both sides.

    Attributes:
        what: it computes.
        found: on the device, shape (n, ...).
        expected: of the processor, same shape.
        scale: of the differences, a number or a shape that broadcasts; |expected| if None.
        bound: of differences in units of the scale.
        rounded: of the processor at arguments that differ in their last digits, for formulas that
            multiply rounding; same shape.
    """

    what: str
    found: Tensor
    expected: Array
    scale: Array | float | None = None
    bound: float = DOUBLE
    rounded: Array | None = None

    def row(self) -> Row:
        """Usual and worst difference in units of the scale, and whether they keep to the bound."""
        found, expected = self.found.detach().cpu().numpy(), self.expected
        scale = np.abs(expected) if self.scale is None else np.asarray(self.scale)
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
        difference = np.where(same, 0.0, np.abs(found - expected))
        allowed = self.bound * scale
        if self.rounded is not None:
            allowed = allowed + ROUNDING * np.abs(self.rounded - expected)
        usual, worst = _usual_and_worst(difference, scale)
        usual_share, worst_share = _usual_and_worst(difference, allowed)
        return {
            "what": self.what,
            "device": usual,
            "unit": f"difference of {USUAL:.0%}",
            "note": f"worst {worst:.1e}, bound {self.bound:.0e}"
            + ("" if self.rounded is None else " beside the rounding of the arguments"),
            "worst": worst,
            "ok": usual_share <= 1.0 and worst_share <= WORST,
        }


def _usual_and_worst(difference: Array, scale: Array) -> tuple[float, float]:
    """Differences over a scale, the largest of each event: that of most events, and of all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(difference == 0, 0.0, difference / scale)
    of_event = ratio.reshape(len(ratio), -1).max(axis=1, initial=0.0)
    return float(np.quantile(of_event, USUAL)), float(of_event.max())


def kernels(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Every kernel of the integrand, for each of the cards."""
    for card in sizes.cards:
        for comparison in _comparisons(cross_section_of(card), device, sizes.compared):
            row = comparison.row()
            yield {**row, "what": f"{card}: {row['what']}"}


def _comparisons(cross_section: CrossSection, device: Device, n: int) -> Iterator[Comparison]:
    process, kernels = cross_section.process, device.kernels
    x, channel = points_of(cross_section, n)
    p, jacobian = cross_section.momenta(x, channel)
    rounded_p, rounded_jacobian = cross_section.momenta(
        torch.from_numpy(_rounded(x.numpy())), channel
    )
    maps = MapsOnDevice([one.mapping for one in cross_section.channels], kernels)
    found, found_jacobian = maps.forward(*(part.to(kernels.torch_device) for part in (x, channel)))
    largest = p[:, :, :1].max(axis=1, keepdims=True)
    yield Comparison("momenta", found, p, largest, rounded=rounded_p)
    yield Comparison("Jacobian", found_jacobian, jacobian, rounded=rounded_jacobian)

    there = moved(p, kernels.torch_device)
    kinematics, card = KinematicsOnDevice(kernels), process.card
    hadronic = cross_section.luminosity.hadronic
    yield Comparison("features", kinematics.features(there, hadronic), features(p, hadronic), 1.0)
    yield Comparison("flux", kinematics.flux(there), flux(p))
    scale = Scale(card.scales.factorizations[0], card.scales.factorization_factor)
    yield Comparison("scale", kinematics.scale(there, scale), scale(p))

    selection = SelectionOnDevice(process.selection, p.shape[1], kernels)
    passes = (jacobian > 0) & Acceptance(process.selection).passes(p)
    mask = selection.passes(there, torch.from_numpy(jacobian).to(kernels.torch_device))
    yield Comparison("cuts", mask.double(), passes.astype(float), 1.0, bound=0.0)

    live = LiveEvents.of(torch.from_numpy(passes).to(kernels.torch_device))
    q2, luminosity = scale(p) ** 2, cross_section.luminosity
    densities = densities_on_device(luminosity, kernels)
    q2_there = torch.from_numpy(q2).to(kernels.torch_device)
    expected = np.where(passes[:, None], luminosity.evaluate(p, q2), 0.0)
    of_event = np.abs(expected).max(axis=1, keepdims=True)
    yield Comparison("densities", densities.evaluate(there, q2_there, live), expected, of_event)
    alpha_s = luminosity.alpha_s(q2)
    expected = np.where(passes, alpha_s, 0.0)
    yield Comparison("alpha_s", densities.alpha_s(q2_there, live), expected)

    alpha_s_there = torch.from_numpy(alpha_s).to(kernels.torch_device)
    for element, _ in cross_section.elements:
        me2, squares = element.evaluate(p, alpha_s)
        rounded_me2 = element.squared(as_momenta(_rounded(p)), alpha_s)
        on_device = matrix_element_on_device(element, kernels)
        found_me2, found_squares = on_device.evaluate(there, alpha_s_there, live)
        yield Comparison(
            "|M|^2",
            found_me2,
            np.where(passes, me2, 0.0),
            rounded=np.where(passes, rounded_me2, 0.0),
        )
        expected = np.where(passes[:, None], squares, 0.0)
        yield Comparison(
            "|M_i|^2",
            found_squares,
            expected,
            expected.max(axis=1, keepdims=True),
            DIAGRAMS,
        )


def _rounded(numbers: Array) -> Array:
    """The same numbers, half of them larger by one unit in the last place."""
    up = stream(1, "benchmark rounding").uniform(*numbers.shape).numpy() < 0.5
    return np.where(up, np.nextafter(numbers, np.inf), numbers)


def flows(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Points and densities of flows with float32 networks, and the gradients of their training."""
    for dim, n_channels in ((4, 1), (10, 8)):
        on_device, here = (trained_flow(dim, n_channels, one) for one in (device, None))
        channel = torch.arange(sizes.compared) * n_channels // sizes.compared
        x, log_q = here.sample(channel, stream(1, "benchmark flows"))
        found, found_log_q = on_device.sample(channel, stream(1, "benchmark flows"))
        name = f"{dim} dimensions, {n_channels} channels"
        yield Comparison(f"{name}: points", found, x.numpy(), 1.0, FLOAT).row()
        yield Comparison(f"{name}: log q", found_log_q, log_q.numpy(), 1.0, 10 * FLOAT).row()
        losses = [
            flow.log_prob(x.to(place), channel).mean()
            for flow, place in ((on_device, device.torch_device), (here, "cpu"))
        ]
        gradients = [
            torch.autograd.grad(loss, list(flow.parameters()))
            for loss, flow in zip(losses, (on_device, here), strict=True)
        ]
        found, expected = (
            torch.cat([part.flatten().cpu() for part in parts]) for parts in gradients
        )
        largest = float(expected.abs().max())
        yield Comparison(f"{name}: gradients", found, expected.numpy(), largest, FLOAT).row()


def trained_flow(dim: int, n_channels: int, device: Device | None) -> SplineFlow:
    """A flow that has moved away from the identity, on a device or, for None, the processor."""
    flow = SplineFlow(dim, n_channels, FlowSettings(seed=1))
    move_parameters(flow)
    if device is not None:
        flow.compute_on(device)
    return flow
