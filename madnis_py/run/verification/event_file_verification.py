"""Verification of event files: whole, usable by a shower, with weights that give sigma."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np

from madnis_py.card.documents import fingerprint
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.formats import event_format
from madnis_py.events.files.normalization import (
    IN_PB,
    OF_EACH_PROCESS,
    RELATIVE,
    RELATIVE_IN_PROCESS,
    WeightSums,
    units,
)
from madnis_py.events.les_houches.lhe_init import LheGenerator, LheInit
from madnis_py.events.validation import ON_SHELL, first_fault
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched

PRINTED = 1e-6
"""Relative error of numbers that other programs print with few digits."""

UNSEEN = 15.0
"""Number of events of a kind that a file may lack by chance at 5 sigma: exp(-15) = 3e-7."""

FIRST_TAG = 501
"""First number of our colour lines; other programs begin elsewhere, Pythia at 101."""


@dataclass(frozen=True)
class Verification:
    """What was found out about a file or directory.

    Attributes:
        path: of it.
        facts: name -> plain Python value, such as the number of events; what could not be found out
            is missing.
        faults: a sentence each; none if all is as it should be.
    """

    path: Path
    facts: Mapping[str, Any]
    faults: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line for people."""
        events = f"{self.facts['events']} events, " if "events" in self.facts else ""
        unit = self.facts.get("unit", "pb")
        sigma = f"{self.facts['sigma_pb']:.6g} {unit}, " if "sigma_pb" in self.facts else ""
        state = f"faults: {len(self.faults)}" if self.faults else "as it should be"
        if left_out := self.facts.get("left_out"):
            state += f"; left out: {', '.join(left_out)}"
        return f"{self.path}: {events}{sigma}{state}"

    def record(self) -> dict[str, Any]:
        """As plain Python values."""
        return {"path": str(self.path), **self.facts, "faults": list(self.faults)}


def verify_events(path: Path, watch: Watch = unwatched) -> Verification:
    """Read a file of events to its end and hold it against what it says of itself.

    Every number is there and finite; each event is one that a shower can use (`EventBatch.check`;
    files of other programs may be on the mass shell to 1e-6 only, events without particles are left
    alone); the events belong to processes of <init>; the weights have the sign, size and mean that
    IDWTUP, XMAXUP and XSECUP promise.

    Args:
        path: the file.
        watch: called with the progress.

    Raises:
        InputError: there is no such file, or its name says no format.
    """
    form = event_format(path)
    if not path.is_file():
        raise InputError(
            f"{path}: expected a file of events; "
            f"got {'something else' if path.exists() else 'none'}"
        )
    size, sha256 = fingerprint(path)
    facts: dict[str, Any] = {"bytes": size, "sha256": sha256}
    try:
        reader = form.reader(path)
        found = _Findings(reader.init)
        clock = Stopwatch()
        for batch in reader:
            found.add(batch)
            share = round(100 * reader.share)
            speed = found.events / clock.total
            watch(
                StageProgress(
                    "verify", share, 100, "% of the file", rate=speed, rate_unit="events/s"
                )
            )
        facts |= found.facts(reader)
        return Verification(path, facts, tuple(f"{path}: {fault}" for fault in found.faults()))
    except InputError as error:
        return Verification(path, facts, (str(error),))


@dataclass
class _Findings:
    """What the events of a file have shown so far."""

    init: LheInit
    sums: WeightSums = field(default_factory=WeightSums)
    invalid: str | None = None
    negative: int = 0
    largest: dict[int, float] = field(default_factory=dict)
    smallest: float = float("inf")

    @property
    def events(self) -> int:
        return self.sums.total

    def add(self, events: EventBatch) -> None:
        self.invalid = self.invalid or self._invalid(events)
        self.sums.add(events)
        self.negative += int((events.weight < 0).sum())
        size = np.abs(events.weight)
        self.smallest = min(self.smallest, float(size.min(initial=np.inf)))
        for process in np.unique(events.process_id).tolist():
            of_process = float(size[events.process_id == process].max())
            self.largest[process] = max(of_process, self.largest.get(process, 0.0))

    def _invalid(self, events: EventBatch) -> str | None:
        """The first event that a shower cannot use; a weight that it lacks is not its fault."""
        counted = np.flatnonzero(events.counts > 0)
        alone = replace(events, variations=np.empty((len(events), 0)))
        if not _is_ours(self.init):
            alone = replace(alone, colour=alone.colour + FIRST_TAG * np.sign(alone.colour))
        fault = first_fault(
            alone.select(counted).columns(), ON_SHELL if _is_ours(self.init) else PRINTED
        )
        return fault and f"event {self.events + int(counted[fault[0]]) + 1}: {fault[1]}"

    def facts(self, reader: EventReader) -> dict[str, Any]:
        facts: dict[str, Any] = {"events": self.events, "idwtup": self.init.weighting}
        if self.events:
            facts["sigma_pb"], facts["sigma_error_pb"] = self.sums.cross_section(
                units(self.init, self.sums)
            )
        if self.init.of_decay:
            facts["unit"] = self.init.unit
        return {
            **facts,
            "negative_share": self.negative / max(1, self.events),
            "left_out": sorted(reader.left_out),
        }

    def faults(self) -> Iterator[str]:
        if self.invalid:
            yield self.invalid
        declared = [process.identifier for process in self.init.processes]
        if unknown := sorted(set(self.sums.events) - set(declared)):
            yield f"expected events of the processes {declared} of <init>; got {unknown[:5]}"
        if self.init.weighting > 0 and self.negative:
            got = f"got {self.negative} negative ones"
            yield f"IDWTUP {self.init.weighting}: expected weights >= 0; {got}"
        if abs(self.init.weighting) in (OF_EACH_PROCESS, RELATIVE_IN_PROCESS):
            for process in self.init.processes:
                largest = self.largest.get(process.identifier, 0.0)
                if largest > process.maximum * (1 + PRINTED):
                    expected = f"expected weights up to XMAXUP = {process.maximum:g}"
                    yield f"process {process.identifier}: {expected}; got {largest:g}"
        most = max(self.largest.values(), default=0.0)
        if abs(self.init.weighting) == RELATIVE and self.smallest < most * (1 - PRINTED):
            got = f"got {self.smallest:g} to {most:g}"
            yield f"IDWTUP {self.init.weighting}: expected weights of one size; {got}"
        if abs(self.init.weighting) == IN_PB and self.events:
            yield from self._another_mean()
        if unstated := self.init.unknown_cross_section:
            yield unstated

    def _another_mean(self) -> Iterator[str]:
        """Files of ours have the mean XSECUP; in those of others the mean fluctuates about it."""
        declared, error = self.init.cross_section
        mean, fluctuation = self.sums.cross_section(units(self.init, self.sums))
        if (
            self.init.weighting < 0 and not self.negative
        ):  # a few negative weights would have been possible
            fluctuation = hypot(
                fluctuation, 2 * max(self.largest.values()) * UNSEEN / 5 / self.events
            )
        allowed = PRINTED * abs(declared) + (
            0.0 if _is_ours(self.init) else 5 * hypot(error, fluctuation)
        )
        if not abs(mean - declared) <= allowed:
            yield f"expected weights with the mean XSECUP = {declared:g} pb; got {mean:g} pb"


def _is_ours(init: LheInit) -> bool:
    return any(generator.name == LheGenerator().name for generator in init.generators)
