"""Whether a run directory is what its run.json says."""

from __future__ import annotations

from pathlib import Path

from madnis_py.errors import InputError
from madnis_py.stages.directory import RunDirectory
from madnis_py.stages.progress import Watch, unwatched
from madnis_py.stages.verification import Verification, verify_events


def verify_run(path: Path, watch: Watch = unwatched) -> Verification:
    """Hold a run directory against its run.json.

    Args:
        path: the directory.
        watch: told of the progress.

    Raises:
        InputError: there is no run in it, or its run.json is damaged.
    """
    record = RunDirectory(path).record
    if not record:
        raise InputError(f"{path}: expected a directory with a run.json; found none")
    generated = record.get("generated", {})
    events = path / Path(generated.get("file", "events.lhe.gz")).name
    if not events.is_file():
        return Verification(path, {}, (f"expected the events {events}; got no such file",) if generated else ())
    found = verify_events(events, watch)
    faults = list(found.faults)
    if found.facts.get("events", generated.get("events")) != generated.get("events"):
        faults.append(f"expected {generated.get('events')} events, as run.json says; got {found.facts['events']}")
    return Verification(path, found.facts, tuple(faults))
