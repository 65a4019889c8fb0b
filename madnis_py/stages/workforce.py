"""Who does the work of a run: threads, processes of this machine, or the workers of a dask scheduler."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from madnis_py import _core
from madnis_py.card_tables import ClusterTable
from madnis_py.errors import InputError
from madnis_py.stages.process_workers import ATTEMPTS, ProcessWorkers

_PATIENCE = 30
"""Seconds to wait for a scheduler."""


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

    def hire(self, cluster: ClusterTable) -> AbstractContextManager[Executor | None]:
        """The executor of a run, until the block ends.

        Args:
            cluster: of the card; counts where nothing else is asked for.
        """
        if self.scheduler is not None:
            return scheduler_workers(self.scheduler)
        if self.workers is not None:
            return process_workers(self.workers)
        if cluster.kind != "none" and self.threads is None:
            return cluster_workers(cluster)
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


@contextmanager
def scheduler_workers(address: str) -> Iterator[Executor]:
    """The workers of a dask scheduler.

    Args:
        address: such as "tcp://host:8786", or the path of a scheduler file.

    Raises:
        InputError: dask is not installed, or nobody answers at the address.
    """
    use_threads(1)
    distributed = _extra("distributed", "dask")
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = distributed.Client(**where, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f'scheduler: expected a dask scheduler at "{address}"; got: {error}') from None
    with client:
        yield _executor(client)


@contextmanager
def cluster_workers(cluster: ClusterTable) -> Iterator[Executor]:
    """Workers that are started for the run and end with it: local processes, or jobs of a batch system.

    Raises:
        InputError: dask or dask-jobqueue is not installed, or the batch system refuses.
    """
    use_threads(1)
    distributed = _extra("distributed", "dask")
    try:
        started = _cluster(cluster)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"cluster: {cluster.kind}: cannot be started: {error}") from None
    with started, distributed.Client(started) as client:
        started.scale(cluster.workers)
        yield _executor(client)


def _cluster(cluster: ClusterTable) -> Any:
    if cluster.kind == "local":
        local = _extra("distributed", "dask").LocalCluster
        return local(n_workers=cluster.workers, threads_per_worker=1, dashboard_address=None, **cluster.options)
    jobqueue = _extra("dask_jobqueue", "dask")
    kinds = {"slurm": jobqueue.SLURMCluster, "htcondor": jobqueue.HTCondorCluster}
    return kinds[cluster.kind](**job(cluster))


def job(cluster: ClusterTable) -> dict[str, Any]:
    """What dask-jobqueue is told of the jobs: one core each."""
    job: dict[str, Any] = {"cores": 1, "processes": 1, "memory": cluster.memory, **cluster.options}
    if cluster.kind == "slurm":
        job |= {"walltime": cluster.walltime, "queue": cluster.queue, "account": cluster.account}
    else:
        job.setdefault("disk", "1GB")
    return {key: value for key, value in job.items() if value is not None}


def _executor(client: Any) -> Executor:
    """The executor of a client whose workers compute with one thread each, those that join later too."""
    plugin = _extra("distributed", "dask").WorkerPlugin

    class OneThread(plugin):  # type: ignore[misc, valid-type]
        def setup(self, worker: Any) -> None:
            one_thread()

    client.register_plugin(OneThread())
    executor: Executor = client.get_executor(retries=ATTEMPTS, pure=False)
    return executor


def _extra(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise InputError(
            f"workers: {module} is not installed; expected madnis_py with it: pip install 'madnis_py[{extra}]'"
        ) from None


def use_threads(count: int) -> None:
    """How many threads the kernels of this process use; torch uses one."""
    _core.set_thread_count(count)
    torch.set_num_threads(1)


def one_thread() -> None:
    """Make this process one worker among several."""
    use_threads(1)
