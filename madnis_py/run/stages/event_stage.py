"""The generate stage: unweighted events of a run in a file, and what they are like."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from madnis_py.events.chunk_generation import EventSource
from madnis_py.integration.coverage import CoverageCheck
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process
from madnis_py.progress import Watch
from madnis_py.run.stages import event_file, run_warnings
from madnis_py.run.stages.event_file import SelectedEvents
from madnis_py.run.stages.results import Result, UnweightingRecord
from madnis_py.run.stages.run_warnings import RunWarning, warnings_of


@dataclass(frozen=True)
class EventStage:
    """Makes files of events.

    Args:
        process: what is generated.
        cross_section: the integrand.
        result: of the sampler, with the cross section and the maxima.
        executor: makes chunks beside each other; this thread if None.
        watch: called with the progress.
    """

    process: Process
    cross_section: CrossSection
    result: Result
    executor: Executor | None
    watch: Watch

    def run(
        self, source: EventSource, events: int, output: Path
    ) -> tuple[UnweightingRecord, tuple[RunWarning, ...]]:
        """Write a file.

        Args:
            source: makes the chunks.
            events: how many the file will have.
            output: the file.

        Returns:
            how good the events are, and what was noticed.

        Raises:
            GenerationError: far more trials than expected have not been enough, or the signed
                weights add up to nothing.
            OutputError: the file cannot be written.
        """
        selected = self.select(source, events)
        event_file.write(output, selected, self.process, source.maker.events, self.result)
        return self.figures(selected)

    def select(self, source: EventSource, events: int) -> SelectedEvents:
        """Events that no file has yet.

        Args:
            source: makes the chunks.
            events: how many.

        Raises:
            GenerationError: far more trials than expected have not been enough.
        """
        settings = self.process.card.events
        selection = event_file.collect(
            source, events, self.result, settings, self.executor, self.watch
        )
        return SelectedEvents(selection, events)

    def figures(self, selected: SelectedEvents) -> tuple[UnweightingRecord, tuple[RunWarning, ...]]:
        """How good events are, and what was noticed."""
        selection, weights = selected.selection, selected.weights
        check = CoverageCheck(self.cross_section.channel_names)
        share = self.process.card.events.overweight_share
        sentences = [
            *check.overweights("generate", selected.sizes, share),
            *run_warnings.cancelling_signs(weights),
            *run_warnings.generation_warnings(check, self.result, selection),
        ]
        figures = self.result.unweighting.model_dump() | {
            "efficiency": selection.efficiency,
            "overweight_share": selection.overweight_share,
            "maximum_factor": selection.factor,
            "n_eff": float(weights.sum() ** 2 / (weights @ weights)),
            "negative_share": float((weights < 0).mean()),
            "cut_acceptance": selection.cut_acceptance,
        }
        return UnweightingRecord.model_validate(figures), warnings_of("generate", sentences)


@dataclass(frozen=True)
class ChosenEvents:
    """Events of a run that no file has yet.

    Attributes:
        stage: that made them.
        source: has their chunks.
        selected: which of them.
    """

    stage: EventStage
    source: EventSource
    selected: SelectedEvents
