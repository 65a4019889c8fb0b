"""Contract of a run: a directory in which cross section, events and distributions come to be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Self

import gvar

import madnis_py
from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.card.choices import Method
from madnis_py.card.tables import ClusterTable
from madnis_py.counts import whole_number
from madnis_py.errors import InputError, LockedError, MadnisError, from_surroundings
from madnis_py.events.files.formats import event_format
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.notebook import html_table
from madnis_py.output_file import require_place
from madnis_py.parallel.random_streams import RANDOM_NUMBERS
from madnis_py.progress import Watch, unwatched
from madnis_py.run import gridpack
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import EventFileRecord, FailureRecord, RunIdentity, RunRecord
from madnis_py.run.stages.distributions import HISTOGRAM_POINTS, Distributions
from madnis_py.run.stages.training_session import training_settings
from madnis_py.run.trust import Trust, reach_of_directory, reach_of_events

Executors = Callable[[ClusterTable], AbstractContextManager[Executor | None]]
"""Table of a card -> executor; None for this thread."""

EventMaker = Callable[[Path, Path], None]
"""Makes a file of events, with chunks in a folder, and writes down what they are like."""


class AbstractRun(ABC):
    """The stages of what a card asks for, in a directory.

    Stages that an earlier one needs are run first; what is already there is read, not done again.

    Args:
        directory: where everything goes.
        trust: what the user trusts, see `run.trust`.
    """

    def __init__(self, directory: RunDirectory, trust: Trust) -> None:
        self.directory = directory
        self.trust = trust
        self._made: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'; '.join(value for _, value in self._facts())})"

    def _repr_html_(self) -> str:
        return html_table(type(self).__name__, self._facts())

    def _facts(self) -> list[tuple[str, str]]:
        """What there is to say about it, name and value."""
        record = self.record
        facts = [("process", ", ".join(record.card.process.definitions))]
        if record.sigma_pb is not None:
            quantity = "width" if record.unit else "cross section"
            value = gvar.gvar(record.sigma_pb, record.sigma_error_pb or 0.0)
            facts.append((quantity, f"{value} {record.unit or 'pb'}"))
        if record.unweighting is not None:
            facts.append(("efficiency", f"{100 * record.unweighting.efficiency:.3g} % efficiency"))
        if record.events:
            facts.append(("events", f"{record.events:,} events"))
        facts.append(("directory", str(self.directory.path)))
        return facts

    @classmethod
    @abstractmethod
    def of_card(
        cls,
        card: Card,
        directory: Path | str | RunDirectory,
        seed: int = 1,
        *,
        method: Method = "madnis",
        training: TrainingSettings | None = None,
        device: str = "cpu",
        executor: Executor | None = None,
        watch: Watch = unwatched,
        trust: bool = True,
    ) -> Self:
        """A new run of what a card asks for, or the one in its directory; see `Run`."""

    @classmethod
    def open(
        cls,
        directory: Path | str,
        *,
        executor: Executor | None = None,
        watch: Watch = unwatched,
        any_version: bool = False,
        trust: bool = False,
        wait: bool = False,
    ) -> Self:
        """Go on with a run, with the card, seed, method and settings that it was begun with.

        Args:
            directory: of the run.
            executor: as for `Run`.
            watch: as for `Run`.
            any_version: go on with a run of another version of the package, which may give other
                numbers.
            trust: let the directory run code, start jobs and use files outside of it that this user
                has not named before, see `run.trust`.
            wait: wait where another process works on the same stage or file, which is an error
                otherwise.

        Raises:
            InputError: there is no run in the directory, it is damaged, it was made by another
                version, or it is not trusted with what it uses outside of it.
        """
        files = RunDirectory(Path(directory), wait, any_version)
        card = stored_card(files, trust)
        return cls.resume(card, files, executor=executor, watch=watch, trust=trust)

    @classmethod
    def resume(
        cls,
        card: Card,
        files: RunDirectory,
        *,
        executor: Executor | None,
        watch: Watch,
        trust: bool,
    ) -> Self:
        """The run of a directory, whose card was read; see `open`."""
        begun = files.record.identity
        return cls.of_card(
            card,
            files,
            begun.seed,
            method=begun.method,
            training=begun.training,
            device=begun.device,
            executor=executor,
            watch=watch,
            trust=trust,
        )

    @abstractmethod
    @contextmanager
    def executed_by(self, executors: Executors) -> Iterator[Self]:
        """In this block the run uses an executor that may depend on its card."""

    @abstractmethod
    def samplers(self) -> object:
        """Train the samplers that the run plans to use; VEGAS always, as the baseline."""

    @abstractmethod
    def integrate(
        self, points: int | None = None, events: int = 0, sampler: SamplerName | None = None
    ) -> object:
        """Cross section and maximum weights from fresh points.

        Args:
            points: in all; by the preset of the card when not given. Another number than last time
                starts anew.
            events: unweighted events wanted, as far as known; helps the method "auto" to choose.
            sampler: whose result is wanted; by the method when not given. For VEGAS nothing is
                trained.

        Raises:
            InputError: the run has no flow.
            GenerationError: the cross section is not positive, comes from where no parton densities
                are known, or is excluded by the survey.
        """

    @abstractmethod
    def histograms(self, points: int = HISTOGRAM_POINTS) -> Distributions:
        """Distributions of fresh weighted points, and of the events where there are any.

        Args:
            points: how many.

        Raises:
            InputError: too few points for the channels, or the file of the events is damaged.
        """

    def generate(
        self,
        events: int,
        output: Path | None = None,
        seed: int | None = None,
        sampler: SamplerName | None = None,
    ) -> Path:
        """Write unweighted events; a file that has them already is left alone.

        Args:
            events: exactly as many as the file will have.
            output: what its name ends in says the format, see `event_format`; `events_file` by
                default.
            seed: another one than that of the run gives independent events from the same training.
            sampler: makes the events; by the method when not given. Those of VEGAS need no
                training.

        Returns:
            the file.

        Raises:
            InputError: fewer than one event, a file name of another kind, or the run has no flow.
            GenerationError: the events cannot be made as asked.
            OutputError: the file cannot be written.
        """
        events = whole_number("events", events)
        output = output or self.events_file
        event_format(output)
        require_place(output)
        seed = self.record.identity.seed if seed is None else seed
        name = self.directory.name_of(output)
        asked = EventFileRecord(file=name, events=events, seed=seed, sampler=sampler)
        wanted, make = self._event_file(asked)
        if not self.directory.has(wanted):
            with self.directory.making(output) as folder:
                if not self.directory.has(wanted):  # another process may have just made it
                    make(output, folder)
        self._made = wanted.file
        return output

    @abstractmethod
    def _event_file(self, asked: EventFileRecord) -> tuple[EventFileRecord, EventMaker]:
        """What is asked for, with the result that its events are made with, and what makes it."""

    def gridpack(self, output: Path, sampler: SamplerName | None = None) -> Path:
        """Write a tarball that makes events of this run wherever the package is installed.

        See `run.gridpack`.

        Args:
            output: ends in .tar.gz or .tgz.
            sampler: makes the events; by the method when not given.

        Returns:
            the file.

        Raises:
            InputError: a file name of another kind, or the run has no flow.
            OutputError: the file cannot be written.
        """
        gridpack.require_gridpack_name(output)
        require_place(output)
        self.integrate(sampler=sampler)
        with self.directory.working():
            gridpack.pack(self.directory, output, madnis_py.__version__, sampler)
        return output

    def execute(self, events: int, points: int | None = None) -> Self:
        """All stages, with the events in `events_file`; none if 0 are asked for."""
        with self.noting_failure():
            self.integrate(points, events)
            if events:
                self.generate(events)
        return self

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Write down in run.json why the work in this block failed, or that it did not.

        What was asked for in a wrong way, and what other processes do, are no failures of the run.
        As long as it goes on its progress is in the directory.
        """
        with self.directory.progress, self._noting_failure():
            yield

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except (InputError, LockedError):
            raise
        except Exception as error:
            known = error if isinstance(error, MadnisError) else from_surroundings(error)
            sentence = str(known) if known else f"{type(error).__name__}: {error}"
            with suppress(MadnisError):  # the first error is the one to tell
                self.directory.update(failure=FailureRecord(sentence=sentence))
            raise
        if self.record.failure is not None:
            self.directory.update(failure=None)

    @property
    def record(self) -> RunRecord:
        """The content of run.json; a copy, so that what is done to it stays with the caller."""
        return self.directory.record.model_copy(deep=True)

    @property
    def outcome(self) -> RunRecord:
        """The record with the events that this object made last, whatever others make meanwhile."""
        record = self.record
        made = record.event_file(self._made) if self._made else None
        return record.with_events(made) if made else record

    @property
    def events_file(self) -> Path:
        """Where the events go by default."""
        return self.directory.path / "events.lhe.gz"

    def find_events(self) -> Path | None:
        """The events that were written last, if they are there or were moved with the directory."""
        made = self.record.generated
        found = self.directory.find(made) if made else None
        if made and found and not made.is_at(found):
            self.trust.require(self.directory.path, reach_of_events(found, self.directory.path))
        return found


def stored_card(files: RunDirectory, trust: bool) -> Card:
    """The card of the run that is in a directory, once it is trusted; see `AbstractRun.open`."""
    files.identify()
    card = cards.load(files.card_file)
    Trust(trust).require(files.path, reach_of_directory(files.path, card))
    return card


def identity_of(
    card: Card, seed: int, method: Method, device: str, training: TrainingSettings | None
) -> RunIdentity:
    """What makes a run that of a card, with this version; settings of the training by the card."""
    return RunIdentity(
        card=card.digest(),
        seed=seed,
        method=method,
        device=device,
        training=training or training_settings(card),
        version=madnis_py.__version__,
        random_numbers=RANDOM_NUMBERS,
    )
