"""Weights of events at other scales and with other parton densities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.process_tables import BeamTable
from madnis_py.card.tables import SystematicsTable
from madnis_py.physics.beam_densities.luminosity import PartonLuminosity
from madnis_py.physics.clustering.merging_nodes import MergingNodes
from madnis_py.physics.cross_section.merging_weights import MergingWeights
from madnis_py.physics.cross_section.scattering import EventScales
from madnis_py.physics.cross_section.shared_elements import SharedElements
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf_sets import named_members, other_members, pdf_set
from madnis_py.physics.process.beam_luminosity import parton_luminosity
from madnis_py.physics.process.beams import Beams


@dataclass(frozen=True)
class Variation:
    """Another choice of scales and parton densities.

    Attributes:
        mu_r: factor of the renormalisation scale.
        mu_f: factor of the factorisation scale.
        pdf: name of the parton densities that it is about, "SET" or "SET/member".
        pdfs: densities of either beam, as `BeamTable.pdfs` has them.
        emissions: factor of the scales of emissions in samples for merging.
    """

    mu_r: float
    mu_f: float
    pdf: str
    pdfs: tuple[str, str]
    emissions: float = 1.0


@dataclass(frozen=True)
class VariationGroup:
    """Variations that belong together.

    Attributes:
        name: for people, and in event files.
        combine: how they make an uncertainty: "envelope", or the ErrorType of a set.
        variations: its members.
    """

    name: str
    combine: str
    variations: tuple[Variation, ...]


def variation_groups(card: Card) -> tuple[VariationGroup, ...]:
    """The variations that the table [systematics] asks for.

    Beams without a PDF set, whose coupling is a parameter, have none.

    Scales: the pairs of factors. Parton densities: the other members of each set, and other sets
        for all beams that have one.

    Raises:
        PdfError: a set is not found.
    """
    beams, settings = card.beams, card.systematics
    if not beams.sets:
        return ()
    groups = [
        _scales(beams, settings),
        _emissions(beams, settings),
        *_members(beams, settings),
        *_sets(beams, settings),
    ]
    return tuple(group for group in groups if group.variations)


def _scales(beams: BeamTable, settings: SystematicsTable) -> VariationGroup:
    variations = tuple(
        Variation(mu_r, mu_f, beams.sets[0], beams.pdfs) for mu_r, mu_f in settings.scale_pairs
    )
    return VariationGroup("scale_variation", "envelope", variations)


def _emissions(beams: BeamTable, settings: SystematicsTable) -> VariationGroup:
    variations = tuple(
        Variation(1.0, 1.0, beams.sets[0], beams.pdfs, factor)
        for factor in settings.emission_factors or ()
        if factor != 1.0
    )
    return VariationGroup("emission_variation", "envelope", variations)


def _members(beams: BeamTable, settings: SystematicsTable) -> Iterator[VariationGroup]:
    if settings.pdf_members:
        for name in beams.sets:
            whole, others = pdf_set(name), other_members(name)
            variations = tuple(_with_set(other, [name], beams) for other in others)
            yield VariationGroup(whole.name, whole.error_type, variations)


def _sets(beams: BeamTable, settings: SystematicsTable) -> Iterator[VariationGroup]:
    names = named_members(settings.pdf_sets)
    variations = tuple(_with_set(name, beams.sets, beams) for name in names)
    yield VariationGroup("other_pdfs", "none", variations)


def _with_set(name: str, replaced: Sequence[str], beams: BeamTable) -> Variation:
    """The variation with another set in the place of some."""
    first, second = (name if pdf in replaced else pdf for pdf in beams.pdfs)
    return Variation(1.0, 1.0, name, (first, second))


class Systematics:
    """Evaluates the variations of events, in one pass over a batch.

    Args:
        groups: the variations, in the order of the weights.
        card: the parton densities and what interpolates them.
        beams: of the card.
        flavours: PDG codes of the external legs of all flavours, int32, shape (n_flavours, P).
        elements: the matrix elements.
        model: for the beams.
        merging: weights of events for merging.

    Attributes:
        groups: as given.

    Raises:
        PdfError: a set cannot be loaded.
    """

    def __init__(
        self,
        groups: Sequence[VariationGroup],
        card: Card,
        beams: Beams,
        flavours: NDArray[np.int32],
        elements: SharedElements,
        model: Model,
        merging: MergingWeights,
    ) -> None:
        self.groups = tuple(groups)
        self._variations = [variation for group in groups for variation in group.variations]
        self._elements, self._flavours, self._merging = elements, flavours, merging
        name = card.beams.sets[0] if card.beams.sets else "none"
        self._nominal = Variation(1.0, 1.0, name, card.beams.pdfs)
        every = dict.fromkeys(variation.pdfs for variation in (*self._variations, self._nominal))
        self._beams: dict[tuple[str, str], PartonLuminosity] = {
            pdfs: parton_luminosity(
                card.updated({"beams": {"pdf": list(pdfs)}}), beams, flavours, model
            )
            for pdfs in every
        }

    @property
    def lhapdf_ids(self) -> dict[str, int]:
        """LHAPDF's number of each PDF set by name; 0 for one without."""
        return {
            name: pdf.lhapdf_id
            for pdfs, beams in self._beams.items()
            for name, pdf in zip(pdfs, beams.pdfs, strict=True)
            if pdf
        }

    def ratios(self, p: Array, flavour: NDArray[np.intp], scales: EventScales) -> Array:
        """PDF x |M|^2 of the flavours of events with every variation, over that without.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            flavour: row of each event among all flavours, (n,).
            scales: of the events. Couplings at nodes of merging, which have scales of their own,
                do not vary with mu_R.

        Returns:
            float64 (n, W).
        """
        if not self._variations:
            return np.empty((len(p), 0))
        point = _Point(self, p, flavour, scales)
        return np.stack([point.ratio(variation) for variation in self._variations], axis=1)


