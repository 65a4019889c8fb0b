"""Weights of events at other scales and with other parton densities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.tables import SystematicsTable
from madnis_py.physics.cross_section.shared_elements import SharedElements
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.luminosity import PartonLuminosity, parton_luminosity
from madnis_py.physics.pdf.pdf_sets import other_members, pdf_set


@dataclass(frozen=True)
class Variation:
    """Another choice of scales and parton densities.

    Attributes:
        mu_r: factor of the renormalisation scale.
        mu_f: factor of the factorisation scale.
        pdf: name of the parton densities, "SET" or "SET/member".
    """

    mu_r: float
    mu_f: float
    pdf: str


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

    Beams that are partons, whose coupling is a parameter, have none.

    Scales: all pairs of factors but (1, 1). Parton densities: the other members of the set, and
        other sets.

    Raises:
        PdfError: a set is not found.
    """
    pdf, settings = card.beams.pdf, card.systematics
    if pdf is None or pdf == "none":
        return ()
    groups = [_scales(pdf, settings), *_members(pdf, settings), *_sets(settings)]
    return tuple(group for group in groups if group.variations)


def _scales(pdf: str, settings: SystematicsTable) -> VariationGroup:
    factors = settings.scale_factors
    pairs = [pair for pair in product(factors, factors) if pair != (1.0, 1.0)]
    return VariationGroup(
        "scale_variation", "envelope", tuple(Variation(mu_r, mu_f, pdf) for mu_r, mu_f in pairs)
    )


def _members(pdf: str, settings: SystematicsTable) -> Iterator[VariationGroup]:
    if settings.pdf_members:
        whole, others = pdf_set(pdf), other_members(pdf)
        yield VariationGroup(
            whole.name, whole.error_type, tuple(Variation(1.0, 1.0, name) for name in others)
        )


def _sets(settings: SystematicsTable) -> Iterator[VariationGroup]:
    yield VariationGroup(
        "other_pdfs", "none", tuple(Variation(1.0, 1.0, name) for name in settings.pdf_sets)
    )


class Systematics:
    """Evaluates the variations of events, in one pass over a batch.

    Args:
        groups: the variations, in the order of the weights.
        card: beams and the backend of the parton densities.
        flavours: PDG codes of the external legs of all flavours, int32, shape (n_flavours, P).
        elements: the matrix elements.
        model: for the beams.

    Attributes:
        groups: as given.

    Raises:
        PdfError: a set cannot be loaded.
    """

    def __init__(
        self,
        groups: Sequence[VariationGroup],
        card: Card,
        flavours: NDArray[np.int32],
        elements: SharedElements,
        model: Model,
    ) -> None:
        self.groups = tuple(groups)
        self._variations = [variation for group in groups for variation in group.variations]
        self._elements = elements
        self._nominal = Variation(1.0, 1.0, card.beams.pdf or "none")
        names = dict.fromkeys(variation.pdf for variation in (*self._variations, self._nominal))
        self._beams: dict[str, PartonLuminosity] = {
            name: parton_luminosity(card.updated({"beams": {"pdf": name}}), flavours, model)
            for name in names
        }

    @property
    def lhapdf_ids(self) -> dict[str, int]:
        """LHAPDF's number of each PDF by name; 0 for one without."""
        return {
            name: beams.pdf.lhapdf_id if beams.pdf else 0 for name, beams in self._beams.items()
        }

    def ratios(self, p: Array, flavour: NDArray[np.intp], mu_f: Array, mu_r: Array) -> Array:
        """PDF x |M|^2 of the flavours of events with every variation, over that without.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            flavour: row of each event among all flavours, (n,).
            mu_f: factorisation scale in GeV, float64 (n,).
            mu_r: renormalisation scale in GeV, float64 (n,).

        Returns:
            float64 (n, W).
        """
        if not self._variations:
            return np.empty((len(p), 0))
        point = _Point(self._beams, self._elements, self._nominal, p, flavour, mu_f, mu_r)
        return np.stack([point.ratio(variation) for variation in self._variations], axis=1)


class _Point:
    """Events whose densities and matrix elements are evaluated once for each different argument."""

    def __init__(
        self,
        beams: dict[str, PartonLuminosity],
        elements: SharedElements,
        nominal: Variation,
        p: Array,
        flavour: NDArray[np.intp],
        mu_f: Array,
        mu_r: Array,
    ) -> None:
        self._beams, self._elements, self._nominal = beams, elements, nominal
        self._p, self._flavour, self._mu_f, self._mu_r = p, flavour, mu_f, mu_r
        self._densities: dict[tuple[str, float], Array] = {}
        self._element_ratios: dict[bytes, Array] = {}

    def ratio(self, variation: Variation) -> Array:
        """PDF x |M|^2 of each event over that without variation, float64 (n,)."""
        return (
            self._density(variation) / self._density(self._nominal) * self._element_ratio(variation)
        )

    def _density(self, variation: Variation) -> Array:
        key = variation.pdf, variation.mu_f
        if key not in self._densities:
            densities = self._beams[variation.pdf].evaluate(
                self._p, (variation.mu_f * self._mu_f) ** 2
            )
            self._densities[key] = densities[np.arange(len(self._p)), self._flavour]
        return self._densities[key]

    def _element_ratio(self, variation: Variation) -> Array:
        """|M|^2 with the coupling of a variation over that without, float64 (n,)."""
        alpha_s = self._alpha_s(variation)
        key = alpha_s.tobytes()
        if key not in self._element_ratios:
            before = self._alpha_s(self._nominal)
            self._element_ratios[key] = self._elements.coupling_ratio(
                self._p, before, alpha_s, self._flavour
            )
        return self._element_ratios[key]

    def _alpha_s(self, variation: Variation) -> Array:
        return self._beams[variation.pdf].alpha_s((variation.mu_r * self._mu_r) ** 2)
