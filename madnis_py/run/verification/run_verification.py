"""Verification of run directories: card, states, figures and events are those of run.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from madnis_py.card import card as cards
from madnis_py.errors import InputError
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.training import checkpoint
from madnis_py.progress import Watch, unwatched
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import EventFileRecord, PartRecord, RunRecord
from madnis_py.run.stages.results import Result
from madnis_py.run.stages.training_session import NAME as TRAINING
from madnis_py.run.stages.training_session import TrainingSession
from madnis_py.run.trust import Trust, reach_of_events, reach_of_links
from madnis_py.run.verification.event_file_verification import Verification, verify_events

ROUNDING = 1e-9
"""Relative error of sums that were added in another order."""


def verify_run(path: Path, watch: Watch = unwatched, trust: bool = False) -> Verification:
    """Hold a run directory against its run.json.

    The card has the digest of the run; the stored states are those that were written, and fit each
    other; the figures agree among themselves; every file of events has the bytes that were made,
    and passes `verify_events`.

    Args:
        path: the directory.
        watch: called with the progress.
        trust: follow links that lead out of the directory, see `run.trust`.

    Raises:
        InputError: there is no run in it, its run.json is damaged, or it is not trusted with its
            links.
    """
    directory = RunDirectory(path)
    if not directory.claimed:
        raise InputError(f"{path}: expected a directory with a run.json; found none")
    Trust(trust).require(path, reach_of_links(path))
    record = directory.record
    faults = [*_faults_of_cards(directory, record)]
    for part in record.parts or ():
        inner = verify_run(path / part.folder, watch, trust)
        faults += [fault.removeprefix(f"{path}: ") for fault in inner.faults]
        faults += _faults_of_part(part, directory.inside(part.folder).record)
    faults += [
        *(_faults_of_states(path, record) if record.parts is None else ()),
        *_faults_of_figures("vegas", record.vegas),
        *_faults_of_figures("madnis", record.madnis),
    ]
    facts: dict[str, object] = {}
    for made in record.event_files:
        file = path / made.file
        if reach_of_events(file, path) and file.is_file() and not made.is_at(file):
            faults.append(_other_bytes(made))  # another file, which is not to be read
            continue
        found = verify_events(file, watch) if file.is_file() else None
        if found is not None and record.generated == made:
            facts = dict(found.facts)
        faults += _faults_of_events(made, found)
    return Verification(path, facts, tuple(f"{path}: {fault}" for fault in faults))


def _faults_of_cards(directory: RunDirectory, record: RunRecord) -> Iterator[str]:
    """The card of the directory and the one in run.json are those that the run was begun with."""
    try:
        for name, card in (
            ("card.toml", cards.load(directory.card_file)),
            ("run.json: card", record.card),
        ):
            if card.digest() != record.identity.card:
                expected = f"expected the digest {record.identity.card[:12]}..."
                yield f"{name}: {expected}; got {card.digest()[:12]}..."
    except InputError as error:
        yield str(error)


def _faults_of_states(path: Path, record: RunRecord) -> Iterator[str]:
    """What the finished stages have left is there and whole."""
    try:
        if "survey" in record.stages:
            tensors, meta = checkpoint.load(path, "survey")
            Survey.from_tensors(tensors)
            if meta.get("run") != record.identity.digest:
                yield "survey.json: expected the run that run.json identifies; got another one"
        if "train" in record.stages:
            checkpoint.load(path, TRAINING)
            training = record.identity.training
            if not TrainingSession.is_finished(path, training):
                expected = f"expected the state after {training.steps} steps"
                yield f"{TRAINING}.json: {expected}; got an earlier one"
    except InputError as error:
        yield str(error)


def _faults_of_figures(name: str, result: Result | None) -> Iterator[str]:
    """Shares and deviations of the channels of a sampler add up to its figures."""
    if result is None:
        return
    total = sum(channel.share for channel in result.channels)
    if abs(total - 1) > ROUNDING:
        yield f"run.json: {name}.channels: expected shares with the sum 1; got {total:.9g}"
    deviation = sum(channel.sigma_i for channel in result.channels) / abs(result.sigma_pb)
    if abs(deviation - result.relative_std) > ROUNDING * result.relative_std:
        expected = f"expected sum_i sigma_i / sigma = {deviation:.9g}"
        yield f"run.json: {name}.relative_std: {expected}; got {result.relative_std:.9g}"


def _faults_of_part(part: PartRecord, record: RunRecord) -> Iterator[str]:
    """The figures of a process are those of its own run."""
    if part.sampler is None or part.sigma_pb is None:
        return
    own = record.result_of(part.sampler)
    if own is None or own.sigma_pb != part.sigma_pb:
        expected = f"expected sigma_pb = {own.sigma_pb:g}" if own else "expected none"
        yield f"run.json: parts: {part.folder}: {expected}, as in its run; got {part.sigma_pb:g}"


def _faults_of_events(made: EventFileRecord, found: Verification | None) -> Iterator[str]:
    """A file of events is the one that was made."""
    if found is None:
        yield f"expected the events {made.file}; got no such file"
        return
    yield from found.faults
    if found.facts.get("sha256") != made.sha256:
        yield _other_bytes(made)
    if found.facts.get("events", made.events) != made.events:
        expected = f"expected {made.events} events, as run.json says"
        yield f"{made.file}: {expected}; got {found.facts['events']}"


def _other_bytes(made: EventFileRecord) -> str:
    return f"{made.file}: expected the bytes that the run has written; got others"
