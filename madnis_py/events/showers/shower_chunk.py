"""Showers of a chunk of events: the unit of parallel work, which survives an interruption."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from isal import igzip

from madnis_py import __version__
from madnis_py.errors import CheckpointError
from madnis_py.events.showers.hepmc_event import hepmc_event
from madnis_py.events.showers.shower_settings import ShowerSettings, pythia_version
from madnis_py.output_file import OutputPlace, write_file

_SEEDS = 900_000_000
"""Seeds that Pythia takes are 1 to this number."""


_LEVEL = 1
"""Of compression, 0 to 3."""


@dataclass(frozen=True)
class ShowerTally:
    """What became of the events of a chunk.

    Attributes:
        events: that went in.
        accepted: that came out.
        failed: that Pythia gave up.
        names: of the weights.
        sums: of each weight over the accepted events, in pb.
    """

    events: int
    accepted: int
    failed: int
    names: tuple[str, ...]
    sums: tuple[float, ...]

    @classmethod
    def load(cls, path: Path) -> ShowerTally:
        """The tally of a finished chunk.

        Raises:
            CheckpointError: there is none.
        """
        try:
            found = json.loads(path.read_bytes())
            return cls(**(found | {key: tuple(found[key]) for key in ("names", "sums")}))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CheckpointError(f"{path}: expected the tally of a chunk; got: {error}") from None

    def save(self, path: Path) -> None:
        """Write the tally down, which says that the chunk is finished."""
        write_file(path, json.dumps(asdict(self)).encode())


@dataclass(frozen=True)
class ShowerChunk:
    """A chunk that is to be showered.

    Attributes:
        settings: of Pythia.
        events: Les Houches file of the chunk, removed once it is showered.
        number: of the chunk.
        first: number of its first event.
        count: number of its events.
    """

    settings: ShowerSettings
    events: Path
    number: int
    first: int
    count: int

    @property
    def text(self) -> Path:
        """Where the text of the showered events goes."""
        return self.events.with_suffix(".hepmc.gz")

    @property
    def tally(self) -> Path:
        """Where the tally goes, after the text."""
        return self.events.with_suffix(".json")

    @property
    def seed(self) -> int:
        """Seed of the chunk: a function of that of the run and its number."""
        words = np.random.SeedSequence((self.settings.seed, self.number)).generate_state(1, "u8")
        return 1 + int(words[0] % _SEEDS)

    def __call__(self) -> ShowerTally:
        """Shower the events.

        Raises:
            InputError: Pythia does not start.
            OutputError: a file cannot be written.
        """
        pythia = self.settings.started(self.events, self.seed)
        with _HepmcText(self.text) as written:
            failed = self._shower(pythia, written)
        tally = ShowerTally(
            self.count, written.events, failed, written.names, tuple(written.sums.tolist())
        )
        tally.save(self.tally)
        self.events.unlink()
        return tally

    def _shower(self, pythia: Any, text: _HepmcText) -> int:
        """Write what comes out of Pythia; returns how many events it gave up.

        Pythia passes over events that a merging vetoes, and is false for those that it gives up and
        at the end of the file.
        """
        failed = 0
        for _ in range(self.count):
            if pythia.next():
                info = pythia.infoPython()
                weights = list(info.weightValueVector())
                if weights[0] != 0:
                    text.write(pythia.event, self.first + text.events, weights, info)
            elif pythia.infoPython().atEndOfFile():
                break
            else:
                failed += 1
        return failed


class _HepmcText:
    """The text of events in HepMC3's format, compressed, under its name once it is complete.

    Args:
        path: the file.

    Attributes:
        events: written so far.
        names: of the weights.
        sums: of each weight over the events, float64 (W,).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.events = 0
        self.names: tuple[str, ...] = ()
        self.sums = np.zeros(0)

    def __enter__(self) -> Self:
        """Open the file."""
        with ExitStack() as stack:
            place = stack.enter_context(OutputPlace(self._path))
            self._stream = stack.enter_context(igzip.open(place.partial, "wb", _LEVEL))  # type: ignore[no-untyped-call]
            self._stack = stack.pop_all()
        return self

    def write(self, record: Any, number: int, weights: Sequence[float], info: Any) -> None:
        """Append the event of a record; see `hepmc_event`."""
        if self.events == 0:
            self._begin(tuple(info.weightNameVector()))
        self._writer.write(hepmc_event(record, number, weights, info, self._run))
        self.events += 1
        self.sums += weights

    def _begin(self, names: tuple[str, ...]) -> None:
        from pyhepmc import GenRunInfo
        from pyhepmc.io import HepMCFile

        self._run = GenRunInfo()
        self._run.weight_names = list(names)
        self._run.tools = [
            ("madnis_py", __version__, "matrix elements and phase space"),
            ("Pythia", pythia_version(), "shower and hadronisation"),
        ]
        self.names, self.sums = names, np.zeros(len(names))
        self._writer = self._stack.enter_context(HepMCFile(self._stream, "w"))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the file, or remove it after an error."""
        self._stack.__exit__(kind, error, traceback)
