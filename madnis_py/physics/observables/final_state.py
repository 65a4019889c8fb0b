"""Final states of n events as columns, and the particles in them that names mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.physics.observables.particle_names import ParticleName

Positions = NDArray[np.intp]
"""Rows of particles in the columns of a final state, int64."""

N_INCOMING = 2

ABSENT = -1
"""Position of a particle that an event does not have."""


@dataclass(frozen=True, eq=False)
class FinalState:
    """The outgoing particles of n events, in rows that may hold other particles too.

    Attributes:
        momenta: (E, px, py, pz) in GeV, float64, shape (n, P, 4).
        pdg: PDG codes, int32, shape (n, P).
        outgoing: which rows are outgoing particles, bool, shape (n, P).
    """

    momenta: Array
    pdg: NDArray[np.int32]
    outgoing: NDArray[np.bool_]
    _found: dict[frozenset[int], Positions] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        """Number of events."""
        return len(self.pdg)

    @cached_property
    def pt(self) -> Array:
        """Transverse momenta in GeV, float64, shape (n, P)."""
        return np.hypot(self.momenta[..., 1], self.momenta[..., 2])

    @cached_property
    def total(self) -> Array:
        """Summed momentum of the outgoing particles in GeV, float64, shape (n, 4)."""
        return np.asarray(np.einsum("npk,np->nk", self.momenta, self.outgoing))

    def positions(self, name: ParticleName) -> Positions:
        """Rows of the outgoing particles that a name means, by falling transverse momentum.

        Returns:
            int64, shape (n, m), of equal ones the first first; `ABSENT` behind the last of an event
            that has fewer.
        """
        codes, rank = name.codes, name.rank
        if codes not in self._found:
            self._found[codes] = self._sorted(self.outgoing & np.isin(self.pdg, list(codes)))
        return self._found[codes][:, slice(None) if rank is None else slice(rank - 1, rank)]

    def _sorted(self, members: NDArray[np.bool_]) -> Positions:
        order = np.argsort(np.where(members, -self.pt, np.inf), axis=1, kind="stable")
        order = order[:, : members.sum(axis=1).max(initial=0)]
        return np.asarray(np.where(np.take_along_axis(members, order, axis=1), order, ABSENT))

    def summed(self, positions: Positions) -> Array:
        """Summed momentum of the particles in the last axis of positions.

        Args:
            positions: shape (n, m, k).

        Returns:
            GeV, float64, shape (n, m, 4).
        """
        rows = np.arange(len(self))[:, None, None]
        return np.asarray(self.momenta[rows, positions].sum(axis=2))


def sets_of(names: Sequence[ParticleName], final: FinalState) -> Positions:
    """Every set of different particles, one for each name, once, as in [cuts].

    Returns:
        rows of the particles in the order of the names, int64, shape (n, m, len(names)); sets that
        an event does not have are `ABSENT` throughout.
    """
    columns = [final.positions(name) for name in names]
    choices = list(product(*(range(column.shape[1]) for column in columns)))
    sets = np.full((len(final), len(choices), len(names)), ABSENT)
    seen: list[Positions] = []
    for number, choice in enumerate(choices):
        rows = np.stack([column[:, k] for column, k in zip(columns, choice, strict=True)], axis=1)
        members = np.sort(rows, axis=1)
        new = (members[:, 0] != ABSENT) & (np.diff(members, axis=1) != 0).all(axis=1)
        for earlier in seen:
            new &= (members != earlier).any(axis=1)
        sets[new, number] = rows[new]
        seen.append(members)
    return sets
