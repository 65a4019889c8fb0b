"""The differential cross section of a process on the unit cube, in picobarn."""

from __future__ import annotations

from abc import abstractmethod
from copy import copy
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.devices.device import CPU
from madnis_py.errors import InputError
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.integration.samples import Samples
from madnis_py.physics.beam_densities.luminosity import PartonLuminosity
from madnis_py.physics.clustering.diagram_clustering import largest_jet_flavour
from madnis_py.physics.clustering.lund_cut import LundCut
from madnis_py.physics.clustering.merging_cuts import DurhamCut, merging_jets
from madnis_py.physics.cross_section.bias import Bias
from madnis_py.physics.cross_section.scattering import ClusteredScales, CommonScales, Scatterer
from madnis_py.physics.cross_section.shared_elements import SharedElements
from madnis_py.physics.divergences.divergences import divergence_warnings, require_finite
from madnis_py.physics.observables.features import features
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.observables.parton_kinematics import decay_flux, flux
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.pdf.grid_limits import (
    GridLimit,
    ShareOutside,
    grid_limits_of,
    shares_outside,
    varied_limits,
)
from madnis_py.physics.pdf.pdf_sets import caveats, missing_members, named_members
from madnis_py.physics.phase_space.channel import Channel
from madnis_py.physics.phase_space.priors import AUTO_PRIOR, ChosenPrior, prior_of
from madnis_py.physics.process.beam_luminosity import parton_luminosity
from madnis_py.physics.process.process import Process

PICOBARN_PER_INVERSE_GEV2 = 3.8937937217185e8
"""(hbar c)^2 in GeV^2 pb with the exact constants of the SI of 2019 (CODATA 2018 and 2022)."""


class IntegrandWithPrior(AbstractIntegrand):
    """An integrand whose channel weights before training can be chosen, on any device."""

    @abstractmethod
    def with_prior(self, name: ChosenPrior) -> Self:
        """The same integrand with other channel weights before training.

        Raises:
            InputError: there is no prior of this name.
        """


