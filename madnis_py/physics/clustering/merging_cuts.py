"""Cuts of samples for merging: which legs are jets of the sample, and the kT of pairs of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    ktdurham the least p_T is part of the cut, and the least mass D kT follows from it.
    """
    if merging.ktdurham > 0:
        return merging.ktdurham, merging.dparameter * merging.ktdurham
    if merging.xqcut > 0 and merging.auto_ptj_mjj:
        return merging.xqcut, merging.xqcut
    return 0.0, 0.0


class DurhamCut:
    """Events without a pair of jets of less than some kT, longitudinally invariant.

    kT^2 = 2 min(p_T1^2, p_T2^2) (cosh(eta_1 - eta_2) - cos(phi_1 - phi_2)) / D^2, as Pythia's
    `Merging:doKTMerging` with ktType 1.

    Args:
        jets: positions of the jets of every combination of flavours.
        kt: the least kT in GeV.
        radius: D.

    Raises:
        ValueError: the jets stand in different places for different flavours.
    """

    def __init__(self, jets: Iterable[tuple[int, ...]], kt: float, radius: float) -> None:
        different = sorted({*jets})
        if len(different) > 1:
            raise ValueError(f"expected jets at the same places for all flavours; got {different}")
        self._jets, self._least = different[0], (kt * radius) ** 2

    def __call__(self, p: Array) -> NDArray[np.bool_]:
        """Which events pass, bool (n,); p in GeV, float64 (n, P, 4)."""
        passes = np.ones(len(p), bool)
        for square in self._squares(p):
            passes &= square >= self._least
        return passes

    def _squares(self, p: Array) -> Iterator[Array]:
        """(D kT)^2 of each pair in GeV^2."""
        pt2 = {k: p[:, k, 1] ** 2 + p[:, k, 2] ** 2 for k in self._jets}
        size = {k: np.sqrt(pt2[k] + p[:, k, 3] ** 2) for k in self._jets}
        for a, b in combinations(self._jets, 2):
            angles = size[a] * size[b] - (p[:, a, 1:] * p[:, b, 1:]).sum(axis=1)
            yield 2 * np.minimum(pt2[a], pt2[b]) * angles / np.sqrt(pt2[a] * pt2[b])
