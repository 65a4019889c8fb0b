"""Distributions of a run and of event files: bins, filling, and the folder with the pictures."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from madnis_py.card.card import Card
from madnis_py.card.tables import HistogramTable
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.formats import open_events
from madnis_py.events.files.normalization import in_pb
from madnis_py.events.histograms.automatic_bins import PointValues, WeightedValues, binnings
from madnis_py.events.histograms.histogram import Binning, Histogram
from madnis_py.events.histograms.histogram_filling import (
    final_states,
    histograms_of_events,
    histograms_of_points,
)
from madnis_py.events.histograms.histogram_pair import HistogramPair, histogram_pairs
from madnis_py.events.histograms.pictures import overview, picture, require_pictures
from madnis_py.events.les_houches.lhe_header import CARD_BLOCK
from madnis_py.events.les_houches.weight_groups import WeightGroup
from madnis_py.integration import allocation
from madnis_py.integration.estimate import MINIMUM_POINTS
from madnis_py.integration.importance_sampler import UNIFORM_FRACTION, ImportanceSampler
from madnis_py.output_file import make_directory, write_file
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.sampled_states import SampledStates
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.observables.observable import Observable, usual_observables
from madnis_py.physics.process.process import Process
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched

HISTOGRAM_POINTS = 200_000
"""Number of weighted points of the histograms of a run."""

_BINNING_POINTS = 20_000
"""Number of weighted points from which bins are chosen."""


@dataclass(frozen=True, eq=False)
class Distributions:
    """All distributions of a run or of a file.

    Attributes:
        title: of the process or the file.
        every: one for each observable.
        points: weighted points, 0 for none.
        events_file: where the events are from, None for none.
        left_out: what the file had beside the events, in words.
    """

    title: str
    every: tuple[HistogramPair, ...]
    points: int = 0
    events_file: Path | None = None
    left_out: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Of the totals."""
        return self.every[0].unit if self.every else "pb"

    def record(self) -> dict[str, Any]:
        """As plain Python values; see docs/histograms.md."""
        return {
            "title": self.title,
            "points": self.points,
            "events_file": str(self.events_file) if self.events_file else None,
            "histograms": [distribution.record() for distribution in self.every],
        }

    def write(self, folder: Path, kind: str = "svg", watch: Watch = unwatched) -> None:
        """Write histograms.json, a picture of each observable and one of all of them.

        Args:
            folder: made if it is not there.
            kind: of the pictures, one of `card.choices.PictureFormat`.
            watch: called with each picture.

        Raises:
            InputError: a package that draws is not installed.
            OutputError: the file system refuses.
        """
        require_pictures()
        make_directory(folder)
        write_file(
            folder / "histograms.json", (json.dumps(self.record(), indent=1) + "\n").encode()
        )
        clock = Stopwatch()
        for number, distribution in enumerate(self.every, start=1):
            write_file(
                folder / f"{file_name(distribution.name)}.{kind}", picture(distribution, kind)
            )
            speed = number / clock.total
            watch(
                StageProgress(
                    "pictures",
                    number,
                    len(self.every),
                    "pictures",
                    rate=speed,
                    rate_unit="pictures/s",
                )
            )
        write_file(folder / f"overview.{kind}", overview(self.every, self.title, kind))


def file_name(observable: str) -> str:
    """File name of an observable, with MadGraph's letters: "mass(e+,t~)" -> "mass_ep_tx"."""
    letters = {"+": "p", "-": "m", "~": "x"}
    return re.sub(r"\W+", "_", re.sub(r"[+~-]", lambda found: letters[found[0]], observable)).strip(
        "_"
    )


def default_folder(source: Path) -> Path:
    """Folder of the pictures: `histograms` in a run directory, or one beside an event file."""
    if source.is_dir():
        return source / "histograms"
    return source.with_name(f"{source.name.partition('.')[0]}_histograms")


@dataclass(frozen=True, eq=False)
class PointSource:
    """Weighted points of a process.

    Attributes:
        process: what scatters.
        cross_section: of the process, with the prior of the sampler, on the CPU.
        sampler: draws the points.
        sigma: standard deviation of the weights of each channel, shape (n_channels,).
    """

    process: Process
    cross_section: CrossSection
    sampler: ImportanceSampler
    sigma: Tensor

    def values(self, observables: tuple[Observable, ...]) -> list[WeightedValues]:
        """Values in a few points, to choose bins from."""
        codes = (codes for one in observables for codes in one.classes)
        counts = self._counts(max(_BINNING_POINTS, 2 * MINIMUM_POINTS * len(self.sigma)))
        values = PointValues(SampledStates(self.cross_section, codes), observables, counts.numpy())
        blocks = self.sampler.map_blocks(PickledOnce(values), counts, "histograms", "pilot")
        return [WeightedValues.concatenate(values) for values in zip(*blocks, strict=True)]

    def histograms(
        self, bins: Sequence[Binning], points: int, watch: Callable[[int], None]
    ) -> list[Histogram]:
        """Fill the bins."""
        path = ("histograms", "points")
        counts = self._counts(points)
        return histograms_of_points(
            self.sampler, self.cross_section, counts, bins, *path, watch=watch
        )

    def _counts(self, points: int) -> Tensor:
        return allocation.proportional(
            points, self.sigma, UNIFORM_FRACTION, MINIMUM_POINTS, self.sampler.active
        )


