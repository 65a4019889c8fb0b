"""Complete events as columns: what the generator hands to files, showers and histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array, Flags, Integers
from madnis_py.errors import InputError
from madnis_py.events.validation import require_valid

UNUSED, INCOMING, OUTGOING, INTERMEDIATE = 0, -1, 1, 2
"""Status of a row, ISTUP of the Les Houches accord; 0 is ours."""

UNKNOWN_SPIN = 9.0
"""SPINUP of a particle whose spin is not known."""

COLUMNS: Mapping[str, tuple[type[np.generic], tuple[str | int, ...]]] = {
    "pdg": (np.int32, ("P",)),
    "status": (np.int32, ("P",)),
    "mothers": (np.int32, ("P", 2)),
    "colour": (np.int32, ("P", 2)),
    "momenta": (np.float64, ("P", 4)),
    "mass": (np.float64, ("P",)),
    "lifetime": (np.float64, ("P",)),
    "spin": (np.float64, ("P",)),
    "weight": (np.float64, ()),
    "scale": (np.float64, ()),
    "factorization_scale": (np.float64, ()),
    "renormalization_scale": (np.float64, ()),
    "alpha_qed": (np.float64, ()),
    "alpha_s": (np.float64, ()),
    "process_id": (np.int32, ()),
    "variations": (np.float64, ("W",)),
}
"""Column -> dtype and numbers per event; P stands for its rows, W for its variations."""

PARTICLE_COLUMNS = tuple(name for name, (_, rows) in COLUMNS.items() if "P" in rows)

MERGING_COLUMNS: Mapping[str, tuple[type[np.generic], tuple[str | int, ...]]] = {
    "jet_kt": (np.float64, ("P",)),
    "n_jets": (np.int32, ()),
}
"""Columns that only events for merging have."""

_ABSENT = {"jet_kt": 0.0, "n_jets": -1}
"""What an event without such a number has beside events with it."""


@dataclass(frozen=True, eq=False)
class EventBatch:
    """n complete events of at most P particles each, in the terms of the Les Houches accord.

    An event of fewer particles leaves its last rows unused: their status is 0, and what else they
    hold has no meaning.

    Attributes:
        pdg: PDG codes, int32, shape (n, P).
        status: -1 incoming, 1 outgoing, 2 intermediate resonance, 0 for unused rows, int32, shape
            (n, P).
        mothers: 1-based positions of the first and last mother, 0 for none, int32, shape (n, P, 2).
        colour: colour and anticolour tags, 0 for none, int32, shape (n, P, 2).
        momenta: (E, px, py, pz) in GeV, float64, shape (n, P, 4); the first beam flies along +z.
        mass: GeV, that of an intermediate particle the invariant mass of its decay, float64, shape
            (n, P).
        lifetime: c tau in mm from production to decay, 0 for what decays at once, float64, shape
            (n, P).
        spin: cosine of the spin to the direction of flight, or helicity; 9 is unknown, float64,
            shape (n, P).
        weight: pb, such that the mean over the events of a run is the cross section, float64, shape
            (n,).
        scale: GeV, where a shower starts, float64, shape (n,).
        factorization_scale: GeV, float64, shape (n,).
        renormalization_scale: GeV, float64, shape (n,).
        alpha_qed: electromagnetic coupling, float64, shape (n,).
        alpha_s: strong coupling, float64, shape (n,).
        process_id: the subprocess in the terms of the file's <init>, int32, shape (n,).
        variations: what `weight` would be with other scales or parton densities, in pb, float64,
            shape (n, W); W may be 0, and what each stands for is in the weight groups of the file's
            <init>. NaN where an event of another program lacks one that others have.
        jet_kt: kT in GeV at which the clustering has a jet, the energy of the collision for other
            final particles, 0 where nothing is known, float64, shape (n, P); None if no event has
            one.
        n_jets: jets of the matrix element beside its core, -1 where it is not known, int32, shape
            (n,); None if it is not known of any event.

    Raises:
        InputError: a column has another dtype or shape.
    """

    pdg: Integers
    status: Integers
    mothers: Integers
    colour: Integers
    momenta: Array
    mass: Array
    lifetime: Array
    spin: Array
    weight: Array
    scale: Array
    factorization_scale: Array
    renormalization_scale: Array
    alpha_qed: Array
    alpha_s: Array
    process_id: Integers
    variations: Array
    jet_kt: Array | None = None
    n_jets: Integers | None = None

    def __post_init__(self) -> None:
        for name in ("pdg", "variations"):  # the others follow their shapes
            if (dimensions := np.ndim(getattr(self, name))) != 2:
                raise InputError(f"events: {name}: expected a table; got {dimensions} dimensions")
        for name, column in self.columns().items():
            dtype, rows = COLUMNS[name] if name in COLUMNS else MERGING_COLUMNS[name]
            lengths = {"P": self.n_particles, "W": self.n_variations}
            shape = (len(self), *(lengths[row] if isinstance(row, str) else row for row in rows))
            is_array = isinstance(column, np.ndarray)
            if not is_array or column.dtype != dtype or column.shape != shape:
                got = f"{column.dtype} {column.shape}" if is_array else type(column).__name__
                raise InputError(f"events: {name}: expected {np.dtype(dtype)} {shape}; got {got}")
            object.__setattr__(self, name, np.ascontiguousarray(column))

    @classmethod
    def concatenate(cls, batches: Sequence[EventBatch]) -> EventBatch:
        """The events of several batches, in their order, with as many rows as the widest needs.

        Raises:
            InputError: no batch, or batches of different numbers of variations.
        """
        variations = {batch.n_variations for batch in batches}
        if len(variations) != 1:
            raise InputError(
                f"events: expected batches of one number of variations; got {sorted(variations)}"
            )
        rows = max(batch.n_particles for batch in batches)
        padded = [batch.padded(rows) for batch in batches]
        known = [name for name in MERGING_COLUMNS if any(name in one.columns() for one in padded)]
        return cls(
            **{
                name: np.concatenate([batch._column(name) for batch in padded])
                for name in (*COLUMNS, *known)
            }
        )

    def _column(self, name: str) -> NDArray[Any]:
        """A column; one for merging that the events lack, without any number."""
        found = self.columns().get(name)
        if found is not None:
            return found
        dtype, rows = MERGING_COLUMNS[name]
        shape = (len(self), self.n_particles) if rows else (len(self),)
        return np.full(shape, _ABSENT[name], dtype)

    def __len__(self) -> int:
        """Number of events."""
        return len(self.pdg)

    @property
    def n_particles(self) -> int:
        """Rows per event, the incoming particles included; `counts` has those that are used."""
        return int(np.shape(self.pdg)[-1])

    @property
    def n_variations(self) -> int:
        """Further weights per event."""
        return int(np.shape(self.variations)[-1])

    @property
    def used(self) -> Flags:
        """Rows with a particle, bool, shape (n, P)."""
        return np.not_equal(self.status, UNUSED)

    @property
    def counts(self) -> Integers:
        """Particles of every event, int32, shape (n,)."""
        return np.asarray(np.count_nonzero(self.used, axis=1), np.int32)

    @property
    def for_merging(self) -> bool:
        """Whether events say what a merging wants to know of their jets."""
        return self.jet_kt is not None or self.n_jets is not None

    def columns(self) -> dict[str, NDArray[Any]]:
        """Name -> array of every column that the events have."""
        every = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: column for name, column in every.items() if column is not None}

    @property
    def _particle_columns(self) -> list[str]:
        return [*PARTICLE_COLUMNS, *([] if self.jet_kt is None else ["jet_kt"])]

    def select(self, index: slice | NDArray[np.integer[Any]] | Flags) -> EventBatch:
        """The events of an index array, a mask or a slice, in its order."""
        return EventBatch(**{name: column[index] for name, column in self.columns().items()})

    def padded(self, rows: int) -> EventBatch:
        """The same events with unused rows at the end, `rows` in all.

        Raises:
            InputError: the batch has more rows.
        """
        more = rows - self.n_particles
        if more < 0:
            raise InputError(
                f"events: expected at most {rows} rows per event; got {self.n_particles}"
            )
        if more == 0:
            return self
        longer = {}
        for name in self._particle_columns:
            column = getattr(self, name)
            longer[name] = np.pad(column, [(0, 0), (0, more)] + [(0, 0)] * (column.ndim - 2))
        return replace(self, **longer)

    def narrowed(self) -> EventBatch:
        """The same events without the rows that none of them uses."""
        rows = int(np.flatnonzero(self.used.any(axis=0)).max(initial=-1)) + 1
        if rows == self.n_particles:
            return self
        return replace(
            self, **{name: getattr(self, name)[:, :rows] for name in self._particle_columns}
        )

    def rescaled(self, unit: Array | float) -> EventBatch:
        """The same events with all weights, the variations too, multiplied by a number.

        Args:
            unit: the number, one for all events or float64, shape (n,).
        """
        variations = self.variations * np.reshape(unit, (-1, 1))
        return replace(self, weight=self.weight * unit, variations=variations)

    def reweighted(self, weight: Array) -> EventBatch:
        """The same events with other weights, and variations in the same proportion to them.

        Args:
            weight: pb, float64, shape (n,).
        """
        return replace(
            self, weight=weight, variations=self.variations * (weight / self.weight)[:, None]
        )

    def check(self) -> None:
        """Make sure that a shower can use the events.

        Finite numbers; two incoming particles, then outgoing and intermediate ones, then unused
        rows; what comes out of the scattering has both incoming particles as mothers, what an
        intermediate one decays to comes behind it and has it as mother; energies on the mass shell
        to 1e-9; momentum conservation to 1e-6 of the incoming energy, and to 1e-6 of the energy of
        an intermediate particle in its decay; colour lines that begin once and end once, or meet
        at junctions of three, and intermediate particles with the colour of their decay.

        Raises:
            GenerationError: names the first event that fails and why.
        """
        require_valid(self.columns())
