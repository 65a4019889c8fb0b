"""Figures of a sample of several processes, from those of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from math import hypot
from typing import Any

import numpy as np

from madnis_py.arrays import Array
from madnis_py.run.record import PartRecord, RunRecord, StageName, StageRecord, digest
from madnis_py.run.stages.order_results import summed
from madnis_py.run.stages.results import Result, UnweightingFigures, UnweightingRecord
from madnis_py.run.stages.run_warnings import RunWarning


def digest_of(results: Sequence[Result]) -> str:
    """SHA-256 of the figures of all processes, 64 hexadecimal digits."""
    return hashlib.sha256("".join(map(digest, results)).encode()).hexdigest()


def integrated(record: RunRecord, own: Sequence[RunRecord], results: Sequence[Result]) -> RunRecord:
    """The record of the whole after the integrate stages of its processes.

    Args:
        record: as it was.
        own: records of the processes.
        results: of the samplers in use.
    """
    parts = [
        part.model_copy(
            update={
                "sampler": of_part.sampler,
                "sigma_pb": result.sigma_pb,
                "sigma_error_pb": result.sigma_error_pb,
                "points": result.points,
                "efficiency": result.unweighting.efficiency,
            }
        )
        for part, of_part, result in zip(record.parts or (), own, results, strict=True)
    ]
    orders = [result.orders or () for result in results]
    return record.updated(
        parts=parts,
        sigma_pb=sum(result.sigma_pb for result in results),
        sigma_error_pb=hypot(*(result.sigma_error_pb for result in results)),
        sigma_absolute_pb=sum(result.sigma_absolute_pb for result in results),
        **({"orders": summed(orders)} if all(orders) else {}),
        points=sum(result.points for result in results),
        unweighting=combined([result.unweighting for result in results], results),
        stages=record.stages | _stages(own),
        warnings=list(_warnings(parts, own)),
        events=0,
    )


def is_known(record: RunRecord, results: Sequence[Result]) -> bool:
    """Whether the record of the whole has these figures already."""
    known = [(part.sigma_pb, part.sigma_error_pb, part.points) for part in record.parts or ()]
    return known == [(one.sigma_pb, one.sigma_error_pb, one.points) for one in results]


def _warnings(parts: Sequence[PartRecord], own: Sequence[RunRecord]) -> Iterator[RunWarning]:
    """Warnings up to the integrate stage; what is true of all processes is said once."""
    lists = [[one for one in record.warnings if one.stage != "generate"] for record in own]
    common = [one for one in lists[0] if all(one in of_part for of_part in lists)]
    yield from common
    for part, of_part in zip(parts, lists, strict=True):
        yield from named_warnings(part, [one for one in of_part if one not in common])


def named_warnings(part: PartRecord, warnings: Sequence[RunWarning]) -> list[RunWarning]:
    """Warnings of a process that say which one they are about."""
    return [
        one.model_copy(update={"sentence": f"{part.definition}: {one.sentence}"})
        for one in warnings
    ]


def _stages(own: Sequence[RunRecord]) -> dict[StageName, StageRecord]:
    """What the stages took in all processes together."""
    names = dict.fromkeys(name for record in own for name in record.stages)
    return {
        name: StageRecord(
            seconds=round(sum(one.seconds for one in of_stage), 3),
            evaluations=sum(one.evaluations for one in of_stage),
        )
        for name in names
        if (of_stage := [record.stages[name] for record in own if name in record.stages])
        and name not in ("generate", "histograms")
    }


def combined(figures: Sequence[UnweightingFigures], results: Sequence[Result]) -> dict[str, Any]:
    """Figures of events that are drawn in proportion to the cross sections.

    Args:
        figures: of each process.
        results: of each process.
    """
    shares = shares_of(results)
    trials = shares / np.array([one.efficiency for one in figures])  # per event of the sample
    bootstrap = np.array([one.efficiency_bootstrap for one in figures])
    sizes = np.array([one.negative_share for one in figures])

    def mean(name: str, weights: Array) -> float:
        values = np.array([getattr(one, name) for one in figures])
        return float(values @ weights / weights.sum())

    return {
        "efficiency": float(1 / trials.sum()),
        "efficiency_bootstrap": float(1 / (shares / bootstrap).sum()) if bootstrap.all() else 0.0,
        "overweight_share": mean("overweight_share", shares),
        "n_eff": mean("n_eff", shares),
        "negative_share": float(sizes @ shares),
        "cut_acceptance": mean("cut_acceptance", trials),
    }


def shares_of(results: Sequence[Result]) -> Array:
    """Shares of the processes in the events, float64, shape (n_processes,).

    They are those in the cross section with all flavours counted positive, and times the bias.
    """
    sizes = np.array([result.sigma_absolute_pb for result in results])
    return np.asarray(sizes / sizes.sum())


def mean_weights(results: Sequence[Result]) -> list[float]:
    """Cross section of each process over what its events are drawn in proportion to.

    It is 1 without negative parton densities and bias; rounded to twelve digits, because sums of
    the same weights in another order differ beyond.
    """
    return [round(result.sigma_pb / result.sigma_absolute_pb, 12) for result in results]


def of_events(
    figures: Sequence[UnweightingRecord | None], results: Sequence[Result], weights: Array
) -> UnweightingRecord:
    """Figures of the events of a file.

    Args:
        figures: of each process; None for one without events in it.
        results: of each process.
        weights: of the events, in any unit, float64, shape (n,).
    """
    own = [
        UnweightingRecord.model_validate(result.unweighting.model_dump()) if one is None else one
        for one, result in zip(figures, results, strict=True)
    ]
    found = {
        "n_eff": float(weights.sum() ** 2 / (weights @ weights)),
        "negative_share": float((weights < 0).mean()),
        "maximum_factor": max(one.maximum_factor for one in own),
    }
    return UnweightingRecord.model_validate(combined(own, results) | found)
