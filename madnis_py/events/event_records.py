"""Records of partonic events: the rows of particles and resonances, with their mothers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array, Integers
from madnis_py.events.event_batch import (
    INCOMING,
    INTERMEDIATE,
    OUTGOING,
    PARTICLE_COLUMNS,
    UNKNOWN_SPIN,
    UNUSED,
    EventBatch,
)
from madnis_py.physics.cross_section.partonic_events import PartonicEvents


def event_records(events: PartonicEvents, weight: Array, process_id: int = 1) -> EventBatch:
    """Complete events from partonic ones.

    The rows are the incoming particles, the resonances, the final particles, then unused rows. The
    mother of a particle is the smallest resonance that it comes from, else all incoming particles.

    Args:
        events: n partonic events with at most R resonances each; rows are P + R.
        weight: in any unit, float64, shape (n,); the variations become weights in the same unit.
        process_id: the subprocess in the terms of the file's <init>.
    """
    rows = _RecordRows(events)
    n = len(weight)
    return EventBatch(
        **{name: rows.in_place(getattr(rows, name)) for name in PARTICLE_COLUMNS},
        weight=weight,
        scale=events.scale,
        factorization_scale=events.scale,
        renormalization_scale=events.renormalization_scale,
        alpha_qed=events.alpha_qed,
        alpha_s=events.alpha_s,
        process_id=np.full(n, process_id, np.int32),
        variations=events.variations * weight[:, None],
        jet_kt=None if events.jet_kt is None else rows.in_place(rows.beside(events.jet_kt)),
        n_jets=events.n_jets,
    )


class _RecordRows:
    """Columns with a row for every possible resonance, also where an event lacks it.

    The rows are the incoming particles, R resonances and the final particles, P + R in all.
    """

    def __init__(self, events: PartonicEvents) -> None:
        self._events, self._n, self._legs = events, *events.pdg.shape
        self._incoming = events.n_incoming
        found = events.resonances
        self._resonances = found.pdg.shape[1]
        bits = found.legs[..., None] >> np.arange(self._legs) & 1
        self._decays = np.asarray(bits, bool)  # legs that each resonance decays to, (n, R, P)
        present = found.pdg != 0
        self._present = self._side_by_side(np.ones(events.pdg.shape, bool), present)
        self._order = np.argsort(~self._present, axis=1, kind="stable")

    def in_place(self, column: NDArray[Any]) -> NDArray[Any]:
        """A column with the rows that an event lacks moved to the end."""
        order = self._order.reshape(*self._order.shape, *[1] * (column.ndim - 2))
        return np.take_along_axis(column, order, axis=1)

    def beside(self, legs: Array) -> Array:
        """Numbers of legs, with 0 for resonances."""
        return self._side_by_side(legs, np.zeros((self._n, self._resonances)))

    @property
    def pdg(self) -> Integers:
        return self._side_by_side(self._events.pdg, self._events.resonances.pdg)

    @property
    def status(self) -> Integers:
        counts = [self._incoming, self._resonances, self._legs - self._incoming]
        kinds = np.repeat([INCOMING, INTERMEDIATE, OUTGOING], counts)
        return np.where(self._present, kinds, UNUSED).astype(np.int32)

    @property
    def mothers(self) -> Integers:
        """Rows of the smallest resonance that holds a particle, else of the incoming particles."""
        own = np.broadcast_to(np.eye(self._legs, dtype=bool), (self._n, self._legs, self._legs))
        members = self._side_by_side(own, self._decays)  # legs that each row stands for
        size = members.sum(axis=-1)
        position = np.cumsum(self._present, axis=1)  # 1-based, among the rows that are there
        mothers = np.zeros((self._n, self._legs + self._resonances, 2), np.int32)
        first = self._incoming
        mothers[:, first:] = [1, first]
        for row in range(first, first + self._resonances):  # smaller ones come later and overwrite
            inside = (members <= members[:, row, None]).all(axis=-1) & (size < size[:, row, None])
            held = self._present[:, row, None] & inside
            held[:, : row + 1] = False
            mothers[held] = np.repeat(position[:, row], held.sum(axis=1))[:, None]
        return np.where(self._present[..., None], mothers, 0).astype(np.int32)

    @property
    def colour(self) -> Integers:
        return self._side_by_side(self._events.colour, self._events.resonances.colour)

    @property
    def momenta(self) -> Array:
        legs = self._events.momenta
        return self._side_by_side(legs, np.einsum("nrk,nkm->nrm", self._decays, legs))

    @property
    def mass(self) -> Array:
        p = self.momenta[:, self._incoming : self._incoming + self._resonances]
        square = p[..., 0] ** 2 - np.square(p[..., 1:]).sum(axis=-1)
        return self._side_by_side(self._events.mass, np.sqrt(np.maximum(square, 0.0)))

    @property
    def lifetime(self) -> Array:
        return np.zeros(self._present.shape)

    @property
    def spin(self) -> Array:
        resonances = np.full((self._n, self._resonances), UNKNOWN_SPIN)
        return self._side_by_side(self._events.helicity.astype(np.float64), resonances)

    def _side_by_side(self, legs: NDArray[Any], resonances: NDArray[Any]) -> NDArray[Any]:
        incoming, outgoing = legs[:, : self._incoming], legs[:, self._incoming :]
        return np.concatenate([incoming, resonances, outgoing], axis=1)
