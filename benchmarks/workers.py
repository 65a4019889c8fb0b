"""Child processes that do the work of one side of a comparison and say how long it took."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, Self

Work = Callable[[], float]
"""Does a piece of work and returns its size in units: steps, points, evaluations."""


@dataclass(frozen=True)
class Side:
    """A program and the work it is given.

    Attributes:
        name: of the program, with its version.
        module: has a function `start(threads)` and the functions that make works.
        work: function of the module that prepares something and returns a `Work`.
        arguments: of that function.
        limit: seconds that a reply may take before the process is given up.
    """

    name: str
    module: str
    work: str
    arguments: dict[str, Any] = field(default_factory=dict)
    limit: float = 300.0


@dataclass(frozen=True)
class Usage:
    """What some work cost.

    Attributes:
        wall: seconds by the clock.
        process: seconds of processor time, all threads together.
        units: size of the work.
        peak: largest resident memory of the process so far, in MiB.
    """

    wall: float
    process: float
    units: float
    peak: float

    def seconds_per_unit(self, clock: str) -> float:
        """Seconds by "wall" or "process" time."""
        seconds: float = getattr(self, clock)
        return seconds / self.units


class WorkerError(Exception):
    """A side raised, crashed or did not answer in time."""

    def __init__(self, side: Side, what: str) -> None:
        super().__init__(f"{side.name}: {what}")
        self.side = side


class Worker:
    """A side in a process of its own, ready for its first call; ends with the `with` block.

    Args:
        side: what it does.
        threads: threads that it may use.
        fresh: start a new interpreter, which has imported nothing, rather than a copy of one that
            has imported torch.

    Attributes:
        idle_peak: largest resident memory before the first call, in MiB.

    Raises:
        WorkerError: the work could not be prepared.
    """

    def __init__(self, side: Side, threads: int, fresh: bool = False) -> None:
        self.side = side
        context = get_context("spawn") if fresh else warm_context()
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, side, threads), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()
        try:
            self.idle_peak = self._reply().peak
        except WorkerError:
            self.stop()
            raise

    def do(self, calls: int) -> Usage:
        """Do the work some times.

        Raises:
            WorkerError: it raised, crashed or took longer than the limit of the side.
        """
        try:
            self._connection.send(calls)
        except OSError as error:
            raise WorkerError(self.side, str(error)) from error
        return self._reply()

    def _reply(self) -> Usage:
        if not self._connection.poll(self.side.limit):
            raise WorkerError(self.side, f"no answer within {self.side.limit:g} s")
        try:
            reply = self._connection.recv()
        except (EOFError, OSError):
            self._process.join()
            raise WorkerError(self.side, f"ended with status {self._process.exitcode}") from None
        if not isinstance(reply, Usage):
            raise WorkerError(self.side, reply)
        return reply

    def stop(self) -> None:
        """End the process at once: some programs crash when they tidy up."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def __enter__(self) -> Self:
        """The worker."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.stop()


@cache
def warm_context() -> BaseContext:
    """Where it can be had, a server that has imported torch once and forks the workers.

    OpenMP threads sleep while they wait, unless OMP_WAIT_POLICY says otherwise: where anything else
    runs on the machine, spinning ones slow a peer down tenfold on two threads.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(
        ["torch", "madnis_py.integration.training.trainer", "madnis.integrator"]
    )
    return context


def _serve(connection: Connection, side: Side, threads: int) -> None:
    """The life of a worker: prepare, then work as often as told."""
    try:
        module = import_module(side.module)
        module.start(threads)
        work = getattr(module, side.work)(**side.arguments)
        connection.send(Usage(0.0, 0.0, 0.0, peak_memory()))
        while True:
            connection.send(_timed(work, connection.recv()))
    except EOFError:
        os._exit(0)
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")


def _timed(work: Work, calls: int) -> Usage:
    wall, process = time.perf_counter(), time.process_time()
    units = sum(work() for _ in range(calls))
    return Usage(time.perf_counter() - wall, time.process_time() - process, units, peak_memory())


def peak_memory() -> float:
    """Largest resident memory of this process in MiB.

    Linux tells that of the present program; getrusage there includes the process that started it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 1024
    )
