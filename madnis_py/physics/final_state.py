"""Final states as columns, and which of their particles a name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from madnis_py.card_tables import closest
from madnis_py.errors import InputError
from madnis_py.integration.samples import Samples
from madnis_py.physics.model import Model
from madnis_py.physics.selection import CLASSES, RANKED, codes_of

if TYPE_CHECKING:
    from torch import Tensor

    from madnis_py.physics.cross_section import CrossSection

Array = NDArray[np.float64]
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
            int64, shape (n, m), of equal ones the first first; `ABSENT` behind the last of an event that has fewer.
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
        codes = frozenset({int(name)}) if re.fullmatch(r"-?\d{1,18}", name) else codes_of(name, model)
        if not codes:
            raise InputError(f'unknown particle or class "{name}"{closest(name, [*model.pdg_of, *CLASSES])}')
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
        rows of the particles in the order of the names, int64, shape (n, m, len(names)); sets that an event does not
        have are `ABSENT` throughout.
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


Parts = Sequence[tuple[FinalState, Array]]
"""Final states of the same events, each with its share of the magnitude of every event, shape (n,)."""


@dataclass(frozen=True)
class LivePoints:
    """Points that some flavours contribute to.

    Attributes:
        channel: int64, shape (n,).
        magnitude: `Samples.magnitude`, float64, shape (n,).
        share: weight over magnitude, 1 where no parton density is negative, float64, shape (n,).
        parts: final states and shares of each group of flavours, as from `SampledStates`; empty without points.
    """

    channel: NDArray[np.int64]
    magnitude: Array
    share: Array
    parts: Parts


class SampledStates:
    """Final states at points of phase space, for each group of flavours that is to be told apart.

    Args:
        cross_section: maps points to momenta, and shares them out over the flavours.
        classes: sets of PDG codes; flavours whose particles belong to the same ones are not told apart.
    """

    def __init__(self, cross_section: CrossSection, classes: Iterable[frozenset[int]]) -> None:
        self._cross_section = cross_section
        flavours = cross_section.flavours
        final = flavours[:, N_INCOMING:]
        belongs = [np.isin(final, list(codes)) for codes in dict.fromkeys(classes)]
        patterns = np.stack([np.zeros(final.shape, bool), *belongs], axis=2).reshape(len(flavours), -1)
        _, first, group = np.unique(patterns, axis=0, return_index=True, return_inverse=True)
        self._members = np.equal.outer(group.reshape(-1), np.arange(len(first)))  # (n_flavours, n_groups)
        self._pdg = flavours[first]

    def __call__(self, x: Tensor, channel: Tensor, share: Array) -> Parts:
        """The final states of points that some flavours contribute to.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,).
            share: weight over magnitude at every point, float64, shape (n,).

        Returns:
            for each group of flavours the final states, and its share of the magnitude at every point, (n,).
        """
        p, _ = self._cross_section.momenta(x, channel)
        shares = share[None] if len(self._pdg) == 1 else (self._cross_section.flavour_shares(p) @ self._members).T
        return [(self._state(p, pdg), of_group) for pdg, of_group in zip(self._pdg, shares, strict=True)]

    def of_live(self, samples: Samples) -> LivePoints:
        """The final states of the points whose magnitude is not 0."""
        live = samples.magnitude.nonzero().squeeze(1)
        channel, magnitude = samples.channel[live], samples.magnitude[live].numpy()
        share = samples.weight[live].numpy() / magnitude
        parts = self(samples.x[live], channel, share) if len(live) else []
        return LivePoints(channel.numpy(), magnitude, share, parts)

    @staticmethod
    def _state(p: Array, pdg: NDArray[np.int32]) -> FinalState:
        outgoing = np.arange(len(pdg)) >= N_INCOMING
        return FinalState(p, np.broadcast_to(pdg, p.shape[:2]), np.broadcast_to(outgoing, p.shape[:2]))
