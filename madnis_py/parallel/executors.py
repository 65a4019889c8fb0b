"""Executors of a run: threads or processes of this machine, or workers of a dask scheduler."""

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
from madnis_py.parallel.dask_workers import Notify, cluster_executor, scheduler_executor
from madnis_py.parallel.process_workers import ProcessWorkers


@dataclass(frozen=True)
class ExecutorChoice:
    """The executor that a user asked for; the first of these options that is given decides.

    Attributes:
        scheduler: address of a dask scheduler.
        workers: number of worker processes of this machine.
        threads: number of threads of this process.
    """

    scheduler: str | None = None
    workers: int | None = None
    threads: int | None = None

    def open(
        self, cluster: ClusterTable, notify: Notify
    ) -> AbstractContextManager[Executor | None]:
        """The executor of a run, as a context: its workers end with the block.

        Args:
            cluster: table of the card; counts where the user gave none of the options.
            notify: called with sentences about where dask's workers are and how they are reached.

        Returns:
            the executor for `Run`; None for a single thread.

        Raises:
            InputError: there cannot be such an executor.
        """
        if self.scheduler is not None:
            use_threads(1)
            return scheduler_executor(self.scheduler, use_threads, notify)
        if self.workers is not None:
            return process_executor(self.workers)
        if cluster.kind != "none" and self.threads is None:
            use_threads(1)
            return cluster_executor(cluster, use_threads, notify)
        return thread_executor(self.threads)


@contextmanager
def thread_executor(count: int | None = None) -> Iterator[Executor | None]:
    """Threads of this process: kernels and blocks of points use them, torch uses one per block.

    Args:
        count: number of threads; one per core of the machine when not given.

    Returns:
        the executor for `Run`; None for a single thread.

    Raises:
        InputError: fewer than one thread.
    """
    count = count if count is not None else os.cpu_count() or 1
    if count < 1:
        raise InputError(f"threads: expected at least 1; got {count}")
    use_threads(count)
    if count == 1:
        yield None
        return
    with ThreadPoolExecutor(count) as executor:
        yield executor


@contextmanager
def process_executor(count: int) -> Iterator[Executor]:
    """Processes of this machine, one thread each; see `ProcessWorkers`.

    Args:
        count: number of processes.

    Raises:
        InputError: fewer than one process.
    """
    if count < 1:
        raise InputError(f"workers: expected at least 1; got {count}")
    use_threads(1)
    with ProcessWorkers(count, use_threads) as executor:
        yield executor


def use_threads(count: int = 1) -> None:
    """Set how many threads the kernels of this process use; torch uses one.

    Without an argument it makes a process one worker among several.
    """
    _core.set_thread_count(count)
    torch.set_num_threads(1)
