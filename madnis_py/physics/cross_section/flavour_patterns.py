"""Patterns of flavours: combinations whose final states observables do not tell apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.physics.observables.final_state import N_INCOMING, FinalState


class FlavourPatterns:
    """Combinations of flavours in groups, by the classes that their final particles belong to.

    Args:
        flavours: PDG codes of the external legs, int32, shape (n_flavours, P).
        classes: sets of PDG codes; flavours whose particles belong to the same ones are alike.
        n_incoming: 1 for a decay.

    Attributes:
        group: of each combination, int64, shape (n_flavours,).
        pdg: of a combination of each group, int32, shape (n_groups, P).
    """

    def __init__(
        self,
        flavours: NDArray[np.int32],
        classes: Iterable[frozenset[int]],
        n_incoming: int = N_INCOMING,
    ) -> None:
        self._n_incoming = n_incoming
        final = flavours[:, n_incoming:]
        belongs = [np.isin(final, list(codes)) for codes in dict.fromkeys(classes)]
        patterns = np.stack([np.zeros(final.shape, bool), *belongs], axis=2).reshape(
            len(flavours), -1
        )
        _, first, group = np.unique(patterns, axis=0, return_index=True, return_inverse=True)
        self.group = group.reshape(-1)
        self.pdg = flavours[first]

    def __len__(self) -> int:
        """Number of groups."""
        return len(self.pdg)

    def states(self, p: Array) -> list[FinalState]:
        """The final states of n events if their flavours were those of each group.

        Args:
            p: momenta in GeV, float64, shape (n, P, 4).
        """
        outgoing = np.arange(p.shape[1]) >= self._n_incoming
        every = np.broadcast_to(outgoing, p.shape[:2])
        return [FinalState(p, np.broadcast_to(pdg, p.shape[:2]), every) for pdg in self.pdg]