def distributions_of_run(
    card: Card,
    sources: Sequence[PointSource],
    points: Sequence[int],
    events_file: Path | None,
    watch: Watch,
) -> Distributions:
    """Distributions of weighted points, and of events in the same bins where there are any.

    Args:
        card: of the run; it may ask for histograms.
        sources: draw the points, one for each process.
        points: how many of each.
        events_file: events of the same processes, if there are any.
        watch: called with the progress.

    Raises:
        InputError: too few points for the channels, or the file is damaged.
    """
    finals = [
        legs[source.process.definition.n_incoming :]
        for source in sources
        for legs in source.process.flavours
    ]
    measured = _MeasuredObservables.of(finals, card, sources[0].process.model)
    values = (source.values(measured.observables) for source in sources)
    bins = measured.binnings(
        [WeightedValues.concatenate(of_all) for of_all in zip(*values, strict=True)]
    )
    weighted = _histograms_of_points(sources, points, bins, watch)
    events, groups = _of_reader(open_events(events_file), bins, watch) if events_file else ([], ())
    every = tuple(histogram_pairs(weighted, events, groups))
    title = "\n".join(dict.fromkeys(source.process.definition.text for source in sources))
    return Distributions(title, _in_unit(every, card), sum(points), events_file)


def _histograms_of_points(
    sources: Sequence[PointSource], points: Sequence[int], bins: Sequence[Binning], watch: Watch
) -> list[Histogram]:
    """The histograms of all processes together."""
    clock, total, before = Stopwatch(), sum(points), 0

    def report(done: int) -> None:
        now = before + done
        watch(StageProgress("histograms", now, total, "points", rate=now / clock.total))

    found: list[list[Histogram]] = []
    for source, own in zip(sources, points, strict=True):
        found.append(source.histograms(bins, own, report))
        before += own
    return [Histogram.sum_of(of_all) for of_all in zip(*found, strict=True)]


def distributions_of_file(path: Path, watch: Watch = unwatched) -> Distributions:
    """Distributions of an event file of any format, with bins that suit its first events.

    Args:
        path: the file; where it has a card of ours, its table [histograms] counts.
        watch: called with the progress.

    Raises:
        InputError: the file is missing, damaged or of another kind, or has too few events.
    """
    reader = open_events(path)
    card, beyond = _card_of(reader)
    model = model_from_card(card)
    first = next(iter(reader), None)
    if first is None:
        raise InputError(f"{path}: expected events; got none")
    measured = _MeasuredObservables.of(_finals(first), card, model)
    parts = [(final_states(first), np.ones(len(first)))]
    bins = measured.binnings(
        [WeightedValues.of(observable, parts, first.weight) for observable in measured.observables]
    )
    events, groups = _of_reader(reader, bins, watch)
    left_out = tuple(sorted(reader.left_out | beyond))
    every = _in_unit(histogram_pairs([], events, groups), card)
    return Distributions(path.name, every, events_file=path, left_out=left_out)


def _in_unit(pairs: Iterable[HistogramPair], card: Card) -> tuple[HistogramPair, ...]:
    """Histograms in the unit of what the card computes."""
    if not card.process.is_decay:
        return tuple(pairs)
    return tuple(replace(pair, unit="GeV") for pair in pairs)


def _card_of(reader: EventReader) -> tuple[Card, set[str]]:
    """The card in the header of a file of ours; for others one that stands for the Standard Model.

    A header may name files, but it can come from anywhere: none of them is read.

    Returns:
        the card, and in words what was left out of it.
    """
    text = reader.header.blocks.get(CARD_BLOCK, "")
    try:
        data = tomllib.loads(text) or {"process": {"definition": "p p > e+ e-"}}
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"{reader.path}: expected the card of a run in its header; got: {error}"
        ) from None
    parameters = data.get("parameters")
    named = isinstance(parameters, dict) and parameters.pop("param_card", None) is not None
    beyond = {"the param_card of the header, which is not read"} if named else set()
    return Card.parse(data, reader.path.name), beyond


def _finals(events: EventBatch) -> list[tuple[int, ...]]:
    """PDG codes of the final states that occur."""
    rows = np.unique(np.where(final_states(events).outgoing, events.pdg, 0), axis=0)
    return [tuple(row[row != 0].tolist()) for row in rows]


def _of_reader(
    reader: EventReader, bins: Sequence[Binning], watch: Watch
) -> tuple[list[Histogram], tuple[WeightGroup, ...]]:
    """Histograms of the events of a file."""
    found = histograms_of_events(_watched(in_pb(reader), reader, watch), bins)
    return found, reader.init.weight_groups


def _watched(
    events: Iterable[EventBatch], reader: EventReader, watch: Watch
) -> Iterator[EventBatch]:
    clock, done = Stopwatch(), 0
    for batch in events:
        yield batch
        done += len(batch)
        share, speed = round(100 * reader.share), done / clock.total
        watch(
            StageProgress("events", share, 100, "% of the file", rate=speed, rate_unit="events/s")
        )


@dataclass(frozen=True)
class _MeasuredObservables:
    """Observables of a process that are always measured, and those that its card asks for."""

    usual: tuple[Observable, ...]
    asked: tuple[tuple[Observable, HistogramTable], ...]

    @classmethod
    def of(cls, finals: Sequence[Sequence[int]], card: Card, model: Model) -> _MeasuredObservables:
        asked = ((Observable.parse(text, model), table) for text, table in card.histograms.items())
        return cls(tuple(usual_observables(finals, model)), tuple(asked))

    @property
    def observables(self) -> tuple[Observable, ...]:
        return (*self.usual, *(observable for observable, _ in self.asked))

    def binnings(self, values: Sequence[WeightedValues]) -> list[Binning]:
        return binnings(self.usual, self.asked, values)
