"""Complete events as columns: what the generator hands to files, showers and histograms."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from madnis_py.errors import CheckpointError, GenerationError, InputError
from madnis_py.output_file import OutputFile
from madnis_py.physics.partonic_events import PartonicEvents

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]
Flags = NDArray[np.bool_]

INCOMING, OUTGOING = -1, 1
FIRST_COLOUR_TAG = 501
UNKNOWN_SPIN = 9.0


# Column -> numbers per event; P stands for the particles of an event.
COLUMNS: Mapping[str, tuple[type[np.generic], tuple[str | int, ...]]] = {
    "pdg": (np.int32, ("P",)),
    "status": (np.int32, ("P",)),
    "mothers": (np.int32, ("P", 2)),
    "colour": (np.int32, ("P", 2)),
    "momenta": (np.float64, ("P", 4)),
    "mass": (np.float64, ("P",)),
    "spin": (np.float64, ("P",)),
    "weight": (np.float64, ()),
    "scale": (np.float64, ()),
    "alpha_qed": (np.float64, ()),
    "alpha_s": (np.float64, ()),
    "process_id": (np.int32, ()),
}


@dataclass(frozen=True, eq=False)
class EventBatch:
    """n complete events of P particles each, in the terms of the Les Houches accord.

    Attributes:
        pdg: PDG codes, int32, shape (n, P).
        status: -1 incoming, 1 outgoing, 2 intermediate resonance, int32, shape (n, P).
        mothers: 1-based positions of the first and last mother, 0 for none, int32, shape (n, P, 2).
        colour: colour and anticolour tags, 0 for none, int32, shape (n, P, 2).
        momenta: (E, px, py, pz) in GeV, float64, shape (n, P, 4); the first beam flies along +z.
        mass: GeV, float64, shape (n, P).
        spin: cosine of the spin to the direction of flight, or helicity; 9 is unknown, float64, shape (n, P).
        weight: pb, such that the mean over the events of a run is the cross section, float64, shape (n,).
        scale: GeV, where a shower starts, float64, shape (n,).
        alpha_qed: electromagnetic coupling, float64, shape (n,).
        alpha_s: strong coupling, float64, shape (n,).
        process_id: the subprocess in the terms of the file's <init>, int32, shape (n,).

    Raises:
        InputError: a column has another dtype or shape.
    """

    pdg: Integers
    status: Integers
    mothers: Integers
    colour: Integers
    momenta: Floats
    mass: Floats
    spin: Floats
    weight: Floats
    scale: Floats
    alpha_qed: Floats
    alpha_s: Floats
    process_id: Integers

    def __post_init__(self) -> None:
        for name, column in self.columns().items():
            self._check_column(name, column)
            object.__setattr__(self, name, np.ascontiguousarray(column))

    def _check_column(self, name: str, column: object) -> None:
        dtype, rows = COLUMNS[name]
        shape = (len(self), *(self.n_particles if row == "P" else row for row in rows))
        if not isinstance(column, np.ndarray) or column.dtype != dtype or column.shape != shape:
            came = f"{column.dtype} {column.shape}" if isinstance(column, np.ndarray) else type(column).__name__
            raise InputError(f"events: {name}: expected {np.dtype(dtype)} {shape}; got {came}")

    @classmethod
    def from_partonic(cls, events: PartonicEvents, weight: Floats, process_id: Integers | int = 1) -> Self:
        """Events of a hard process without resonances: two incoming particles, all others their daughters.

        Args:
            events: the partonic events.
            weight: pb, such that the mean is the cross section, float64, shape (n,).
            process_id: one number for all events, or int32 of shape (n,).
        """
        n, particles = events.pdg.shape
        incoming = np.arange(particles) < 2
        mothers = np.where(incoming[:, None], 0, [1, 2])
        return cls(
            pdg=events.pdg,
            status=np.tile(np.where(incoming, INCOMING, OUTGOING).astype(np.int32), (n, 1)),
            mothers=np.tile(mothers.astype(np.int32), (n, 1, 1)),
            colour=events.colour,
            momenta=events.momenta,
            mass=events.mass,
            spin=np.full((n, particles), UNKNOWN_SPIN),
            weight=weight,
            scale=events.scale,
            alpha_qed=events.alpha_qed,
            alpha_s=events.alpha_s,
            process_id=np.broadcast_to(np.asarray(process_id, dtype=np.int32), (n,)),
        )

    @classmethod
    def concatenate(cls, batches: Sequence[EventBatch]) -> EventBatch:
        """The events of several batches, in their order.

        Raises:
            InputError: no batch, or batches of different numbers of particles.
        """
        particles = {batch.n_particles for batch in batches}
        if len(particles) != 1:
            raise InputError(f"events: expected batches of one number of particles; got {sorted(particles)}")
        return cls(**{name: np.concatenate([getattr(batch, name) for batch in batches]) for name in COLUMNS})

    def __len__(self) -> int:
        """Number of events."""
        return len(self.pdg)

    @property
    def n_particles(self) -> int:
        """Particles per event, the incoming ones included."""
        return int(np.shape(self.pdg)[-1])

    def columns(self) -> dict[str, NDArray[Any]]:
        """Name -> array of every column."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def select(self, index: slice | NDArray[np.integer[Any]] | Flags) -> EventBatch:
        """The events of an index array, a mask or a slice, in its order."""
        return EventBatch(**{name: column[index] for name, column in self.columns().items()})

    def shuffled(self, generator: torch.Generator) -> EventBatch:
        """The events in random order, so that any first part of them is a fair sample of the channels."""
        return self.select(torch.randperm(len(self), generator=generator).numpy())

    def rescaled(self, unit: float) -> EventBatch:
        """The same events with all weights in another unit, that is multiplied by a number."""
        return replace(self, weight=self.weight * unit)

    def check(self) -> None:
        """Make sure that a shower can use the events.

        Finite numbers; two incoming particles, then outgoing or intermediate ones; energies on the mass shell to 1e-9
        and momentum conservation to 1e-6 of the incoming energy; colour lines that begin once and end once.

        Raises:
            GenerationError: names the first event that fails and why.
        """
        self._check_finite()
        self._check_status()
        self._check_mass_shell()
        self._check_conservation()
        self._check_colour()

    def _check_finite(self) -> None:
        for name, column in self.columns().items():
            good = np.isfinite(column).all(axis=tuple(range(1, column.ndim)))
            self._demand(good, partial(self._describe, name))

    def _describe(self, name: str, event: int) -> str:
        return f"{name} is not finite: {getattr(self, name)[event].tolist()}"

    def _check_status(self) -> None:
        good = (self.status[:, :2] == INCOMING).all(axis=1) & (self.status[:, 2:] > 0).all(axis=1)
        self._demand(
            good,
            lambda event: f"expected two incoming particles first (status -1); got {self.status[event].tolist()}",
        )

    def _check_mass_shell(self) -> None:
        energy = self.momenta[..., 0]
        on_shell = np.sqrt(np.square(self.momenta[..., 1:]).sum(axis=-1) + np.square(self.mass))
        good = np.abs(energy - on_shell) <= 1e-9 * np.abs(energy)

        def sentence(event: int) -> str:
            k = int(np.argmin(good[event]))
            return f"particle {k + 1}: expected E = sqrt(p^2 + m^2) = {on_shell[event, k]}; got {energy[event, k]}"

        self._demand(good.all(axis=1), sentence)

    def _check_conservation(self) -> None:
        sign = np.where(self._incoming, 1.0, np.where(self._outgoing, -1.0, 0.0))
        missing = np.einsum("ek,ekm->em", sign, self.momenta)
        total = np.where(self._incoming, self.momenta[..., 0], 0.0).sum(axis=1)
        self._demand(
            np.abs(missing).max(axis=1) <= 1e-6 * total,
            lambda event: f"momentum is not conserved: incoming minus outgoing is {missing[event].tolist()} GeV",
        )

    def _check_colour(self) -> None:
        """A line begins at an outgoing colour or an incoming anticolour and ends at the opposite."""
        tags = np.where((self._incoming | self._outgoing)[..., None], self.colour, 0)
        begins = np.sort(np.where(self._incoming, tags[..., 1], tags[..., 0]), axis=1)
        ends = np.sort(np.where(self._incoming, tags[..., 0], tags[..., 1]), axis=1)
        once = ((begins[:, 1:] != begins[:, :-1]) | (begins[:, 1:] == 0)).all(axis=1)
        valid = ((begins == 0) | (begins >= FIRST_COLOUR_TAG)).all(axis=1)
        self._demand(
            (begins == ends).all(axis=1) & once & valid,
            lambda event: f"colour tags do not pair up: {self.colour[event].tolist()}",
        )

    @property
    def _incoming(self) -> Flags:
        return np.equal(self.status, INCOMING)

    @property
    def _outgoing(self) -> Flags:
        return np.equal(self.status, OUTGOING)

    @staticmethod
    def _demand(good: Flags, sentence: Callable[[int], str]) -> None:
        if not good.all():
            event = int(np.argmin(good))
            raise GenerationError(f"event {event}: {sentence(event)}")

    def save(self, path: Path) -> None:
        """Write a chunk file (numpy's npz); it appears under its name only when complete.

        Raises:
            OutputError: the file system refuses.
        """
        memory = io.BytesIO()
        np.savez(memory, allow_pickle=False, **self.columns())
        with OutputFile(path) as file:
            file.write(memory.getvalue())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a chunk file.

        Raises:
            CheckpointError: the file is missing, truncated, damaged or something else.
        """
        try:
            with path.open("rb") as file, NpzFile(file, allow_pickle=False) as archive:
                columns = {name: archive[name] for name in archive.files}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"{path}: not a readable file of events: {error}") from error
        if set(columns) != set(COLUMNS):
            raise CheckpointError(
                f"{path}: expected the columns {', '.join(COLUMNS)}; got {', '.join(columns) or 'none'}"
            )
        try:
            return cls(**columns)
        except InputError as error:
            raise CheckpointError(f"{path}: {error}") from error
