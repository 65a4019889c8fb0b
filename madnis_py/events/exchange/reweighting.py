"""Weights of events for other parameters or models: the ratio of squared matrix elements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import hypot, sqrt
from pathlib import Path
from typing import Self

import numpy as np

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.choices import Kept
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.event_elements import AlikeEvents, EventElements, Rows
from madnis_py.events.exchange.made_sample import MadeSample
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.files.normalization import in_pb, init_in_pb
from madnis_py.events.les_houches.lhe_init import LheInit
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup, identifiers
from madnis_py.output_file import require_place
from madnis_py.physics.process.beam_luminosity import coupling_of_model
from madnis_py.physics.process.process import Process
from madnis_py.physics.process.process_set import ProcessSet
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched

GROUP = "reweighting"
"""Name of the group of the new weights."""


@dataclass(frozen=True)
class Hypothesis:
    """Processes of a card, whose matrix elements weigh events.

    Attributes:
        processes: of the card.
        source: how messages call it.
    """

    processes: tuple[Process, ...]
    source: str

    @classmethod
    def from_card(cls, card: Card, source: str) -> Self:
        """The processes of a card.

        Raises:
            CardError: the card cannot be used.
        """
        return cls(ProcessSet.from_card(card).processes, source)

    @cached_property
    def elements(self) -> EventElements:
        """The matrix elements of events."""
        return EventElements(self.processes, self.source)

    def coupling(self, events: EventBatch, rows: Rows) -> Array:
        """alpha_s: that of the model where no beam has a PDF set, else that of the events."""
        first = self.processes[0]
        if first.card.beams.sets:
            return events.alpha_s[rows]
        scales = np.ascontiguousarray(events.renormalization_scale[rows])
        return coupling_of_model(first.card, first.model).evaluate(scales**2)


@dataclass(frozen=True)
class Reweighting:
    """Weights events of one hypothesis as those of another.

    The new weight of an event is w |M'|^2 / |M|^2 at its momenta, with the strong coupling and the
    parton densities that it has.

    Attributes:
        before: what the events were made with.
        after: what they shall be weighted for.
        kept: what of an event |M|^2 is for, instead of a sum: its helicities, or its colour flow,
            |J_k|^2 summed over helicities.
    """

    before: Hypothesis
    after: Hypothesis
    kept: Kept = "nothing"

    def ratios(self, events: EventBatch) -> Array:
        """|M'|^2 / |M|^2 of every event, float64 (n,).

        Raises:
            InputError: a hypothesis does not have the particles of an event, or gives it no |M|^2.
        """
        before, after = (self._squared(events, one) for one in (self.before, self.after))
        if not (before > 0).all():
            event = int(np.argmin(before > 0))
            expected = f"expected events with |M|^2 > 0 in {self.before.source}"
            raise InputError(f"reweight: {expected}; got {before[event]:g} at event {event + 1}")
        return after / before

    def _squared(self, events: EventBatch, hypothesis: Hypothesis) -> Array:
        squared = np.empty(len(events))
        for alike in hypothesis.elements.of(events):
            alpha_s = hypothesis.coupling(events, alike.rows)
            squared[alike.rows] = self._of_alike(events, alike, alpha_s)
        return squared

    def _of_alike(self, events: EventBatch, alike: AlikeEvents, alpha_s: Array) -> Array:
        p = alike.momenta(events)
        if self.kept == "nothing":
            return alike.element.squared(p, alpha_s)
        weights = alike.element.weights(p, alpha_s)
        if self.kept == "helicities":
            return _entries(weights.helicities, alike.helicities(events))
        return _entries(weights.flows, alike.flows(events))


def _entries(table: Array, columns: Rows) -> Array:
    """An entry of every row; 0 where the column is -1."""
    return np.where(columns < 0, 0.0, table[np.arange(len(table)), columns])


@dataclass(frozen=True, kw_only=True)
class ReweightedFile(MadeSample):
    """Outcome of a reweighting; its cross section is that of the new hypothesis.

    Attributes:
        n_eff: (sum w)^2 / sum w^2 of the new weights.
        largest: share of the cross section in the event of largest weight.
    """

    n_eff: float
    largest: float


def reweight_file(
    source: Path, target: Path, reweighting: Reweighting, name: str, watch: Watch = unwatched
) -> ReweightedFile:
    """Write the events of a file with one more weight each, in the group `GROUP`.

    Args:
        source: of any format.
        target: the new file.
        reweighting: makes the weight.
        name: identifier of the weight.
        watch: called with the progress.

    Raises:
        InputError: the file is damaged, has such a weight already, or an event cannot be weighted.
        OutputError: the target cannot be written.
    """
    require_place(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise InputError(f"{target}: expected another file than the source")
    reader = open_events(source)
    if name in identifiers(reader.init.weight_groups):
        raise InputError(f"{source}: expected no weight {name!r} yet; there is one")
    text = f"|M|^2 of {reweighting.after.source}"
    group = WeightGroup(GROUP, "", (NamedWeight(name, text),))
    init = init_in_pb(reader.init)
    init = replace(init, weight_groups=(*init.weight_groups, group))
    weights, clock = [], Stopwatch()
    with create_events(target, init, reader.header) as writer:
        for batch in in_pb(reader):
            new = batch.weight * reweighting.ratios(batch)
            writer.copy(
                replace(batch, variations=np.concatenate([batch.variations, new[:, None]], axis=1))
            )
            weights.append(new)
            watch(_progress(writer.n_events, reader.share, clock))
    return _summary(np.concatenate(weights), reader.init, tuple(sorted(reader.left_out)))


def _progress(done: int, share: float, clock: Stopwatch) -> StageProgress:
    total = max(done, round(done / share)) if share > 0 else done + 1
    rate = done / clock.total
    return StageProgress("reweight", done, total, "events", rate=rate, rate_unit="events/s")


def _summary(weights: Array, init: LheInit, left_out: tuple[str, ...]) -> ReweightedFile:
    """The mean of the weights; its error is their own and, relatively, that of the file."""
    mean, spread = float(weights.mean()), float(weights.std()) / sqrt(len(weights))
    before, before_error = init.cross_section
    relative = before_error / before if before else 0.0
    return ReweightedFile(
        events=len(weights),
        cross_section=mean,
        error=hypot(spread, mean * relative),
        quantity=init.integral,
        unit=init.unit,
        left_out=left_out,
        n_eff=float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0,
        largest=float(np.abs(weights).max() / max(np.abs(weights).sum(), 1e-300)),
    )
