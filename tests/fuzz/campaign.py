"""Many damaged inputs at every door, from several processes; a failure comes with the numbers that repeat it.

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
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from door import Door
from file_doors import (
    CompressedLheFiles,
    Gridpacks,
    LheFiles,
    Lheh5Files,
    ParquetFiles,
    RunDirectories,
    StoredStates,
    UmamiLibraries,
)
from outcome import Failure, judged
from text_doors import CommandLines, Definitions, Grids, Momenta, ParameterCards, ProcessCards, RunCards

SEED = 1
MEMORY = 8 << 30
CHUNK = 50


class Trial(NamedTuple):
    """One input: the door it goes to and its number there."""

    door: str
    number: int
    seed: int = SEED


@cache
def doors() -> dict[str, Door]:
    """Every door by its name."""
    runs = RunDirectories()
    every = (
        ProcessCards(), Definitions(), RunCards(), ParameterCards(), Grids(), Momenta(), CommandLines(), LheFiles(),
        CompressedLheFiles(), Lheh5Files(), ParquetFiles(), runs, StoredStates(runs),
        Gridpacks(runs), UmamiLibraries(),
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


def _prepare() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _failures(wanted: list[Trial], workers: int) -> Iterator[tuple[Trial, Failure]]:
    """Failures as they come; a chunk whose process died is tried again one by one, each in a process of its own."""
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    context = multiprocessing.get_context("spawn")
    while chunks:
        with ProcessPoolExecutor(workers, context, _prepare) as pool:
            running = {index: pool.submit(_attempt_all, chunk) for index, chunk in enumerate(chunks)}
            crashed: list[list[Trial]] = []
            for index, future in running.items():
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    crashed.append(chunks[index])
                _tell(index + 1, len(chunks))
        if len(crashed) == len(chunks) and all(len(chunk) == 1 for chunk in crashed):
            yield from ((chunk[0], Failure("crash", "the process died")) for chunk in crashed)
            return
        chunks = [[trial] for chunk in crashed for trial in chunk]


def _tell(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{total} ")


def main() -> None:
    """Try them and say what failed; exit status 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--door", choices=list(doors()))
    parser.add_argument("--only", type=int, metavar="K", help="input K of the door alone")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="where failures are written")
    options = parser.parse_args()
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="madnis-fuzz-")
    start = time.perf_counter()
    if options.only is not None:
        wanted = [Trial(options.door, options.only, options.seed)]
        found = _attempt_all(wanted)
    else:
        wanted = trials(options.inputs, options.seed, options.door)
        random.Random(0).shuffle(wanted)
        found = list(_failures(wanted, options.workers))
    for trial, failure in found:
        print(f"--- {trial.door} --only {trial.number} --seed {trial.seed}: {failure.kind}\n{failure.detail}")
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
