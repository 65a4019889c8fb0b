"""Many damaged inputs at every door, in several processes; every failure says how to repeat it.

    python tests/fuzz/campaign.py --inputs 20000
    python tests/fuzz/campaign.py --door grid --only 1234

Input k of a door depends on the seed, the name of the door and k alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from door import Door
from file_doors import (
    CompressedLheFiles,
    Gridpacks,
    LheFiles,
    Lheh5Files,
    ParquetFiles,
    Reports,
    RunDirectories,
    StoredIntegrators,
    StoredStates,
    UmamiLibraries,
)
from model_doors import UfoModels
from outcome import Failure, judged
from text_doors import (
    CommandLines,
    Definitions,
    Grids,
    Momenta,
    ParameterCards,
    ProcessCards,
    RunCards,
)

SEED = 1
MEMORY = 8 << 30


class Trial(NamedTuple):
    """One input: the door it goes to and its number there."""

    door: str
    number: int
    seed: int = SEED


Outcome = tuple[Trial, Failure | None]


@cache
def doors() -> dict[str, Door]:
    """Every door by its name."""
    runs = RunDirectories()
    every = (
        ProcessCards(), Definitions(), RunCards(), ParameterCards(), Grids(), Momenta(),
        CommandLines(), UfoModels(), LheFiles(), CompressedLheFiles(), Lheh5Files(),
        ParquetFiles(), runs, Reports(runs), StoredStates(runs), Gridpacks(runs), UmamiLibraries(),
        StoredIntegrators(),
    )  # fmt: skip
    return {door.name: door for door in every}


def trials(inputs: int, seed: int = SEED, only: str | None = None) -> list[Trial]:
    """So many inputs, shared out over the doors; at least one for each."""
    chosen = [door for name, door in doors().items() if only in (None, name)]
    total = sum(door.share for door in chosen)
    counts = {door.name: max(1, round(inputs * door.share / total)) for door in chosen}
    return [Trial(name, number, seed) for name, count in counts.items() for number in range(count)]


def attempt(trial: Trial) -> Failure | None:
    """Hand one input in."""
    rng = random.Random(f"{trial.seed} {trial.door} {trial.number}")
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        os.chdir(folder)
        inside = Path(folder) / "input"
        inside.mkdir()
        try:
            return judged(lambda: doors()[trial.door].enter(rng, inside))
        finally:
            os.chdir(before)


def _attempt_all(chunk: list[Trial]) -> list[tuple[Trial, Failure]]:
    return [(trial, failure) for trial in chunk if (failure := attempt(trial)) is not None]


def _serve(part: list[Trial], results: Connection) -> None:
    """Try inputs in a process with a limit of memory, and send the outcome of each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for trial in part:
        results.send(attempt(trial))


def _watch(part: list[Trial], outcomes: SimpleQueue[Outcome]) -> None:
    """Try inputs in a process of their own.

    Where it dies, the input that it had is a failure and another process goes on.
    """
    context = multiprocessing.get_context("spawn")
    while part:
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_serve, args=(part, sender))
        child.start()
        sender.close()
        done = 0
        try:
            for trial in part:
                outcomes.put((trial, receiver.recv()))
                done += 1
        except EOFError:
            child.join()
            outcomes.put((part[done], Failure("crash", f"exit code {child.exitcode}")))
            done += 1
        child.join()
        part = part[done:]


def _failures(wanted: list[Trial], workers: int) -> Iterator[tuple[Trial, Failure]]:
    """Failures as they come from several processes."""
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    for worker in range(workers):
        Thread(target=_watch, args=(wanted[worker::workers], outcomes), daemon=True).start()
    for done in range(1, len(wanted) + 1):
        trial, failure = outcomes.get()
        if failure is not None:
            yield trial, failure
        _tell(done, len(wanted))


def _tell(done: int, total: int) -> None:
    end = "\r" if sys.stderr.isatty() else "\n" if done % 1000 == 0 or done == total else ""
    if end:
        print(f"{done} of {total} inputs", end=end, file=sys.stderr, flush=True)


def main() -> None:
    """Try them and say what failed; exit status 1 if anything did."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--door", choices=list(doors()))
    parser.add_argument("--only", type=int, metavar="K", help="input K of the door alone")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--output", type=Path, metavar="FILE.json", help="where failures are written"
    )
    options = parser.parse_args()
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="madnis-fuzz-")
    start = time.perf_counter()
    if options.only is not None:
        wanted = [Trial(options.door, options.only, options.seed)]
        failures = iter(_attempt_all(wanted))
    else:
        wanted = trials(options.inputs, options.seed, options.door)
        random.Random(0).shuffle(wanted)
        failures = _failures(wanted, options.workers)
    found = []
    for trial, failure in failures:
        found.append((trial, failure))
        print(
            f"--- --door '{trial.door}' --only {trial.number} --seed {trial.seed}: {failure.kind}",
            flush=True,
        )
        print(failure.detail, flush=True)
    if options.output:
        rows = [{**trial._asdict(), **vars(failure)} for trial, failure in found]
        options.output.write_text(json.dumps(rows, indent=1))
    kinds = Counter((trial.door, failure.kind) for trial, failure in found)
    print(f"{len(wanted)} inputs, {len(found)} failures, {time.perf_counter() - start:.0f} s")
    for (door, kind), count in kinds.most_common():
        print(f"  {door}: {kind} {count}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
