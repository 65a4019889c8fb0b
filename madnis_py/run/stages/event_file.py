"""Event files of a run: from chunks of unweighted events to a file with the cross section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import ceil
from pathlib import Path

import numpy as np

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.tables import ClusterTable, EventTable
from madnis_py.errors import GenerationError, InputError
from madnis_py.events.chunk_generation import TRIALS_PER_CHUNK, EventSource
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.event_selection import EventSelection
from madnis_py.events.files.formats import create_events, event_format
from madnis_py.events.les_houches.lhe_header import CARD_BLOCK, SLHA_BLOCK
from madnis_py.events.les_houches.lhe_init import NO_PDF, LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import PARTS, NamedWeight, WeightGroup
from madnis_py.events.overweights import ENCODINGS
from madnis_py.physics.cross_section.partonic_events import PartonicEventSampler
from madnis_py.physics.cross_section.systematics import Systematics, Variation
from madnis_py.physics.decays.slha_spectrum import spectrum
from madnis_py.physics.pdf.pdf import AbstractPdf
from madnis_py.physics.process.process import Process
from madnis_py.progress import StageProgress, Stopwatch, Watch
from madnis_py.run.stages.results import Result

_MOST_TRIALS = 4
"""Factor by which the trials may exceed what is expected before a generation gives up."""

_MOST_AHEAD = 256
"""Number of chunks in the making at a time; finished ones may have to wait for an earlier one in
memory."""


ORDER_GROUP = "squared_orders"
"""Name of the group of weights by squared coupling orders in event files."""


def collect(
    source: EventSource,
    events: int,
    result: Result,
    settings: EventTable,
    executor: Executor | None,
    watch: Watch,
) -> EventSelection:
    """Chunks that hold at least as many events as asked.

    Args:
        source: makes the chunks.
        events: how many are wanted.
        result: of the sampler, for what to expect.
        settings: of the unweighting.
        executor: makes chunks beside each other; they are taken in their order.
        watch: called with each chunk.

    Raises:
        GenerationError: far more trials than expected have not been enough.
    """
    selection = EventSelection(
        ENCODINGS[settings.overweights], settings.overweight_share, settings.maximum_raise
    )
    expected = result.unweighting.efficiency * TRIALS_PER_CHUNK
    most = 10 + ceil(_MOST_TRIALS * settings.maximum_raise * events / expected)
    clock = Stopwatch()

    def ahead() -> int:
        """Chunks to begin before the next one is looked at."""
        per_chunk = selection.events / len(selection.chunks) if selection.events else expected
        return min(max(ceil((events - selection.events) / per_chunk), 1), _MOST_AHEAD)

    with closing(source.chunks(most, ahead, executor)) as chunks:
        for chunk in chunks:
            selection.add(chunk)
            watch(
                StageProgress(
                    "generate",
                    min(selection.events, events),
                    events,
                    "events",
                    rate=selection.events / clock.total,
                    rate_unit="events/s",
                    sigma=result.sigma_pb,
                    efficiency=selection.efficiency,
                )
            )
            if selection.events >= events:
                return selection
    raise GenerationError(
        f"generate: expected {events} events from {most * TRIALS_PER_CHUNK} trials; "
        f"got {selection.events}"
    )


@dataclass(frozen=True)
class SelectedEvents:
    """Exactly as many events as asked, in the order of the chunks.

    Args:
        selection: of the chunks.
        events: how many.
    """

    selection: EventSelection
    events: int

    @cached_property
    def weights(self) -> Array:
        """Signed weights, which undo a bias, float64, shape (events,)."""
        return self.sizes / self._of_events([chunk.bias for chunk in self.selection.chunks])

    @cached_property
    def sizes(self) -> Array:
        """Signed weights before a bias is undone, 1 below the maximum, float64, shape (events,)."""
        return self._of_events(
            [self.selection.weights(chunk.ratio) for chunk in self.selection.chunks]
        )

    def _of_events(self, columns: Sequence[Array]) -> Array:
        """Numbers of the trials of each chunk for the events that were made of them."""
        parts = [
            np.repeat(column, self.selection.copies(chunk))
            for column, chunk in zip(columns, self.selection.chunks, strict=True)
        ]
        return np.concatenate(parts)[: self.events]

    def batches(self, unit: float) -> Iterator[EventBatch]:
        """The events with their weights in `unit`, chunk by chunk."""
        left = self.events
        for made in self.selection.chunks:
            rows = np.repeat(np.arange(len(made.ratio)), self.selection.copies(made))[:left]
            left -= len(rows)
            events = made.load().events.select(rows)
            sizes = self.selection.weights(events.weight)
            yield events.reweighted(unit * sizes / made.bias[rows])


def write(
    output: Path,
    events: SelectedEvents,
    process: Process,
    partonic: PartonicEventSampler,
    result: Result,
) -> None:
    """Write events with weights whose mean is the cross section.

    Args:
        output: the file.
        events: what goes into it.
        process: what was generated.
        partonic: made the events; for their variations and warnings.
        result: cross section and its error.

    Raises:
        GenerationError: too few events for the signs of their weights: they add up to nothing.
        OutputError: the file cannot be written.
    """
    unit = weight_unit(events.weights, result.sigma_pb)
    largest = float(unit * np.abs(events.weights).max())
    subprocess = LheProcess(result.sigma_pb, result.sigma_error_pb, largest, process.number)
    init = init_of(process, partonic, (subprocess,))
    header = header_of((process,), process.card, partonic.cross_section.caveats)
    write_batches(output, init, process.card, header, events.batches(unit))


def init_of(
    process: Process, partonic: PartonicEventSampler, subprocesses: tuple[LheProcess, ...]
) -> LheInit:
    """The <init> of a file.

    Args:
        process: for its beams, which all processes of a file share.
        partonic: made its events; for the parton densities and the variations.
        subprocesses: of the file.
    """
    first, second = partonic.cross_section.luminosity.pdfs
    numbers = _number(first), _number(second)
    groups = (*weight_groups(partonic.systematics), *order_groups(process))
    return LheInit(process.beams.pdg, process.beams.total_energies, numbers, subprocesses, groups)


def header_of(processes: Sequence[Process], card: Card, caveats: Iterable[str]) -> dict[str, str]:
    """The blocks of a <header>: the card, warnings, and new particles of models that were read.

    Args:
        processes: of the file; their models have the same parameters.
        card: of the run.
        caveats: sentences that belong beside the numbers.
    """
    # The same events have the same bytes, whatever workers made them.
    card = card.model_copy(update={"cluster": ClusterTable()})
    blocks = {CARD_BLOCK: card.to_toml(), "madnis_py_warnings": "\n".join(caveats)}
    model = processes[0].model
    if model.tables.digest:
        blocks[SLHA_BLOCK] = spectrum(model, sorted(set().union(*map(_particles, processes))))
    return {name: text for name, text in blocks.items() if text}


def _particles(process: Process) -> set[int]:
    """PDG codes, without signs, of the legs and lines of all diagrams."""
    lines = {
        abs(tree.pdg)
        for group in process.groups
        for diagram in process.diagrams(group)
        for tree in diagram.tree.subtrees()
    }
    return lines | {abs(pdg) for legs in process.flavours for pdg in legs}


def write_batches(
    output: Path,
    init: LheInit,
    card: Card,
    header: Mapping[str, str],
    batches: Iterable[EventBatch],
) -> None:
    """Write a file of events.

    Args:
        output: the file.
        init: of the file.
        card: of the run.
        header: blocks of its <header>.
        batches: of the events, weights in pb.

    Raises:
        OutputError: the file cannot be written.
    """
    if card.for_merging.active and not event_format(output).writer.for_merging:
        expected = "expected .lhe or .lhe.gz for events for merging, whose jets other formats lack"
        raise InputError(f"{output}: {expected}")
    with create_events(output, init, header) as writer:
        for batch in batches:
            writer.write(batch)


def _number(pdf: AbstractPdf | None) -> int:
    """What an <init> calls the densities of a beam."""
    return pdf.lhapdf_id if pdf else NO_PDF


def weight_unit(weights: Array, cross_section: float) -> float:
    """By what signed weights have to be multiplied to have the cross section as their mean.

    Raises:
        GenerationError: too few events for the signs of their weights: they add up to nothing.
    """
    mean = float(weights.mean())
    if not mean * cross_section > 0:
        expected = (
            "generate: expected events whose signed weights add up to something with the sign of "
            "the cross section"
        )
        raise GenerationError(
            f"{expected}; got {mean:.2g} on average of {len(weights)}: more events are needed"
        )
    return cross_section / mean


def weight_groups(systematics: Systematics) -> tuple[WeightGroup, ...]:
    """Names of the variations in event files: numbers from 1 as in MadGraph, which Pythia keeps."""
    number = count(1)
    return tuple(
        WeightGroup(
            group.name,
            group.combine,
            tuple(
                _named(next(number), variation, systematics.lhapdf_ids[variation.pdf])
                for variation in group.variations
            ),
        )
        for group in systematics.groups
    )


def _named(number: int, variation: Variation, lhapdf_id: int) -> NamedWeight:
    scales = {"MUR": f"{variation.mu_r:g}", "MUF": f"{variation.mu_f:g}"}
    if variation.emissions != 1.0:
        scales["ALPSFACT"] = f"{variation.emissions:g}"
    text = " ".join(f"{name}={factor}" for name, factor in scales.items())
    attributes = scales | ({"PDF": str(lhapdf_id)} if lhapdf_id > 0 else {})
    return NamedWeight(str(number), f"{text} {variation.pdf}", attributes)


def order_groups(process: Process) -> tuple[WeightGroup, ...]:
    """Names of the weights of squared orders in event files: NP^2==0, NP^2==1_QED^2==4."""
    weights = tuple(NamedWeight(one.replace(" ", "_"), one) for one in process.order_names)
    return (WeightGroup(ORDER_GROUP, PARTS, weights),) if weights else ()
