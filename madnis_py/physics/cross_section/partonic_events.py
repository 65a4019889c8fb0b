"""Events of the hard scattering: momenta with all that an event file says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError
from madnis_py.physics.clustering.diagram_clustering import largest_jet_flavour
from madnis_py.physics.clustering.merging_cuts import merging_jets
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.event_details import EventDetails
from madnis_py.physics.cross_section.merging_weights import MergingWeights
from madnis_py.physics.cross_section.resonances import Resonances
from madnis_py.physics.cross_section.scattering import EventScales
from madnis_py.physics.cross_section.shared_elements import Rows
from madnis_py.physics.cross_section.systematics import Systematics, variation_groups

DRAWS = 4
"""Number of random numbers per event: for its flavours, colour flow, helicities and diagram."""


@dataclass(frozen=True)
class PartonicEvents:
    """Events of the hard scattering with flavours; n events, P particles, incoming first.

    Attributes:
        momenta: (E, px, py, pz) in GeV, float64, shape (n, P, 4).
        sign: of the cross section of the flavours, +1 or -1, float64, shape (n,).
        bias: how many times as often as by the cross section the event is made, float64, shape
            (n,).
        pdg: PDG codes, int32, shape (n, P).
        colour: colour and anticolour numbers of the Les Houches format, int32, shape (n, P, 2).
        helicity: twice its value for fermions, int8, shape (n, P).
        mass: masses in GeV, float64, shape (n, P).
        resonances: the unstable particles between the collision and the final state.
        scale: factorisation scale in GeV, float64, shape (n,).
        renormalization_scale: in GeV, float64, shape (n,).
        alpha_s: strong coupling at the renormalisation scale, float64, shape (n,).
        alpha_qed: electromagnetic coupling, float64, shape (n,).
        variations: weights at other scales and parton densities, then those of squared orders, over
            that of the event, float64, shape (n, W).
        jet_kt: of events for MLM merging, kT in GeV at which each leg is a jet, the energy of the
            collision for other final legs and 0 for incoming ones, float64, shape (n, P).
        n_jets: of events for merging, jets that do not come from decays, int32, shape (n,).
        n_incoming: 1 for a decay.
    """

    momenta: Array
    sign: Array
    bias: Array
    pdg: NDArray[np.int32]
    colour: NDArray[np.int32]
    helicity: NDArray[np.int8]
    mass: Array
    resonances: Resonances
    scale: Array
    renormalization_scale: Array
    alpha_s: Array
    alpha_qed: Array
    variations: Array
    jet_kt: Array | None = None
    n_jets: NDArray[np.int32] | None = None
    n_incoming: int = 2


class PartonicEventSampler:
    """Turns points of the integrand into events; see `EventDetails` for what is drawn and how.

    Args:
        cross_section: the integrand.

    Attributes:
        cross_section: as given.
    """

    def __init__(self, cross_section: CrossSection) -> None:
        self.cross_section = cross_section
        self._details = EventDetails(cross_section.process, cross_section.elements)

    @cached_property
    def systematics(self) -> Systematics:
        """The variations that events carry.

        Raises:
            PdfError: a set of the variations cannot be loaded.
        """
        one = self.cross_section
        card, model = one.process.card, one.process.model
        beams, groups = one.process.beams, variation_groups(card)
        merging = MergingWeights(one.process)
        return Systematics(groups, card, beams, one.flavours, one.elements, model, merging)

    def _order_shares(self, p: Array, flavour: Rows, scales: EventScales) -> Array:
        """Shares of squared orders in the weights of events, (n, n_squared_orders)."""
        one = self.cross_section
        if not one.process.squared_orders:
            return np.empty((len(p), 0))
        return one.elements.order_shares(p, scales.alpha_s, flavour)

    def _scale_of_event(self, mu_f: Array) -> Array:
        """The larger factorisation scale of those beams whose partons carry a share, (n,)."""
        if mu_f.ndim == 1:
            return mu_f
        shares = self.cross_section.process.beams.shares
        varying = [beam for beam in (0, 1) if shares[beam] != "whole"]
        return np.asarray(mu_f[:, varying or [0, 1]].max(axis=1))

    def _bias(self, p: Array, flavour: Rows) -> Array:
        """The bias of events of given flavours; 1 without one, (n,)."""
        bias = self.cross_section.bias
        return np.ones(len(p)) if bias is None else bias(p)[np.arange(len(p)), flavour]

    def _jet_kt(self, scales: EventScales) -> Array | None:
        """KT of the legs of events for merging; see `PartonicEvents.jet_kt`."""
        if scales.nodes is None:
            return None
        first, second = self.cross_section.process.beams.energies
        kt = scales.nodes.jet_kt
        kt = np.where(kt > 0, kt, 2 * np.sqrt(first * second))
        kt[:, :2] = 0.0
        return kt

    def _n_jets(self, flavour: NDArray[np.intp]) -> NDArray[np.int32] | None:
        """Jets of events for merging; see `PartonicEvents.n_jets`."""
        process = self.cross_section.process
        merging = process.card.for_merging
        if not merging.active:
            return None
        largest = largest_jet_flavour(process.flavours)
        counts = [
            len(merging_jets(legs, group.reaction, merging, largest))
            for group in process.groups
            for legs in group.flavours
        ]
        return np.array(counts, np.int32)[flavour]

    def sample(self, x: Tensor, channel: Tensor, uniform: Tensor) -> PartonicEvents:
        """The events at given points.

        Args:
            x: points in [0, 1] to whose magnitude some flavours contribute, float64, shape (n,
                dim).
            channel: sorted, int64, shape (n,).
            uniform: numbers in [0, 1), float64, shape (n, DRAWS).

        Raises:
            GenerationError: no flavours contribute at one of the points.
            PdfError: a set of the variations cannot be loaded.
        """
        p, jacobian = self.cross_section.momenta(x, channel)
        passed = self.cross_section.passes(p, jacobian)
        if not passed.all():
            raise GenerationError(
                f"events: expected points that pass the cuts; got none at point {np.argmin(passed)}"
            )
        scattering = self.cross_section.scattering(p)
        biased = self.cross_section.biased_flavours(p, scattering.flavours)
        drawn = self._details.draw(p, replace(scattering, flavours=biased), uniform.numpy())
        scales = drawn.scales
        variations = self.systematics.ratios(p, drawn.flavour, scales)
        orders = self._order_shares(p, drawn.flavour, scales)
        return PartonicEvents(
            momenta=p,
            sign=drawn.sign,
            bias=self._bias(p, drawn.flavour),
            pdg=self._details.pdg(drawn),
            colour=self._details.colour(drawn),
            helicity=drawn.helicity,
            mass=self._details.mass(drawn),
            resonances=self._details.resonances(p, drawn),
            scale=self._scale_of_event(scales.mu_f),
            renormalization_scale=scales.mu_r,
            alpha_s=scales.alpha_s,
            alpha_qed=np.full(len(p), self.cross_section.process.model.alpha_qed),
            variations=np.concatenate([variations, orders], axis=1),
            jet_kt=self._jet_kt(scales),
            n_jets=self._n_jets(drawn.flavour),
            n_incoming=self.cross_section.process.definition.n_incoming,
        )
