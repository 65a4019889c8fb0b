"""The differential cross section of a process on a device, as `CrossSection` on the processor."""

from __future__ import annotations

from copy import copy
from typing import Self

import torch
from torch import Tensor

from madnis_py.card.card import Card
from madnis_py.devices.device import Device
from madnis_py.errors import InputError
from madnis_py.flows.flow import channel_there
from madnis_py.integration.integrand import Evaluation
from madnis_py.physics.cross_section.cross_section import CrossSection, IntegrandWithPrior
from madnis_py.physics.cross_section.scattering import SMALLEST_TOTAL
from madnis_py.physics.observables.scales import Scale
from madnis_py.physics.on_device.densities_on_device import densities_on_device
from madnis_py.physics.on_device.kinematics_on_device import KinematicsOnDevice
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.maps_on_device import MapsOnDevice
from madnis_py.physics.on_device.matrix_elements_on_device import matrix_element_on_device
from madnis_py.physics.on_device.priors_on_device import PriorOnDevice, prior_on_device
from madnis_py.physics.on_device.selection_on_device import SelectionOnDevice
from madnis_py.physics.phase_space.priors import ChosenPrior, Prior


class CrossSectionOnDevice(IntegrandWithPrior):
    """A `CrossSection` whose points, and all that is made of them, are tensors on a device.

    Nothing waits for the device: which points pass the cuts is known there alone.

    Args:
        cross_section: the same on the CPU.
        device: where to evaluate it.

    Attributes:
        cross_section: as given.
        device: as given.

    Raises:
        InputError: no device has kernels for a map of the process, or the events have a bias.
        PdfError: the parton densities come from another library, or of two beams from two sets.
        DeviceError: another program computes a matrix element, or the device cannot be used.
    """

    unit = "pb"

    def __init__(self, cross_section: CrossSection, device: Device) -> None:
        if cross_section.unit != "pb":
            text = cross_section.process.definition.text
            raise cross_section.process.card.error(
                "process.definition",
                f'expected two incoming particles on a device; got "{text}" (--device cpu)',
            )
        if cross_section.bias is not None:
            raise cross_section.process.card.error(
                "events.bias", "expected none on a device, where it is not computed; --device cpu"
            )
        self.cross_section, self.device = cross_section, device
        self.dim, self.n_channels = cross_section.dim, cross_section.n_channels
        self.n_features, self.groups = cross_section.n_features, cross_section.groups
        channels, kernels = cross_section.channels, device.kernels
        self._maps = MapsOnDevice([channel.mapping for channel in channels], kernels)
        n_particles = cross_section.flavours.shape[1]
        self._selection = SelectionOnDevice(cross_section.process.selection, n_particles, kernels)
        self._kinematics = KinematicsOnDevice(kernels)
        self._scales = _scales(cross_section.process.card)
        self._densities = densities_on_device(cross_section.luminosity, kernels)
        self._elements = [
            (matrix_element_on_device(element, kernels), groups)
            for element, groups in cross_section.elements
        ]
        self._prior = self._prior_of(cross_section.channel_prior)

    def __reduce__(self) -> tuple[object, ...]:
        return CrossSectionOnDevice, (self.cross_section, self.device)

    def with_prior(self, name: ChosenPrior) -> Self:
        """The same with other channel weights before training; see `CrossSection.with_prior`."""
        other = copy(self)
        other.cross_section = self.cross_section.with_prior(name)
        other._prior = self._prior_of(other.cross_section.channel_prior)
        return other

    def _prior_of(self, prior: Prior) -> PriorOnDevice:
        return prior_on_device(prior, self._maps, self.device.torch_device)

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Differential cross section times Jacobian in pb; see `AbstractIntegrand.evaluate`."""
        return self.evaluate_momenta(*self.momenta(x, channel))

    def momenta(self, x: Tensor, channel: Tensor) -> tuple[Tensor, Tensor]:
        """Map points to momenta, as `CrossSection.momenta`.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,), CPU.

        Returns:
            p: momenta in GeV, float64, shape (n, P, 4), events fastest in memory.
            jacobian: dx_a dx_b dPhi / dx, float64, shape (n,); 0 outside the support.
        """
        return self.mapped(x, channel_there(channel, x.device))

    def mapped(self, x: Tensor, channel: Tensor) -> tuple[Tensor, Tensor]:
        """`momenta` for channels on the device, int64, shape (n,), in any order."""
        return self._maps.forward(x, channel)

    def evaluate_momenta(self, p: Tensor, jacobian: Tensor) -> Evaluation:
        """The integrand at momenta that are there already; see `evaluate` and `momenta`."""
        passed = self._selection.passes(p, jacobian)
        live = LiveEvents.of(passed)
        flavours, diagrams = self._scattering(p, live)
        weights = self._prior(p, diagrams, live)
        alive = passed & (weights.sum(dim=1) > 0)
        per_flux = torch.where(passed, jacobian * self._kinematics.flux(p), 0.0)

        def in_picobarn(values: Tensor) -> Tensor:
            return values.sum(dim=0) * per_flux * self.cross_section.flux_unit

        return Evaluation(
            in_picobarn(flavours),
            self._kinematics.features(p, self.cross_section.luminosity.hadronic),
            torch.where(alive.unsqueeze(1), weights, 1.0),
            in_picobarn(flavours.abs()) if self._densities.hadronic else None,
        )

    def _scattering(self, p: Tensor, live: LiveEvents) -> tuple[Tensor, Tensor]:
        """PDF x |M|^2 of live events, as `CrossSection.scattering` has it on the CPU.

        Returns:
            flavours: of each combination of flavours, float64, shape (n_flavours, n).
            diagrams: of each diagram if the prior needs it, float64, shape (n, n_diagrams), events
                fastest in memory.
        """
        mu_f, mu_r = (self._kinematics.scale(p, scale) for scale in self._scales)
        alpha_s = self._densities.alpha_s(mu_r**2, live)
        densities = self._densities.evaluate(p, mu_f**2, live)
        flavours = self._selection.restrict(p, densities, live).T.contiguous()
        wanted = self.cross_section.channel_prior.needs_diagrams
        needed = self.cross_section.elements.n_diagrams if wanted else 0
        diagrams = p.new_empty(needed, len(p))
        for element, groups in self._elements:
            if needed:
                me2, squares = element.evaluate(p, alpha_s, live)
                shares = (squares / squares.sum(dim=1, keepdim=True).clamp(min=SMALLEST_TOTAL)).T
            else:
                me2, shares = element.squared(p, alpha_s, live), diagrams
            for columns in groups:
                flavours[columns.flavours] *= me2
                if needed:
                    total = flavours[columns.flavours].abs().sum(dim=0)
                    torch.mul(total, shares, out=diagrams[columns.diagrams])
        return flavours, diagrams.T


def _scales(card: Card) -> tuple[Scale, Scale]:
    """Factorisation scale of both beams and renormalisation scale.

    Raises:
        InputError: each beam has its own, or they follow from the clustering of events.
    """
    chosen = card.scales
    if card.for_merging.active:
        expected = "expected no table [merging] on a device; got one, which needs"
        raise InputError(f"merging: {expected} --device cpu")
    if chosen.clustered:
        expected = 'expected scales that a device can compute; got "clustering", which needs'
        raise InputError(f"scales: {expected} --device cpu")
    first, second = chosen.factorizations
    if first != second:
        expected = "expected one factorisation scale for both beams on a device"
        raise InputError(f"scales.factorization: {expected}; got {first} and {second}")
    return (
        Scale(first, chosen.factorization_factor),
        Scale(chosen.renormalization, chosen.renormalization_factor),
    )
