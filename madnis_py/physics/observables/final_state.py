"""Final states as columns, and which of their particles a name means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.tables import closest
from madnis_py.errors import InputError
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.selection import CLASSES, RANKED, codes_of

Positions = NDArray[np.intp]

N_INCOMING = 2

ABSENT = -1
"""The position of a particle that an event does not have."""


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

    def positions(self, codes: frozenset[int]) -> Positions:
        """Rows of the outgoing particles with some PDG codes, by falling transverse momentum.

        Returns:
            int64, shape (n, m), of equal ones the first first; `ABSENT` behind the last of an event
            that has fewer.
        """
        if codes not in self._found:
            self._found[codes] = self._sorted(self.outgoing & np.isin(self.pdg, list(codes)))
        return self._found[codes]

    def _sorted(self, members: NDArray[np.bool_]) -> Positions:
        order = np.argsort(np.where(members, -self.pt, np.inf), axis=1, kind="stable")
        order = order[:, : members.sum(axis=1).max(initial=0)]
        return np.asarray(np.where(np.take_along_axis(members, order, axis=1), order, ABSENT))

    def summed(self, positions: Positions) -> Array:
        """Summed momentum of the particles in the last axis of (n, m, k) positions, in GeV, shape (n, m, 4)."""
        rows = np.arange(len(self))[:, None, None]
        return np.asarray(self.momenta[rows, positions].sum(axis=2))


@dataclass(frozen=True)
class Name:
    """Particles as a card calls them: a class, a particle or a PDG number, perhaps with a rank.

    Attributes:
        codes: PDG codes.
        rank: 1 for the one of largest transverse momentum; None for all of them.
    """

    codes: frozenset[int]
    rank: int | None = None

    @classmethod
    def parse(cls, text: str, model: Model) -> Name:
        """What a name means.

        Raises:
            InputError: nothing is called so.
        """
        ranked = RANKED.fullmatch(text)
        name, rank = (ranked[1].strip(), int(ranked[2])) if ranked else (text, None)
        codes = (
            frozenset({int(name)}) if re.fullmatch(r"-?\d{1,18}", name) else codes_of(name, model)
        )
        if not codes:
            raise InputError(
                f'unknown particle or class "{name}"{closest(name, [*model.pdg_of, *CLASSES])}'
            )
        return cls(codes, rank)

    def count(self, final: Sequence[int]) -> int:
        """How many particles of a final state, given by its PDG codes, it means."""
        members = sum(pdg in self.codes for pdg in final)
        return members if self.rank is None else int(members >= self.rank)

    def positions(self, final: FinalState) -> Positions:
        """Rows of the particles, int64, shape (n, m); see `FinalState.positions`."""
        found = final.positions(self.codes)
        return found if self.rank is None else found[:, self.rank - 1 : self.rank]


def sets_of(names: Sequence[Name], final: FinalState) -> Positions:
    """Every set of different particles, one for each name, once, as in [cuts].

    Returns:
        rows of the particles in the order of the names, int64, shape (n, m, len(names)); sets that
        an event does not have are `ABSENT` throughout.
    """
    columns = [name.positions(final) for name in names]
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
