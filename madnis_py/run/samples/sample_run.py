"""A run of several processes: a run of each below one directory, and events from all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from madnis_py.card.card import Card
from madnis_py.card.choices import Method
from madnis_py.counts import whole_number
from madnis_py.events.les_houches.lhe_init import LheProcess
from madnis_py.integration import allocation
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process_set import ProcessSet
from madnis_py.progress import Stopwatch, Watch, unwatched, watch_of_part
from madnis_py.run.abstract_run import AbstractRun, EventMaker, Executors, identity_of
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import EventFileRecord, PartRecord, StageRecord
from madnis_py.run.run import Run
from madnis_py.run.samples import sample_figures
from madnis_py.run.samples.mixed_events import MixedEvents
from madnis_py.run.stages import event_file
from madnis_py.run.stages.distributions import (
    HISTOGRAM_POINTS,
    Distributions,
    distributions_of_run,
)
from madnis_py.run.stages.event_stage import ChosenEvents
from madnis_py.run.stages.integration import POINTS
from madnis_py.run.stages.results import Result
from madnis_py.run.trust import Trust, reach_of_card
from madnis_py.run.versions import versions

EVEN_SHARE = 0.25
"""Share of the points of the integrate stage that is spread evenly over the processes."""


class SampleRun(AbstractRun):
    """The stages of several processes, in a directory with one below it for each.

        run = SampleRun(ProcessSet.from_card("jets.toml"), Path("runs/jets"), seed=1)
        run.generate(10_000)

    Each process has channels, a flow and maxima of its own, and random numbers that no other one
    has. The points of the integrate stage are shared out for the least error of the sum: a quarter
    evenly, the rest in proportion to the standard deviations of the weights. Of n events each is
    of process i with the probability sigma_i / sum_j sigma_j, whatever the others are; sigma counts
    all flavours positive, and is that of biased events where the card asks for them.

    Args:
        processes: what is computed.
        directory: where everything goes.
        seed: of all random numbers.
        method: of each process, as for `Run`.
        training: settings of each training; from the card by default.
        device: as for `Run`.
        executor: as for `Run`; serves all processes, one after the other.
        watch: called with the progress of each stage, which names its process.
        trust: as for `Run`.

    Attributes:
        processes: as given.
        parts: the run of each process.

    Raises:
        InputError: the directory holds another run, or settings of the card cannot be used.
        MadnisError: the device cannot be used, or not for one of the processes.
        OutputError: the directory cannot be written.
    """

    def __init__(
        self,
        processes: ProcessSet,
        directory: Path | str | RunDirectory,
        seed: int = 1,
        *,
        method: Method = "madnis",
        training: TrainingSettings | None = None,
        device: str = "cpu",
        executor: Executor | None = None,
        watch: Watch = unwatched,
        trust: bool = True,
    ) -> None:
        if not isinstance(directory, RunDirectory):
            directory = RunDirectory(Path(directory))
        super().__init__(directory, Trust(trust))
        card = processes.card
        identity = identity_of(card, seed, method, device, training)
        for process in processes.processes:  # what cannot be integrated leaves no directory behind
            CrossSection(process)
        if trust:
            self.trust.remember(reach_of_card(card))
        self.processes = processes
        directory.claim(card, identity, versions(), [*self._part_records()])
        self._watch = watch = directory.progress.beside(watch)
        self.parts = tuple(
            Run(
                process,
                directory.inside(folder_of(place)),
                seed_of(seed, place),
                method=method,
                training=identity.training,
                device=device,
                executor=executor,
                watch=watch_of_part(watch, process.definition.title),
                trust=trust,
            )
            for place, process in enumerate(processes.processes, start=1)
        )

    def _part_records(self) -> Iterator[PartRecord]:
        for place, process in enumerate(self.processes.processes, start=1):
            yield PartRecord(
                folder=folder_of(place), definition=process.definition.title, number=process.number
            )

    @classmethod
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
        """The run of a card of several processes."""
        return cls(
            ProcessSet.from_card(card),
            directory,
            seed,
            method=method,
            training=training,
            device=device,
            executor=executor,
            watch=watch,
            trust=trust,
        )

    @contextmanager
    def executed_by(self, executors: Executors) -> Iterator[Self]:
        """In this block all processes use one executor, which may depend on the card."""
        with ExitStack() as stack:
            executor = stack.enter_context(executors(self.processes.card.cluster))
            for part in self.parts:
                stack.enter_context(part.executed_by(lambda _: nullcontext(executor)))
            yield self

    def samplers(self) -> list[dict[SamplerName, ImportanceSampler]]:
        """Train the samplers of every process that its run plans to use."""
        return [part.samplers() for part in self.parts]

    def integrate(
        self, points: int | None = None, events: int = 0, sampler: SamplerName | None = None
    ) -> list[Result]:
        """Cross sections and maximum weights of all processes; see `AbstractRun.integrate`.

        Returns:
            the result of each.
        """
        counts = self._points(points, events, sampler)
        results = [
            part.integrate(own, expected, sampler)
            for part, own, expected in zip(self.parts, counts, self._expected(events), strict=True)
        ]
        if not sample_figures.is_known(self.directory.record, results):
            own = [part.record for part in self.parts]
            self.directory.change(lambda record: sample_figures.integrated(record, own, results))
        return results

    def _points(self, points: int | None, events: int, sampler: SamplerName | None) -> list[int]:
        """Points of each process: those that it has, or its part of the whole number.

        No part is smaller than an error needs, even if all are more than the whole then.
        """
        stored = [part.stored_points(sampler) for part in self.parts]
        if points is None and None not in stored:
            return [own for own in stored if own is not None]
        preset = self.processes.card.training.preset
        default = len(self.parts) * POINTS[preset]
        total = default if points is None else whole_number("points", points)
        deviations = [
            part.deviation(sampler or part.plan(expected))
            for part, expected in zip(self.parts, self._expected(events), strict=True)
        ]
        shares = _shared_out(total, deviations)
        return [
            max(share, part.least_points) for share, part in zip(shares, self.parts, strict=True)
        ]

    def _expected(self, events: int) -> list[int]:
        """Events that each process will probably have, as the surveys know it."""
        if not events:
            return [0] * len(self.parts)
        sigma = [max(part.survey().measurement.value, 0.0) for part in self.parts]
        return [round(events * own / (sum(sigma) or 1.0)) for own in sigma]

    def histograms(self, points: int = HISTOGRAM_POINTS) -> Distributions:
        """Distributions of all processes together; see `AbstractRun.histograms`."""
        self.integrate()
        sources = [part.point_source() for part in self.parts]
        deviations = [float(source.sigma.sum()) for source in sources]
        clock, events_file = Stopwatch(), self.find_events()
        found = distributions_of_run(
            self.processes.card, sources, _shared_out(points, deviations), events_file, self._watch
        )
        stage = StageRecord(seconds=round(clock.total, 3), evaluations=points)
        self.directory.change(lambda record: record.with_stage("histograms", stage))
        return found

    def _event_file(self, asked: EventFileRecord) -> tuple[EventFileRecord, EventMaker]:
        results = self.integrate(events=asked.events, sampler=asked.sampler)
        wanted = asked.model_copy(update={"integration": sample_figures.digest_of(results)})
        return wanted, partial(self._make_events, wanted, results)

    def _make_events(
        self, wanted: EventFileRecord, results: Sequence[Result], output: Path, folder: Path
    ) -> None:
        clock = Stopwatch()
        labels = self._labels(wanted, results)
        chosen = {
            int(place): self.parts[place].select_events(
                wanted.model_copy(update={"events": int(count)}), folder / folder_of(place + 1)
            )
            for place, count in zip(*np.unique(labels, return_counts=True), strict=True)
        }
        selected = {place: one.selected for place, one in chosen.items()}
        mixed = MixedEvents(labels, selected, dict(enumerate(sample_figures.mean_weights(results))))
        self._write(output, mixed, chosen, results)
        self._write_down(wanted, output, mixed, chosen, results, clock)
        for one in chosen.values():
            one.source.clear()

    def _labels(self, wanted: EventFileRecord, results: Sequence[Result]) -> NDArray[np.int64]:
        """The process of each event, drawn independently, int64, shape (n,)."""
        seed = self.directory.record.identity.seed
        draws = stream(seed, "generate", wanted.seed, "processes")
        labels: NDArray[np.int64] = draws.choices(
            sample_figures.shares_of(results), wanted.events
        ).numpy()
        return labels

    def _write(
        self,
        output: Path,
        mixed: MixedEvents,
        chosen: Mapping[int, ChosenEvents],
        results: Sequence[Result],
    ) -> None:
        """Write the file."""
        sigma = sum(result.sigma_pb for result in results)
        unit = event_file.weight_unit(mixed.weights, sigma)
        first = next(iter(chosen.values()))
        init = event_file.init_of(
            first.stage.process,
            first.source.maker.events,
            tuple(self._subprocesses(mixed, results, unit)),
        )
        caveats = dict.fromkeys(
            sentence
            for one in chosen.values()
            for sentence in one.source.maker.events.cross_section.caveats
        )
        card = self.processes.card
        header = event_file.header_of(self.processes.processes, card, caveats)
        event_file.write_batches(output, init, card, header, mixed.batches(unit))

    def _subprocesses(
        self, mixed: MixedEvents, results: Sequence[Result], unit: float
    ) -> Iterator[LheProcess]:
        """A line of <init> for every number; several processes may have the same."""
        numbers = np.array([process.number for process in self.processes.processes])
        size = np.abs(unit * mixed.weights)
        for number in dict.fromkeys(numbers.tolist()):
            own = [results[place] for place in np.flatnonzero(numbers == number).tolist()]
            of_number = size[numbers[mixed.labels] == number]
            yield LheProcess(
                sum(result.sigma_pb for result in own),
                float(np.hypot.reduce([result.sigma_error_pb for result in own])),
                float(of_number.max(initial=0.0)) or unit,
                number,
            )

    def _write_down(
        self,
        wanted: EventFileRecord,
        output: Path,
        mixed: MixedEvents,
        chosen: Mapping[int, ChosenEvents],
        results: Sequence[Result],
        clock: Stopwatch,
    ) -> None:
        """Write to run.json what the events are like."""
        found = {place: one.stage.figures(one.selected) for place, one in chosen.items()}
        figures = [found[place][0] if place in found else None for place in range(len(results))]
        parts = tuple(self._part_records())
        warnings = [
            one
            for place, (_, of_part) in found.items()
            for one in sample_figures.named_warnings(parts[place], of_part)
        ]
        unweighting = sample_figures.of_events(figures, results, mixed.weights)
        made = wanted.made(output, unweighting, warnings)
        counts = np.bincount(mixed.labels, minlength=len(results)).tolist()
        stage = StageRecord(seconds=round(clock.total, 3), evaluations=0)
        self.directory.change(
            lambda record: record.with_events_of_parts(made, counts).with_stage("generate", stage)
        )


def _shared_out(points: int, deviations: Sequence[float]) -> list[int]:
    """Points of each process, by the standard deviations of their weights in pb."""
    spread = torch.tensor(deviations, dtype=torch.float64)
    counts: list[int] = allocation.proportional(points, spread, EVEN_SHARE).tolist()
    return counts


def folder_of(place: int) -> str:
    """Folder of the process at a place of the list, from 1."""
    return f"process_{place}"


def seed_of(seed: int, place: int) -> int:
    """Seed of the process at a place of the list, below 2^32: no two share random numbers."""
    return stream(seed, "process", place).key % 2**32
