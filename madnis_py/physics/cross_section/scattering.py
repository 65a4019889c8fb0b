"""Scattering of partons at given momenta: PDF x |M|^2 of all flavours, at the scales of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.choices import CLUSTERING
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.beam_densities.luminosity import PartonLuminosity
from madnis_py.physics.clustering.diagram_clustering import (
    Bools,
    ClusteringSettings,
    DiagramClustering,
    carried_flavours,
    largest_jet_flavour,
)
from madnis_py.physics.clustering.merging_nodes import MergingNodes
from madnis_py.physics.cross_section.merging_weights import MergingWeights
from madnis_py.physics.cross_section.shared_elements import GroupColumns, Rows, SharedElements
from madnis_py.physics.observables.scales import BeamScales, Scale
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.process.beam_luminosity import parton_luminosity
from madnis_py.physics.process.flavour_groups import FlavourGroup
from madnis_py.physics.process.process import Process

SMALLEST_TOTAL = 1e-300
"""What sum_i |M_i|^2 is taken to be at least, so that shares of 0 are 0."""

_REFERENCE_COUPLING = 0.118
"""Strong coupling at which |M_i|^2 are compared before the scale is known."""

_LOWEST_SCALE = 2.0
"""GeV below which MadEvent knows no factorisation scale of a beam with parton densities."""


@dataclass(frozen=True)
class EventScales:
    """Scales of n events.

    Attributes:
        mu_f: factorisation scale in GeV, float64, shape (n,), or (n, 2) for one of each beam.
        mu_r: renormalisation scale in GeV, float64, shape (n,).
        alpha_s: strong coupling at mu_r, float64, shape (n,).
        nodes: of events for merging.
    """

    mu_f: Array
    mu_r: Array
    alpha_s: Array
    nodes: MergingNodes | None = None


@dataclass(frozen=True)
class Scattering:
    """PDF x |M|^2 of partons at n given momenta in GeV^0, and its scales.

    Attributes:
        flavours: of each combination of flavours, negative where a parton density is, float64,
            shape (n, n_flavours).
        diagrams: of each diagram, without signs, float64, shape (n, n_diagrams); (n, 0) where it is
            not asked for.
        scales: of the flavours that share them; one set of scales or several.
        scales_of: which of these each combination of flavours has, shape (n_flavours,).
    """

    flavours: Array
    diagrams: Array
    scales: tuple[EventScales, ...]
    scales_of: Rows

    def event_scales(self, flavour: Rows) -> EventScales:
        """The scales of events whose flavours are known.

        Args:
            flavour: row of each event among all combinations of flavours, shape (n,).
        """
        if len(self.scales) == 1:
            return self.scales[0]
        own, every = self.scales_of[flavour], np.arange(len(flavour))
        mu_f = np.stack([scales.mu_f for scales in self.scales])[own, every]
        mu_r = np.stack([scales.mu_r for scales in self.scales])[own, every]
        alpha_s = np.stack([scales.alpha_s for scales in self.scales])[own, every]
        nodes = [scales.nodes for scales in self.scales if scales.nodes]
        chosen = MergingNodes.chosen(nodes, own) if nodes else None
        return EventScales(mu_f, mu_r, alpha_s, chosen)


class Scatterer(ABC):
    """Computes PDF x |M|^2 of every combination of flavours.

    Args:
        process: what scatters.
        elements: its matrix elements, each of which is evaluated once.
        luminosity: of the beams.
        acceptance: which flavours pass the cuts.

    Attributes:
        factorization: scale of the parton densities.
        renormalization: scale of the strong coupling.
    """

    def __init__(
        self,
        process: Process,
        elements: SharedElements,
        luminosity: PartonLuminosity,
        acceptance: Acceptance,
    ) -> None:
        card = process.card
        self.elements, self.luminosity, self._acceptance = elements, luminosity, acceptance
        self.n_flavours = len(process.flavours)
        chosen = card.scales
        first, second = (Scale(one, chosen.factorization_factor) for one in chosen.factorizations)
        self.factorization = BeamScales((first, second))
        self.renormalization = Scale(chosen.renormalization, chosen.renormalization_factor)

    @abstractmethod
    def __call__(self, p: Array, with_diagrams: bool = False) -> Scattering:
        """PDF x |M|^2 at given momenta.

        Args:
            p: momenta in GeV that pass the cuts, event-fastest float64 (n, P, 4).
            with_diagrams: whether |M|^2 is shared out over the diagrams, too.
        """

    def _coupled(self, mu_f: Array, mu_r: Array) -> EventScales:
        return EventScales(mu_f, mu_r, self.luminosity.alpha_s(mu_r**2))

    def _diagrams(self, p: Array, with_diagrams: bool) -> Array:
        return np.empty((len(p), self.elements.n_diagrams if with_diagrams else 0))


class CommonScales(Scatterer):
    """All flavours have the same scales, which follow from momenta alone."""

    def __call__(self, p: Array, with_diagrams: bool = False) -> Scattering:
        """See `Scatterer`; each density is evaluated once."""
        scales = self._coupled(self.factorization(p), self.renormalization(p))
        densities = self._acceptance.restrict(p, self.luminosity.evaluate(p, scales.mu_f**2))
        flavours = np.empty_like(densities)
        diagrams = self._diagrams(p, with_diagrams)
        for element, groups in self.elements:
            if with_diagrams:
                me2, squares = element.evaluate(p, scales.alpha_s)
                shares = _shares(squares)
            else:
                me2, shares = element.squared(p, scales.alpha_s), None
            for columns in groups:
                flavours[:, columns.flavours] = densities[:, columns.flavours] * me2[:, None]
                if shares is not None:
                    _share_out(flavours, shares, columns, diagrams)
        return Scattering(flavours, diagrams, (scales,), np.zeros(self.n_flavours, np.intp))


JetPattern = tuple[bool, ...]


@dataclass(frozen=True)
class _SharedHistory:
    """Flavours that have the same scales: their events cluster alike.

    So do those of other groups whose matrix element is the same bit by bit, if their legs are jets
    alike: the diagrams then differ in the names of flavours alone.

    Attributes:
        jets: which legs are jets.
        columns: among all combinations of flavours.
        flavours: PDG codes of their legs, int32, shape (n_flavours, P).
        clustering: of their events.
        luminosity: of these flavours alone.
    """

    jets: JetPattern
    columns: Rows
    flavours: NDArray[np.int32]
    clustering: DiagramClustering
    luminosity: PartonLuminosity


class ClusteredScales(Scatterer):
    """Each group of flavours has the scales that its own diagrams give.

    Args: see `Scatterer`.

    Raises:
        CardError: four lines meet in every diagram of some flavours.
    """

    def __init__(
        self,
        process: Process,
        elements: SharedElements,
        luminosity: PartonLuminosity,
        acceptance: Acceptance,
    ) -> None:
        super().__init__(process, elements, luminosity, acceptance)
        self._shares = process.beams.shares
        self._process, self._settings = process, _settings(process, luminosity.hadronic)
        self._merging = MergingWeights(process)
        starts = np.cumsum([0, *(len(group.flavours) for group in process.groups)])
        self._histories = {
            int(start): list(self._histories_of(group, int(start)))
            for group, start in zip(process.groups, starts[:-1], strict=True)
        }
        every = [one for histories in self._histories.values() for one in histories]
        self._scales_of = np.empty(self.n_flavours, np.intp)
        for row, history in enumerate(every):
            self._scales_of[history.columns] = row

    def _histories_of(self, group: FlavourGroup, start: int) -> Iterator[_SharedHistory]:
        """Flavours of a group whose legs are jets alike."""
        process = self._process
        alike: dict[JetPattern, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
        for column, legs in enumerate(group.flavours, start):
            alike[tuple(self._settings.is_jet(pdg) for pdg in legs)].append((column, legs))
        for jets, members in alike.items():
            columns = np.array([column for column, _ in members])
            legs = members[0][1]
            try:
                clustering = DiagramClustering(
                    legs,
                    process.diagrams(group),
                    process.model,
                    self._settings,
                    carried_flavours(group.reaction.legs, legs),
                )
            except InputError as error:
                raise process.card.error("scales", str(error)) from None
            flavours = np.array([legs for _, legs in members], np.int32)
            luminosity = parton_luminosity(process.card, process.beams, flavours, process.model)
            yield _SharedHistory(jets, columns, flavours, clustering, luminosity)

    def __call__(self, p: Array, with_diagrams: bool = False) -> Scattering:
        """See `Scatterer`."""
        flavours = np.zeros((len(p), self.n_flavours))
        diagrams, scales = self._diagrams(p, with_diagrams), {}
        allowed = self._acceptance.restrict(p, np.ones_like(flavours))
        for element, groups in self.elements:
            me2, squares = element.evaluate(p, _REFERENCE_COUPLING)
            alike: dict[JetPattern, tuple[EventScales, Array]] = {}
            for columns in groups:
                for history in self._histories[columns.flavours.start]:
                    if history.jets not in alike:
                        found, passes = self._event_scales(history, p, squares)
                        me2_there = _rescaled(element, p, me2, found.alpha_s) * passes
                        if found.nodes:
                            me2_there *= self._merging.coupling_weight(
                                found.nodes, self.luminosity.alpha_s, found.alpha_s
                            )
                        alike[history.jets] = found, me2_there
                    found, me2_there = alike[history.jets]
                    scales[self._scales_of[history.columns[0]]] = found
                    densities = self._densities(history, p, found) * allowed[:, history.columns]
                    flavours[:, history.columns] = densities * me2_there[:, None]
                if with_diagrams:
                    _share_out(flavours, _shares(squares), columns, diagrams)
        in_order = tuple(scales[row] for row in range(len(scales)))
        return Scattering(flavours, diagrams, in_order, self._scales_of)

    def _densities(self, history: _SharedHistory, p: Array, scales: EventScales) -> Array:
        """Luminosities of the flavours of a history, (n, n_flavours)."""
        if scales.nodes is None:
            return history.luminosity.evaluate(p, scales.mu_f**2)
        mu = self._merging.density_scales(scales.nodes, scales.mu_f)
        first = history.luminosity.evaluate(p, mu**2)
        return first * self._merging.density_weight(
            scales.nodes, history.luminosity, p, history.flavours
        )

    def _event_scales(
        self, history: _SharedHistory, p: Array, squares: Array
    ) -> tuple[EventScales, Bools]:
        """The scales of events, and which events they allow."""
        if self._settings.merging:
            mu, passes, nodes = history.clustering.nodes(p, squares)
        else:
            (mu, passes), nodes = history.clustering.scales(p, squares), None
        passes = passes & self._set_scales(mu, p)
        mu_f, mu_r = np.ascontiguousarray(mu[:, :2]), mu[:, 2].copy()
        return EventScales(mu_f, mu_r, self.luminosity.alpha_s(mu_r**2), nodes), passes

    def _set_scales(self, mu: Array, p: Array) -> Bools:
        """Put the scales that are not of the clustering, and factors; which events have all."""
        passes = np.ones(len(mu), bool)
        for column, scale in enumerate((*self.factorization.scales, self.renormalization)):
            if scale.choice != CLUSTERING:
                mu[:, column] = scale(p)
                continue
            mu[:, column] *= scale.factor
            if column < 2 and self._shares[column] != "whole":
                passes &= mu[:, column] >= _LOWEST_SCALE
        return passes


def _settings(process: Process, hadronic: bool) -> ClusteringSettings:
    card, merging = process.card, process.card.for_merging
    flavour = merging.maxjetflavor or largest_jet_flavour(process.flavours)
    return ClusteringSettings(
        flavour,
        card.process.widths_of_resonance,
        hadronic,
        xqcut=merging.xqcut,
        coupling_flavour=merging.asrwgtflavor or flavour,
        merging=merging.scheme == "mlm",
    )


def _rescaled(element: MatrixElement, p: Array, me2: Array, alpha_s: Array) -> Array:
    """|M|^2 at a strong coupling from that at the reference."""
    if element.alpha_s_power is None:
        return element.squared(p, alpha_s)
    return np.asarray(me2 * (alpha_s / _REFERENCE_COUPLING) ** element.alpha_s_power)


def _shares(squares: Array) -> Array:
    return np.asarray(squares / np.maximum(squares.sum(axis=1, keepdims=True), SMALLEST_TOTAL))


def _share_out(flavours: Array, shares: Array, columns: GroupColumns, diagrams: Array) -> None:
    """Share PDF x |M|^2 of a group out over its diagrams."""
    total = np.abs(flavours[:, columns.flavours]).sum(axis=1)
    np.multiply(total[:, None], shares, out=diagrams[:, columns.diagrams])
