"""Squared matrix elements of events, whose particles are found among those of processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array, Integers
from madnis_py.errors import InputError
from madnis_py.events.event_batch import INCOMING, OUTGOING, UNKNOWN_SPIN, EventBatch
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.process.process import Process

Rows = NDArray[np.intp]

Content = tuple[tuple[int, ...], tuple[int, ...]]
"""PDG codes of incoming particles, and sorted ones of outgoing particles."""

_MASS_TOLERANCE = 1e-4
"""GeV between the mass of a particle of an event and that of the model."""


@dataclass(frozen=True)
class AlikeEvents:
    """Events of a batch with the same external particles, in the order of a process.

    Attributes:
        rows: of the batch, shape (n,).
        legs: row of each leg among the particles of an event, incoming first, shape (P,).
        element: squares their amplitude.
        model: of the process.
    """

    rows: Rows
    legs: Rows
    element: MatrixElement
    model: Model

    def momenta(self, events: EventBatch) -> Array:
        """Momenta of the legs in GeV, event-fastest float64 (n, P, 4)."""
        return as_momenta(events.momenta[np.ix_(self.rows, self.legs)])

    def helicities(self, events: EventBatch) -> Rows:
        """Row of each event among the helicities of the matrix element; -1 where there is none.

        Raises:
            InputError: the spin of a particle is not known.
        """
        spins = events.spin[np.ix_(self.rows, self.legs)]
        if (np.abs(spins) >= UNKNOWN_SPIN).any():
            expected = "expected events with the helicities of all particles (SPINUP)"
            raise InputError(f"reweight: {expected}; got 9, unknown")
        known = {tuple(row): place for place, row in enumerate(self.element.helicities.tolist())}
        states = np.rint(spins).astype(int).tolist()
        return np.array([known.get(tuple(state), -1) for state in states], np.intp)

    def flows(self, events: EventBatch) -> Rows:
        """Row of each event among the colour flows of the matrix element; -1 where there is none.

        Flows are the same if they join the same legs, whatever the numbers of their lines.
        """
        tags = events.colour[np.ix_(self.rows, self.legs)]
        known = {_joined(np.array(flow)): place for place, flow in enumerate(self.element.flows)}
        return np.array([known.get(_joined(row), -1) for row in tags], np.intp)


def _joined(tags: Integers) -> tuple[int, ...]:
    """Colour lines with the numbers in which they appear first, 0 for none, and their signs."""
    numbers: dict[int, int] = {0: 0}
    return tuple(
        int(np.sign(tag)) * numbers.setdefault(abs(tag), len(numbers))
        for tag in tags.ravel().tolist()
    )


class _Candidate(NamedTuple):
    """A process with some external particles.

    Attributes:
        number: of the process in event files.
        element: squares their amplitude.
        model: of the process.
        legs: PDG codes, incoming first.
        n_incoming: how many come in.
    """

    number: int
    element: MatrixElement
    model: Model
    legs: tuple[int, ...]
    n_incoming: int


class EventElements:
    """Finds the matrix elements of events among those of processes.

    Where several have the same particles, such as those with z{0} and z{T}, the number of an event
    says which one it belongs to.

    Args:
        processes: that the events may belong to.
        source: how messages call them.
    """

    def __init__(self, processes: Sequence[Process], source: str) -> None:
        self._source = source
        self._known: dict[Content, list[_Candidate]] = defaultdict(list)
        for process in processes:
            for content, candidate in _candidates(process).items():
                self._known[content].append(candidate)

    def of(self, events: EventBatch) -> Iterator[AlikeEvents]:
        """The events of a batch, by their external particles.

        Raises:
            InputError: none of the processes has the particles of an event, it is not known which
                one of several, or they have another mass there.
        """
        external = np.isin(events.status, (INCOMING, OUTGOING))
        particles = np.where(external, events.pdg, 0), np.where(external, events.status, 0)
        content = (*particles, events.process_id[:, None])
        found, place = np.unique(np.concatenate(content, axis=1), axis=0, return_inverse=True)
        for number in range(len(found)):
            yield self._alike(events, np.flatnonzero(place.ravel() == number))

    def _alike(self, events: EventBatch, rows: Rows) -> AlikeEvents:
        pdg, status = events.pdg[rows[0]], events.status[rows[0]]
        incoming, outgoing = (np.flatnonzero(status == kind) for kind in (INCOMING, OUTGOING))
        key = _content(pdg[incoming].tolist(), pdg[outgoing].tolist())
        if key not in self._known:
            names = " ".join(map(str, pdg[incoming])) + " > " + " ".join(map(str, pdg[outgoing]))
            expected = f"expected events of the processes of {self._source}"
            raise InputError(f"reweight: {expected}; got particles {names}")
        one = self._chosen(self._known[key], int(events.process_id[rows[0]]))
        wanted = one.legs[one.n_incoming :]
        places = _in_order(wanted, pdg[outgoing].tolist(), outgoing.tolist())
        alike = AlikeEvents(rows, np.array([*incoming, *places], np.intp), one.element, one.model)
        self._require_masses(events, alike)
        return alike

    def _chosen(self, candidates: Sequence[_Candidate], number: int) -> _Candidate:
        """The only process with some particles, or the one with the number of the event."""
        found = [one for one in candidates if len(candidates) == 1 or one.number == number]
        if len(found) != 1:
            known = " or ".join(str(one.number) for one in candidates)
            expected = f"expected events with the number of one process of {self._source}, {known}"
            raise InputError(f"reweight: {expected}, which have the same particles; got {number}")
        return found[0]

    def _require_masses(self, events: EventBatch, alike: AlikeEvents) -> None:
        """Momenta on the mass shells of one model are none of another."""
        first = alike.rows[0]
        for leg in alike.legs:
            code, mass = int(events.pdg[first, leg]), float(events.mass[first, leg])
            expected = alike.model.mass(code)
            if abs(mass - expected) > _MASS_TOLERANCE:
                name = alike.model.particle_name(code)
                raise InputError(
                    f"reweight: expected {name} with a mass of {expected:g} GeV as in "
                    f"{self._source}; got {mass:g} GeV in the events"
                )


def _candidates(process: Process) -> dict[Content, _Candidate]:
    """External particles -> the process with the first of its matrix elements that has them."""
    found: dict[Content, _Candidate] = {}
    n_incoming = process.definition.n_incoming
    for group in process.groups:
        element = process.matrix_element_of(group)
        for legs in group.flavours:
            found.setdefault(
                _content(legs[:n_incoming], legs[n_incoming:]),
                _Candidate(process.number, element, process.model, legs, n_incoming),
            )
    return found


def _content(incoming: Iterable[int], outgoing: Iterable[int]) -> Content:
    """Key equal for the same particles, outgoing ones in any order."""
    return tuple(incoming), tuple(sorted(outgoing))


def _in_order(wanted: Sequence[int], codes: Sequence[int], rows: Sequence[int]) -> list[int]:
    """Rows of outgoing particles in the order of others; equal ones stay in their order."""
    left = list(zip(codes, rows, strict=True))
    ordered = []
    for code in wanted:
        place = next(place for place, (pdg, _) in enumerate(left) if pdg == code)
        ordered.append(left.pop(place)[1])
    return ordered
