"""Events for Pythia 8 in memory, without a file between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.events.les_houches.lhe_init import LheInit

if TYPE_CHECKING:
    import pythia8mc

Arguments = tuple[Any, ...]
Event = tuple[Arguments, list[Arguments]]
"""Arguments of `LHAup.setProcess`, and of `LHAup.addParticle` for each particle."""


def to_pythia(
    events: EventBatch | Iterable[EventBatch] | Path | str, init: LheInit | None = None
) -> pythia8mc.LHAup:
    """Events as Pythia takes them from another program: an `LHAup` for `Beams:frameType = 5`.

        source = to_pythia("events.parquet")
        pythia = pythia8mc.Pythia()
        pythia.readString("Beams:frameType = 5")
        pythia.setLHAupPtr(source)
        pythia.init()
        while pythia.next():
            ...

    Keep the source as long as Pythia uses it. `pythia.next()` is false after the last event.
    Variations of the weights, and what merging needs of jets, do not go this way; Pythia reads them
    from files.

    Args:
        events: a batch, several, or a file of any format.
        init: beams and processes; that of the file if it is one.

    Raises:
        InputError: the file cannot be read, there is no init for a batch, the events are decays, or
            `pythia8mc` is not installed; from `pythia.next()` if an event has no particles.
    """
    if isinstance(events, Path | str):
        reader = open_events(events)
        events, init = reader, init or reader.init
    if init is None:
        raise InputError(
            "events for Pythia: expected an init, which says beams and cross sections; got none"
        )
    if init.of_decay:
        raise InputError("events for Pythia: expected collisions, which it takes; got decays")
    return _source(_rows([events] if isinstance(events, EventBatch) else events), init)


def _source(events: Iterator[Event], init: LheInit) -> pythia8mc.LHAup:
    try:
        from pythia8mc import LHAup
    except ModuleNotFoundError:
        raise InputError(
            "events for Pythia: expected the package pythia8mc; the extra 'pythia' brings it"
        ) from None

    class EventsInMemory(LHAup):  # type: ignore[misc]
        """Events of madnis_py, one after the other."""

        def setInit(self) -> bool:  # noqa: N802
            """Beams and processes."""
            beams = init.numbers[:8]  # PDG code, energy, PDFGUP and PDFSUP, each for both beams
            self.setBeamA(*beams[::2])
            self.setBeamB(*beams[1::2])
            self.setStrategy(init.weighting)
            for one in init.processes:
                self.addProcess(one.identifier, one.cross_section, one.error, one.maximum)
            return True

        def setEvent(self, idProc: int = 0) -> bool:  # noqa: N802
            """The next event, until there is none."""
            process, particles = next(events, ((), []))
            if not particles:
                return False
            self.setProcess(*process)
            for particle in particles:
                self.addParticle(*particle)
            return True

    return EventsInMemory()


def _rows(batches: Iterable[EventBatch]) -> Iterator[Event]:
    for batch in batches:
        events = (batch.process_id, batch.weight, batch.scale, batch.alpha_qed, batch.alpha_s)
        processes = zip(*(column.tolist() for column in events), strict=True)
        counts = batch.counts.tolist()
        for process, count, particles in zip(processes, counts, _particles(batch), strict=True):
            if not count:
                expected = "expected particles, without which it takes none"
                raise InputError(f"events for Pythia: {expected}; got an event of none")
            yield process, particles[:count]


def _particles(batch: EventBatch) -> Iterator[list[Arguments]]:
    energy_last = np.roll(batch.momenta, -1, axis=2)
    integers = np.concatenate(
        [np.stack([batch.pdg, batch.status], axis=2), batch.mothers, batch.colour], axis=2
    )
    reals = np.concatenate(
        [energy_last, np.stack([batch.mass, batch.lifetime, batch.spin], axis=2)], axis=2
    )
    for event, numbers in zip(integers.tolist(), reals.tolist(), strict=True):
        yield [(*one, *other) for one, other in zip(event, numbers, strict=True)]