class CrossSection(IntegrandWithPrior):
    """sigma = sum over flavours of f_a f_b |M|^2 / (2 s) dPhi dx_a dx_b in pb.

    For one incoming particle it is the width Gamma = |M|^2 / (2 M) dPhi in GeV.

    Eq. (2.8) of the MadNIS thesis. The flux is that of massive particles where they have a mass,
    the average over helicities that of the beams, see `Beams.spin_factor`. The channel weights see
    `observables.features`. For the prior, |M|^2 of every group of flavours is shared out over its
    diagrams in proportion to |M_i|^2; the groups stand side by side, each times the densities of
    its flavours, see `Process.diagram_offsets`. Matrix elements that are the same bit by bit are
    evaluated once.

    Points that fail the cuts have value 0 and the same prior for every channel.

    Args:
        process: what scatters.
        prior: channel weights before training; those of the card by default, |M_i|^2 where it says
            "auto".

    Attributes:
        process: as given.
        flavours: PDG codes of the external legs for every combination of flavours, int32, shape
            (n_flavours, P).
        luminosity: the parton densities of the two beams.
        elements: the matrix elements.
        channel_prior: channel weights before training.
        bias: of the events; None without one.
        scattering: PDF x |M|^2 of all flavours at given momenta, with its scales.
        flux_unit: GeV^-2 times this, averaged over the helicities of the beams, is in pb; 1 for a
            decay.

    Raises:
        PdfError: the parton densities cannot be loaded.
        CardError: the cuts leave it infinite (see `require_finite`), there is no phase space for
            the process, a beam does not hold its partons, or the alternatives of a particle differ
            in mass.
        InputError: there is no prior of this name.
    """

    def __init__(self, process: Process, prior: ChosenPrior | None = None) -> None:
        card, model = process.card, process.model
        self.process = process
        self.flavours = np.array(process.flavours, np.int32)
        self.luminosity: PartonLuminosity = parton_luminosity(
            card, process.beams, self.flavours, model
        )
        _require_one_mass_per_leg(process, self.flavours)
        require_finite(process)
        self.elements = SharedElements(process)
        mapping, self.n_channels = process.channels[0].mapping, len(process.channels)
        self.dim, self.groups = mapping.dim, tuple(channel.group for channel in process.channels)
        self._n_incoming = process.definition.n_incoming
        self.n_features = 3 * (mapping.n_particles - self._n_incoming)
        self.n_features += 2 if self.luminosity.hadronic else 0
        self._acceptance = Acceptance(process.selection)
        self._between_jets = _cut_between_jets(process)
        clusters = card.scales.clustered or card.for_merging.clusters
        scatterer = ClusteredScales if clusters else CommonScales
        self.scattering: Scatterer = scatterer(
            process, self.elements, self.luminosity, self._acceptance
        )
        self.bias = _bias_of(process, self.flavours)
        self.biased = self.bias is not None
        named = card.channels.prior
        self.channel_prior = prior_of(
            self.channels, prior or (AUTO_PRIOR if named == "auto" else named)
        )
        if self._n_incoming == 1:
            self.unit, self._flux, self.flux_unit = "GeV", decay_flux, 1.0
            return
        incoming = process.flavours[0]
        average = process.beams.spin_factor((incoming[0], incoming[1]), model)
        self.unit, self._flux = "pb", flux
        self.flux_unit = average * PICOBARN_PER_INVERSE_GEV2

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels of the process."""
        return self.process.channels

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels, in order."""
        return tuple(channel.name for channel in self.channels)

    @property
    def prior(self) -> ChosenPrior:
        """Name of the channel weights before training."""
        return self.channel_prior.name

    def with_prior(self, name: ChosenPrior) -> Self:
        """The same integrand with other channel weights before training; shares everything else.

        Args:
            name: a key of `PRIORS`.

        Raises:
            InputError: there is no prior of this name.
        """
        other = copy(self)
        other.channel_prior = prior_of(self.channels, name)
        return other

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Differential cross section times Jacobian in pb; see `AbstractIntegrand.evaluate`."""
        return self.evaluate_momenta(*self.momenta(x, channel))

    def evaluate_momenta(self, p: Array, jacobian: Array) -> Evaluation:
        """The integrand at momenta that are there already; see `evaluate`.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            jacobian: dx_a dx_b dPhi / dx, float64 (n,); 0 outside the support.
        """
        kept = np.flatnonzero(self.passes(p, jacobian))
        p_kept = select(p, kept)
        scattering = self.scattering(p_kept, self.channel_prior.needs_diagrams)
        prior = np.ones((len(p), self.n_channels))
        weights = self.channel_prior(p_kept, scattering.diagrams)
        prior[kept] = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, 1.0)
        seen = features(p, self.luminosity.hadronic, self._n_incoming)

        def in_picobarn(flavours: Array) -> Tensor:
            values = np.zeros(len(p))
            values[kept] = (
                flavours.sum(axis=1) * jacobian[kept] * self._flux(p_kept) * self.flux_unit
            )
            return torch.from_numpy(values)

        value, magnitude = in_picobarn(scattering.flavours), None
        if self.bias or (scattering.flavours < 0).any():
            magnitude = in_picobarn(np.abs(self.biased_flavours(p_kept, scattering.flavours)))
        return Evaluation(value, torch.from_numpy(seen), torch.from_numpy(prior), magnitude)

    def momenta(self, x: Tensor, channel: Tensor) -> tuple[Array, Array]:
        """Map points to momenta, each by the mapping of its channel.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,).

        Returns:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            jacobian: dx_a dx_b dPhi / dx, float64 (n,); 0 outside the support.
        """
        points, n_particles = x.detach().numpy(), self.flavours.shape[1]
        p = np.empty((n_particles, 4, len(points))).transpose(2, 0, 1)
        jacobian = np.empty(len(points))
        ends = np.cumsum(np.bincount(channel.numpy(), minlength=self.n_channels))
        for index, (start, end) in enumerate(pairwise([0, *ends.tolist()])):
            if start < end:
                p[start:end], jacobian[start:end] = self.channels[index].mapping.forward(
                    np.ascontiguousarray(points[start:end])
                )
        return p, jacobian

    @property
    def caveats(self) -> list[str]:
        """Sentences about divergences, widths and parton densities that belong beside every result.

        Raises:
            PdfError: a set of the variations is not found.
        """
        card = self.process.card
        general = [*self.process.caveats, *divergence_warnings(self.process)]
        names, systematics = card.beams.sets, card.systematics
        if not names:
            return general
        missing = [one for name in names for one in missing_members(name)]
        known = caveats([*names, *named_members(systematics.pdf_sets)])
        return [*general, *known, *(missing if systematics.pdf_members else [])]

    @cached_property
    def grid_limits(self) -> tuple[GridLimit, ...]:
        """Where the parton densities end, for the cross section and the variations of its events.

        Raises:
            PdfError: a set of the variations cannot be loaded.
        """
        strong = self.elements.depend_on_alpha_s
        systematics = self.process.card.systematics
        limits: list[GridLimit] = []
        for pdf in self.luminosity.sets:
            beams = tuple(beam for beam in (0, 1) if self.luminosity.pdfs[beam] is pdf)
            with_coupling = strong and pdf is self.luminosity.sets[0]
            own = grid_limits_of(pdf, with_coupling, beams)
            limits += [*own, *varied_limits(own, systematics, with_coupling)]
        return tuple(limits)

    def outside_grid(self, samples: Samples) -> list[ShareOutside]:
        """Shares of the cross section that lie beyond the limits of the parton densities.

        Args:
            samples: weighted points with their coordinates, sorted by channel.
        """
        if not self.grid_limits:
            return []
        samples = samples.to(CPU)
        p, jacobian = self.momenta(samples.x, samples.channel)
        passes = self.passes(p, jacobian)
        x = (p[:, :2, 0] / np.array(self.process.beams.colliding.energies)).T
        seen = {**self._scales_of(p, passes), "x": (x, x)}
        beyond = [
            passes & limit.beyond(smallest[beams].min(axis=0), largest[beams].max(axis=0))
            for limit in self.grid_limits
            for (smallest, largest), beams in [(seen[limit.quantity], list(limit.beams))]
        ]
        counts = torch.bincount(samples.channel, minlength=self.n_channels)
        weight = (samples.magnitude / counts[samples.channel]).numpy()
        return shares_outside(self.grid_limits, passes, np.stack(beyond, axis=1), weight)

    def _scales_of(self, p: Array, passes: NDArray[np.bool_]) -> dict[str, tuple[Array, Array]]:
        """Smallest and largest scales of any flavours in events that pass, of each beam, (2, n)."""
        rows = np.flatnonzero(passes)
        every = self.scattering(select(p, rows)).scales

        def limits(scales: list[Array]) -> tuple[Array, Array]:
            of_beams = np.stack([np.broadcast_to(mu.T, (2, len(rows))) for mu in scales])
            smallest, largest = np.full((2, 2, len(p)), np.nan)
            smallest[:, rows], largest[:, rows] = of_beams.min(axis=0), of_beams.max(axis=0)
            return smallest, largest

        return {
            "factorization scale": limits([one.mu_f for one in every]),
            "renormalization scale": limits([one.mu_r for one in every]),
        }

    def accepts(self, x: Tensor, channel: Tensor) -> Tensor:
        """Which points lie in phase space and pass the cuts, bool, shape (n,).

        Their share is the cut acceptance.
        """
        return torch.from_numpy(self.passes(*self.momenta(x, channel)))

    def passes(self, p: Array, jacobian: Array) -> NDArray[np.bool_]:
        """Which momenta lie in phase space and pass the cuts, bool, shape (n,).

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            jacobian: dx_a dx_b dPhi / dx, float64 (n,); 0 outside the support.
        """
        passes = (jacobian > 0) & self._acceptance.passes(p)
        return passes if self._between_jets is None else passes & self._between_jets(p)

    def flavour_shares(self, p: Array) -> Array:
        """Cross sections of the combinations of flavours over the magnitude of all, signed.

        Args:
            p: momenta in GeV where some flavours contribute, event-fastest float64 (n, P, 4).

        Returns:
            float64 (n, n_flavours); without a bias the sizes in each row sum to one.
        """
        flavours = self.scattering(p).flavours
        magnitude = np.abs(self.biased_flavours(p, flavours)).sum(axis=1, keepdims=True)
        return np.asarray(flavours / magnitude)

    def order_shares(self, p: Array) -> Array:
        """Cross sections by squared orders over the magnitude of all flavours, signed.

        Args:
            p: momenta in GeV where some flavours contribute, event-fastest float64 (n, P, 4).

        Returns:
            float64 (n, n_squared_orders), see `Process.squared_orders`.
        """
        scattering = self.scattering(p)
        magnitude = np.abs(self.biased_flavours(p, scattering.flavours)).sum(axis=1)
        shares = np.zeros((len(p), len(self.process.squared_orders)))
        for columns in self.elements.flavours:
            for place in np.unique(scattering.scales_of[columns]):
                alike = columns[scattering.scales_of[columns] == place]
                part = scattering.flavours[:, alike].sum(axis=1) / magnitude
                alpha_s, flavour = scattering.scales[place].alpha_s, np.full(len(p), alike[0])
                shares += part[:, None] * self.elements.order_shares(p, alpha_s, flavour)
        return shares

    def biased_flavours(self, p: Array, flavours: Array) -> Array:
        """PDF x |M|^2 of every combination of flavours times the bias of events, if there is one.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            flavours: PDF x |M|^2, float64 (n, n_flavours).
        """
        return flavours if self.bias is None else flavours * self.bias(p)


def _bias_of(process: Process, flavours: NDArray[np.int32]) -> Bias | None:
    text = process.card.events.bias
    try:
        n_incoming = process.definition.n_incoming
        return None if text is None else Bias(text, flavours, process.model, n_incoming)
    except InputError as error:
        raise process.card.error("events.bias", str(error)) from None


def _cut_between_jets(process: Process) -> DurhamCut | LundCut | None:
    """The cut on several jets that [merging] ktdurham or ptlund means."""
    merging, model = process.card.for_merging, process.model
    if not max(merging.ktdurham, merging.ptlund) > 0:
        return None
    key = "merging.ktdurham" if merging.ktdurham > 0 else "merging.ptlund"
    flavour = largest_jet_flavour(process.flavours)
    every = [
        (legs, merging_jets(legs, group.reaction, merging, flavour))
        for group in process.groups
        for legs in group.flavours
    ]
    places = sorted({jets for _, jets in every})
    if len(places) > 1:
        expected = "expected jets at the same places for all flavours"
        raise process.card.error(key, f"{expected}; got {places}")
    if merging.ktdurham > 0:
        return DurhamCut(places[0], merging.ktdurham, merging.dparameter)
    for legs, jets in every:
        heavy = [model.particle(legs[k]).name for k in jets if model.mass(legs[k]) > 0]
        if heavy:
            raise process.card.error(key, f"expected jets without a mass; got {heavy[0]}")
    return LundCut(places[0], len(every[0][0]), merging.ptlund)


def _require_one_mass_per_leg(process: Process, flavours: NDArray[np.int32]) -> None:
    """Phase space is made for one mass of each particle."""
    masses = np.array([[process.model.mass(int(pdg)) for pdg in legs] for legs in flavours])
    differ = np.flatnonzero((masses != masses[0]).any(axis=0))
    if len(differ):
        got = ", ".join(f"{mass:g}" for mass in np.unique(masses[:, differ[0]]))
        expected = f"expected one mass for all alternatives of particle {differ[0] + 1}"
        raise process.card.error("process.definition", f"{expected}; got {got} GeV")
