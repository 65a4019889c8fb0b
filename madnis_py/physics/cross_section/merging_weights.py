"""Weights of merging: couplings and parton densities at the nodes of clustered events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.physics.beam_densities.luminosity import PartonLuminosity
from madnis_py.physics.clustering.merging_nodes import MergingNodes
from madnis_py.physics.process.process import Process


class MergingWeights:
    """alpha_s and densities of a sample for MLM merging, as MadEvent has them with ickkw = 1.

    Densities are evaluated at the first node of each beam and followed from node to node up to the
    central factorisation scale; alpha_s of the nodes at which a jet is radiated is taken at the kT
    of the node.

    Args:
        process: its table [merging], factors of scales, and beams.
    """

    def __init__(self, process: Process) -> None:
        card, merging = process.card, process.card.for_merging
        self._alpha_s_factor, self._with_densities = merging.alpsfact, merging.pdfwgt
        self._scale_factor = card.scales.factorization_factor
        self._energies = process.beams.colliding.energies
        self._signs = [-1 if pdg < 0 else 1 for pdg in process.beams.pdg]

    def coupling_weight(
        self, nodes: MergingNodes, alpha_s: Callable[[Array], Array], central: Array
    ) -> Array:
        """prod_i alpha_s(kT_i) / alpha_s(mu_R), float64 (n,); see `MergingNodes`."""
        return nodes.coupling_weight(alpha_s, central, self._alpha_s_factor)

    def density_scales(self, nodes: MergingNodes, mu_f: Array) -> Array:
        """Scales in GeV at which the densities of the beams are evaluated first, (n, 2).

        Args:
            nodes: of n events.
            mu_f: central factorisation scales in GeV, float64 (n, 2).
        """
        return nodes.density_mu * self._scale_factor if self._with_densities else mu_f

    def density_weight(
        self,
        nodes: MergingNodes,
        luminosity: PartonLuminosity,
        p: Array,
        flavours: NDArray[np.int32],
    ) -> Array:
        """Densities at each node over those at the node before, of both beams.

        Args:
            nodes: of n events.
            luminosity: whose sets.
            p: momenta in GeV, float64 (n, P, 4).
            flavours: as for `MergingNodes.density_weight`.

        Returns:
            float64 (n, n_flavours), or (n, 1).
        """
        weight: Array = np.ones((len(p), 1))
        if not self._with_densities:
            return weight
        for beam, pdf in enumerate(luminosity.pdfs):
            if pdf is None:
                continue
            x = np.ascontiguousarray(p[:, beam, 0]) / self._energies[beam]
            weight = weight * nodes.density_weight(
                pdf.density, beam, x, flavours, self._scale_factor, self._signs[beam]
            )
        return weight
