"""Who does the work of a run: threads, processes of this machine, or the workers of a dask scheduler."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch

from madnis_py import _core
from madnis_py.card.tables import ClusterTable
from madnis_py.errors import InputError
from madnis_py.parallel.dask_workers import Tell, cluster_workers, scheduler_workers
from madnis_py.parallel.process_workers import ProcessWorkers


def silent(sentence: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Labour:
    """What a user asked for; the first of these that is given decides.

    Attributes:
        scheduler: address of a dask scheduler.
        workers: number of processes.
        threads: of this process.
    """

    scheduler: str | None = None
    workers: int | None = None
    threads: int | None = None

    def hire(
        self, cluster: ClusterTable, tell: Tell = silent
    ) -> AbstractContextManager[Executor | None]:
        """The executor of a run, until the block ends.

        Args:
            cluster: of the card; counts where nothing else is asked for.
            tell: told where workers of dask are and how they are reached.
        """
        if self.scheduler is not None:
            use_threads(1)
            return scheduler_workers(self.scheduler, one_thread, tell)
        if self.workers is not None:
            return process_workers(self.workers)
        if cluster.kind != "none" and self.threads is None:
            use_threads(1)
            return cluster_workers(cluster, one_thread, tell)
        return workers(self.threads)


@contextmanager
def workers(threads: int | None = None) -> Iterator[Executor | None]:
    """Threads of this process: kernels and blocks of points use them, torch uses one per block.

    Args:
        threads: at most this many; all cores of the machine when not given.

    Returns:
        the executor for `Run`; None for a single thread.

    Raises:
        InputError: fewer than one thread.
    """
    threads = threads if threads is not None else os.cpu_count() or 1
    if threads < 1:
        raise InputError(f"threads: expected at least 1; got {threads}")
    use_threads(threads)
    if threads == 1:
        yield None
        return
    with ThreadPoolExecutor(threads) as executor:
        yield executor


@contextmanager
def process_workers(count: int) -> Iterator[Executor]:
    """Processes of this machine, one thread each; one that is killed costs its tasks, nothing else.

    Args:
        count: number of processes.

    Raises:
        InputError: fewer than one.
    """
    if count < 1:
        raise InputError(f"workers: expected at least 1; got {count}")
    use_threads(1)
    with ProcessWorkers(count, one_thread) as executor:
        yield executor


def use_threads(count: int) -> None:
    """How many threads the kernels of this process use; torch uses one."""
    _core.set_thread_count(count)
    torch.set_num_threads(1)


def one_thread() -> None:
    """Make this process one worker among several."""
    use_threads(1)
