"""Cuts of samples for merging: which legs are jets of the sample, and the kT of pairs of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.process_tables import MergingTable
from madnis_py.physics.diagrams.reactions import Reaction


def merging_jets(
    legs: Sequence[int], reaction: Reaction, merging: MergingTable, flavour: int
) -> tuple[int, ...]:
    """Positions of the final legs that are jets of the sample: not those from decays.

    Args:
        legs: PDG codes, incoming first.
        reaction: with their decays.
        merging: whose `maxjetflavor` counts.
        flavour: without that, the largest quark.
    """
    largest = merging.maxjetflavor or flavour
    decayed = reaction.decay_products
    return tuple(
        position
        for position, pdg in enumerate(legs)
        if position > 1 and position not in decayed and (abs(pdg) <= largest or pdg == 21)
    )


def least_kinematics(merging: MergingTable) -> tuple[float, float]:
    """Least p_T of a jet and least mass of a pair of jets in GeV.

    With xqcut they are equal to it, as MadGraph sets them to integrate with less effort. With
    ktdurham the least p_T is part of the cut, and the least mass follows from it: that of two jets
    of this p_T at the same rapidity, which are D apart in azimuth. With ptlund both follow: the
    smaller scale of a jet with the beams is at most sqrt(2) p_T, and a pair of less mass than p_T
    may come from one jet beside a beam, at a scale of half its mass at most.
    """
    if merging.ktdurham > 0:
        kt, angle = merging.ktdurham, min(merging.dparameter, math.pi)
        return kt, 2 * kt * math.sin(angle / 2)
    if merging.ptlund > 0:
        return merging.ptlund / math.sqrt(2), merging.ptlund / math.sqrt(2)
    if merging.xqcut > 0 and merging.auto_ptj_mjj:
        return merging.xqcut, merging.xqcut
    return 0.0, 0.0


class DurhamCut:
    """Events without a pair of jets of less than some kT, longitudinally invariant.

    kT^2 = min(p_T1^2, p_T2^2) ((y_1 - y_2)^2 + (phi_1 - phi_2)^2) / D^2, as in `cuts.f` of MadEvent
    and in Pythia's `Merging:doKTMerging` with ktType 1.

    Args:
        jets: positions of the jets.
        kt: the least kT in GeV.
        radius: D.
    """

    def __init__(self, jets: tuple[int, ...], kt: float, radius: float) -> None:
        self._jets, self._least = jets, (kt * radius) ** 2

    def __call__(self, p: Array) -> NDArray[np.bool_]:
        """Which events pass, bool (n,); p in GeV, float64 (n, P, 4)."""
        passes = np.ones(len(p), bool)
        for square in self._squares(p):
            passes &= square >= self._least
        return passes

    def _squares(self, p: Array) -> Iterator[Array]:
        """(D kT)^2 of each pair in GeV^2."""
        energy, px, py, pz = (p[:, self._jets, component] for component in range(4))
        pt2, phi = px**2 + py**2, np.arctan2(py, px)
        rapidity = np.arcsinh(pz / np.sqrt(energy**2 - pz**2))
        for a, b in combinations(range(len(self._jets)), 2):
            turn = np.abs(phi[:, a] - phi[:, b])
            distance = np.hypot(rapidity[:, a] - rapidity[:, b], np.minimum(turn, 2 * np.pi - turn))
            yield np.minimum(pt2[:, a], pt2[:, b]) * distance**2
