"""Nodes of clustered events that merging with a shower gives weights: couplings and densities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array

Rows = NDArray[np.intp]

Density = Callable[[Sequence[int], Array, Array], Array]

_VANISHING = 1e-10
"""x f below which MadEvent takes a density to be 0: the scale is too low for a heavy quark."""


@dataclass(frozen=True)
class MergingNodes:
    """Nodes of n events with P legs, at most K in each.

    Attributes:
        density_mu: scale in GeV at which the density of either beam is evaluated first, float64,
            shape (n, 2).
        couplings: kT in GeV of the nodes that have a strong coupling of their own, 0 behind the
            last, float64, shape (n, K).
        lines: the incoming line at each node of either beam: leg whose flavour it has, sign, and
            its PDG code where the leg is -1, int64, shape (n, 2, K, 3).
        evolution: share of the parton's momentum that this line has, and the scales in GeV between
            which its density evolves, 0 behind the last node, float64, shape (n, 2, K, 3).
        jet_kt: kT in GeV of each leg that is a jet, 0 of others, float64, shape (n, P).
    """

    density_mu: Array
    couplings: Array
    lines: NDArray[np.int64]
    evolution: Array
    jet_kt: Array

    @classmethod
    def chosen(cls, nodes: Sequence[MergingNodes], own: Rows) -> MergingNodes:
        """Those of events, each from one of several.

        Args:
            nodes: of the same events.
            own: which of them each event has, shape (n,).
        """
        every = np.arange(len(own))
        names = ("density_mu", "couplings", "lines", "evolution", "jet_kt")
        return cls(*(np.stack([getattr(one, name) for one in nodes])[own, every] for name in names))

    def varied(self, central: float, emissions: float) -> MergingNodes:
        """The nodes at other scales; those of emissions stay below the central one, as in MadGraph.

        Args:
            central: factor of the factorisation scale up to which the densities evolve.
            emissions: factor of the scales of all other nodes.
        """
        share, before, after = np.moveaxis(self.evolution, 3, 0)
        last = (share > 0).sum(axis=2)[..., None] - 1
        evolves = last[..., 0] >= 0
        end = np.take_along_axis(after, np.maximum(last, 0), axis=2)[..., 0]
        top = central * np.where(evolves, end, self.density_mu)

        def lowered(mu: Array) -> Array:
            return np.minimum(emissions * mu, top[..., None])

        is_last = np.arange(share.shape[2]) == last
        ends = np.where(is_last, top[..., None], lowered(after))
        first = lowered(self.density_mu[..., None])[..., 0]
        return replace(
            self,
            density_mu=np.where(evolves, first, top),
            couplings=emissions * self.couplings,
            evolution=np.stack([share, lowered(before), ends], axis=3),
        )

    def coupling_weight(
        self, alpha_s: Callable[[Array], Array], central: Array, factor: float
    ) -> Array:
        """prod_i alpha_s((factor kT_i)^2) / alpha_s(mu_R^2), float64 (n,).

        Args:
            alpha_s: the coupling at scales squared in GeV^2.
            central: that at the renormalisation scale, float64 (n,).
            factor: of kT (alpsfact).
        """
        weight = np.ones(len(central))
        for kt in self.couplings.T:
            rows = np.flatnonzero(kt > 0)
            weight[rows] *= alpha_s((factor * kt[rows]) ** 2) / central[rows]
        return weight

    @property
    def n_couplings(self) -> NDArray[np.int64]:
        """How many nodes of each event have a coupling of their own, (n,)."""
        return np.asarray((self.couplings > 0).sum(axis=1))

    def density_weight(
        self,
        density: Density,
        beam: int,
        x: Array,
        flavours: NDArray[np.int32],
        factor: float,
        sign: int = 1,
    ) -> Array:
        """prod_i f_i(x_i, mu_i) / f_i(x_i, mu_(i-1)) over the nodes of a beam.

        Args:
            density: x f of PDG codes at n points, see `AbstractPdf.density`.
            beam: 0 or 1.
            x: momentum fractions of the partons, float64 (n,).
            flavours: PDG codes of the legs of one or several combinations of flavours, for all
                events, int32 (n_flavours, P), or of each event, int32 (n, 1, P).
            factor: of all scales.
            sign: -1 for a beam of antiparticles of those that the densities are of.

        Returns:
            float64 (n, n_flavours), or (n, 1).
        """
        n_flavours = flavours.shape[-2]
        weight = np.ones((len(x), n_flavours))
        for node in range(self.evolution.shape[2]):
            share, before, after = self.evolution[:, beam, node].T
            rows = np.flatnonzero(share > 0)
            if len(rows) == 0:
                continue
            codes = _codes(self.lines[rows, beam, node], flavours, rows)
            codes = np.where(np.abs(codes) <= 6, sign * codes, codes)
            known, places = np.unique(codes, return_inverse=True)
            places = places.reshape(codes.shape)

            x_there = x[rows] * share[rows]
            above, below = (
                density(known.tolist(), x_there, (factor * mu[rows]) ** 2) for mu in (after, before)
            )
            ratio = np.where(below > _VANISHING, above / np.maximum(below, _VANISHING), 0.0)
            weight[rows] *= np.take_along_axis(ratio, places, axis=1)
        return weight


def _codes(lines: NDArray[np.int64], flavours: NDArray[np.int32], rows: Rows) -> NDArray[np.int64]:
    """PDG codes of the lines of some events, for every combination of flavours."""
    leg, sign, pdg = lines.T
    own = (
        flavours[rows]
        if flavours.ndim == 3
        else np.broadcast_to(flavours, (len(rows), *flavours.shape))
    )
    named = np.take_along_axis(own, np.maximum(leg, 0)[:, None, None], axis=2)[..., 0]
    return np.asarray(np.where(leg[:, None] >= 0, sign[:, None] * named, pdg[:, None]))