class _Point:
    """Events whose densities and matrix elements are evaluated once for each different argument."""

    def __init__(
        self, systematics: Systematics, p: Array, flavour: NDArray[np.intp], scales: EventScales
    ) -> None:
        self._beams, self._nominal = systematics._beams, systematics._nominal
        self._elements, self._merging = systematics._elements, systematics._merging
        self._p, self._flavour, self._scales = p, flavour, scales
        self._legs = systematics._flavours[flavour][:, None]
        self._densities: dict[tuple[tuple[str, str], float, float], Array] = {}
        self._element_ratios: dict[bytes, Array] = {}

    def ratio(self, variation: Variation) -> Array:
        """PDF x |M|^2 of each event over that without variation, float64 (n,)."""
        return (
            self._density(variation) / self._density(self._nominal) * self._element_ratio(variation)
        )

    def _density(self, variation: Variation) -> Array:
        key = variation.pdfs, variation.mu_f, variation.emissions
        if key not in self._densities:
            luminosity, mu_f = self._beams[variation.pdfs], variation.mu_f * self._scales.mu_f
            nodes = self._nodes(variation)
            if nodes:
                mu_f = self._merging.density_scales(nodes, mu_f)
            densities = luminosity.evaluate(self._p, mu_f**2)
            of_events = densities[np.arange(len(self._p)), self._flavour]
            if nodes:
                weight = self._merging.density_weight(nodes, luminosity, self._p, self._legs)
                of_events = of_events * weight[:, 0]
            self._densities[key] = of_events
        return self._densities[key]

    def _nodes(self, variation: Variation) -> MergingNodes | None:
        """The nodes at the scales of a variation."""
        nodes = self._scales.nodes
        return nodes and nodes.varied(variation.mu_f, variation.emissions)

    def _element_ratio(self, variation: Variation) -> Array:
        """|M|^2 with the coupling of a variation over that without, float64 (n,)."""
        if self._scales.nodes:
            return (
                self._couplings(variation)
                / self._couplings(self._nominal)
                * self._central(variation)
            )
        return self._central(variation)

    def _couplings(self, variation: Variation) -> Array:
        """alpha_s at the nodes of merging over that at mu_R, float64 (n,)."""
        nodes, alpha_s = self._nodes(variation), self._beams[variation.pdfs].alpha_s
        assert nodes is not None
        return self._merging.coupling_weight(nodes, alpha_s, self._alpha_s(variation))

    def _central(self, variation: Variation) -> Array:
        """|M|^2 with the coupling at mu_R alone of a variation over that without."""
        alpha_s = self._alpha_s(variation)
        key = alpha_s.tobytes()
        if key not in self._element_ratios:
            before = self._alpha_s(self._nominal)
            self._element_ratios[key] = self._elements.coupling_ratio(
                self._p, before, alpha_s, self._flavour
            )
        return self._element_ratios[key]

    def _alpha_s(self, variation: Variation) -> Array:
        return self._beams[variation.pdfs].alpha_s((variation.mu_r * self._scales.mu_r) ** 2)
