"""A run of whatever a card lists: of its one process, or of several."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

from madnis_py.card.card import Card
from madnis_py.card.choices import Method
from madnis_py.errors import InputError
from madnis_py.physics.process.process_set import ProcessSet
from madnis_py.progress import Watch, unwatched
from madnis_py.run.abstract_run import AbstractRun, stored_card
from madnis_py.run.directory import RunDirectory
from madnis_py.run.display.outlook import built
from madnis_py.run.run import Run
from madnis_py.run.samples.sample_run import SampleRun

SCAN = "scan.json"
"""File that says that a directory holds a scan, not a run."""


def begin_run(
    card: Card,
    directory: Path | str | RunDirectory,
    seed: int = 1,
    *,
    method: Method = "madnis",
    device: str = "cpu",
    executor: Executor | None = None,
    watch: Watch = unwatched,
) -> AbstractRun:
    """A new run, or the one in its directory.

    Args:
        card: of one process or several.
        directory: as for `Run`.
        seed: as for `Run`.
        method: as for `Run`.
        device: as for `Run`.
        executor: as for `Run`.
        watch: as for `Run`.

    Raises:
        CardError: the card cannot be used.
        InputError: the directory holds another run.
        MadnisError: the device cannot be used, or not for one of the processes.
    """
    processes = ProcessSet.from_card(card)
    watch(built(processes.processes))
    if len(processes.processes) == 1:
        (process,) = processes.processes
        return Run(
            process, directory, seed, method=method, device=device, executor=executor, watch=watch
        )
    return SampleRun(
        processes, directory, seed, method=method, device=device, executor=executor, watch=watch
    )


def open_run(
    directory: Path | str,
    *,
    executor: Executor | None = None,
    watch: Watch = unwatched,
    any_version: bool = False,
    trust: bool = False,
    wait: bool = False,
) -> AbstractRun:
    """Go on with the run of a directory; see `Run.open`."""
    files = RunDirectory(Path(directory), wait, any_version)
    if (files.path / SCAN).exists() and not files.claimed:
        one = f"name one of its points, like {files.path / 'point_1'}"
        raise InputError(f"{files.path}: expected a run; got a scan; {one}")
    card = stored_card(files, trust)
    kind = Run if files.record.parts is None else SampleRun
    return kind.resume(card, files, executor=executor, watch=watch, trust=trust)
