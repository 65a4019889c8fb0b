"""Executors of dask: the workers of a running scheduler, or of a cluster that is started for a run.

Whoever reaches a scheduler can have code run by its workers. So a scheduler that is started here is
reached with credentials that are made for the run and known to nobody else, at one address of this
machine; see docs/security.md.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from threading import Event, Thread
from typing import Any, ParamSpec, TypeVar

from madnis_py.card.tables import ClusterTable
from madnis_py.errors import InputError, WorkerError
from madnis_py.parallel.process_workers import ATTEMPTS

P = ParamSpec("P")
T = TypeVar("T")

Notify = Callable[[str], None]
"""Called with a sentence for the user."""

CONNECT_TIMEOUT = 30
"""Seconds to wait for the answer of a scheduler."""

NO_WORKERS_TIMEOUT = 600.0
"""Seconds without any worker, after there have been some, until the tasks are given up."""

_POLL_INTERVAL = 5.0
"""Seconds between two looks at which workers there are."""

_LOCALHOST = "127.0.0.1"


@contextmanager
def scheduler_executor(
    address: str, initializer: Callable[[], None], notify: Notify
) -> Iterator[Executor]:
    """The workers of a dask scheduler that is running already.

    Args:
        address: such as "tls://host:8786", or the path of a scheduler file; credentials are those
            of dask's settings.
        initializer: called first in each worker, also in those that join later.
        notify: called with a sentence if the connection is not encrypted.

    Raises:
        InputError: dask is not installed, or nobody answers at the address.
        WorkerError: the scheduler went away.
    """
    distributed = extra("distributed")
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = distributed.Client(**where, timeout=CONNECT_TIMEOUT)
    except (OSError, TypeError, ValueError) as error:  # a TypeError where there are no credentials
        raise InputError(
            f'scheduler: expected a dask scheduler at "{address}"; got: {error}'
        ) from None
    if not client.scheduler.address.startswith("tls:"):
        notify(
            f"workers at {client.scheduler.address} are reached without encryption: "
            "for networks that you trust"
        )
    with _without_log(), client, DaskWorkers(client, initializer, notify) as workers:
        yield workers


@contextmanager
def cluster_executor(
    cluster: ClusterTable, initializer: Callable[[], None], notify: Notify
) -> Iterator[Executor]:
    """Workers that are started for the run: local processes, or jobs of a batch system.

    Args:
        cluster: table of the card.
        initializer: called first in each worker, also in those that join later.
        notify: called with a sentence about where the workers are and how they are reached.

    Raises:
        InputError: dask or dask-jobqueue is not installed, or the batch system refuses.
        WorkerError: the scheduler went away.
    """
    distributed = extra("distributed")
    try:
        started = _start_cluster(cluster)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"cluster: {cluster.kind}: cannot be started: {error}") from None
    how = (
        "with credentials made for this run"
        if cluster.tls
        else "without encryption, as the card says"
    )
    notify(f"workers of {started.scheduler_address} are reached {how}")
    with (
        _without_log(),
        started,
        distributed.Client(started) as client,
        DaskWorkers(client, initializer, notify) as workers,
    ):
        started.scale(cluster.workers)
        yield workers


def _start_cluster(cluster: ClusterTable) -> Any:
    """A dask cluster without workers.

    Its credentials, a key and a certificate for all who take part in the run, exist only in memory.
    """
    try:
        security = extra("distributed").Security.temporary() if cluster.tls else None
    except ImportError:
        raise InputError(
            "workers: cryptography is not installed, which credentials are made with; "
            "expected madnis_py with it: pip install 'madnis_py[dask]', or [cluster] tls = false"
        ) from None
    if cluster.kind == "local":
        return extra("distributed").LocalCluster(
            n_workers=cluster.workers,
            threads_per_worker=1,
            dashboard_address=None,
            host=_LOCALHOST,
            protocol="tls://" if cluster.tls else "tcp://",
            security=security,
            scheduler_kwargs={"dashboard": False, "dashboard_address": f"{_LOCALHOST}:0"},
            **cluster.options,
        )
    jobqueue = extra("dask_jobqueue")
    kinds = {"slurm": jobqueue.SLURMCluster, "htcondor": jobqueue.HTCondorCluster}
    return kinds[cluster.kind](**jobqueue_arguments(cluster), security=security)


def jobqueue_arguments(cluster: ClusterTable) -> dict[str, Any]:
    """Arguments of a cluster of dask-jobqueue.

    Jobs have one core each, and the scheduler listens at one address of this machine: that of the
    interface that the card names, by default of the one that leads to other machines.
    """
    utils = extra("distributed").utils
    interface = cluster.options.get("interface")
    host = utils.get_ip() if interface is None else utils.get_ip_interface(str(interface))
    job: dict[str, Any] = {"cores": 1, "processes": 1, "memory": cluster.memory, **cluster.options}
    if cluster.kind == "slurm":
        job |= {"walltime": cluster.walltime, "queue": cluster.queue, "account": cluster.account}
    else:
        job.setdefault("disk", "1GB")
    job["scheduler_options"] = {"host": host, "dashboard": False, "dashboard_address": f"{host}:0"}
    job.setdefault("shared_temp_directory", os.getcwd())  # noqa: PTH109  # nodes see it by this name
    return {key: value for key, value in job.items() if value is not None}


@contextmanager
def _without_log() -> Iterator[None]:
    """Without dask's log, which has a traceback for each connection that breaks.

    `DaskWorkers` says what went wrong in sentences.
    """
    loggers = [
        logging.getLogger(name)
        for name in ("distributed", "distributed.client", "tornado.application")
    ]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class DaskWorkers(Executor):
    """The workers of a dask client as an executor, whose errors are sentences.

    The tasks of a worker that dies are done again by others; one that dies while this connects
    costs nothing. When the scheduler goes away, or all workers for `NO_WORKERS_TIMEOUT`, every task
    ends with a `WorkerError`.

    Args:
        client: connected.
        initializer: called first in each worker, also in those that join later.
        notify: called with a sentence while there is no worker.

    Raises:
        WorkerError: the scheduler went away.
    """

    def __init__(self, client: Any, initializer: Callable[[], None], notify: Notify) -> None:
        self._client, self._address = client, client.scheduler.address
        self._failure = WorkerError(f"workers: the dask scheduler at {self._address} has gone")
        self._initialize_all(initializer)
        self._executor: Executor = client.get_executor(retries=ATTEMPTS, pure=False)
        self._open: set[Future[Any]] = set()
        self._ended = Event()
        Thread(target=self._watch_workers, args=(notify,), daemon=True).start()

    def _initialize_all(self, initializer: Callable[[], None]) -> None:
        """Call the initializer in each worker, now and in those that join later.

        dask fails where a worker dies meanwhile; then it is asked again.
        """
        plugin_class = extra("distributed").WorkerPlugin

        class Initialized(plugin_class):  # type: ignore[misc, valid-type]
            def setup(self, worker: Any) -> None:
                initializer()

        plugin = Initialized()
        for left in reversed(range(ATTEMPTS)):
            try:
                self._client.register_plugin(plugin)
            except (OSError, asyncio.CancelledError):  # dask's CommClosedError is an OSError
                if not left or self._client.status != "running":
                    raise self._failure from None
                time.sleep(1)
            else:
                return

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit a task; see `concurrent.futures.Executor.submit`."""
        future: Future[T] = Future()
        with self._in_sentences():
            attempt = self._executor.submit(fn, *args, **kwargs)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        future.add_done_callback(lambda done: attempt.cancel() if done.cancelled() else None)
        attempt.add_done_callback(partial(self._finish, future))
        return future

    def map(
        self,
        fn: Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        """Submit tasks that travel together; see `concurrent.futures.Executor.map`."""
        with self._in_sentences():
            results = self._executor.map(
                fn, *map(list, iterables), timeout=timeout
            )  # dask takes no iterators
        return self._taken(results)

    def _taken(self, results: Iterator[T]) -> Iterator[T]:
        with self._in_sentences():
            yield from results

    def _finish(self, future: Future[T], attempt: Future[T]) -> None:
        error = self._failure if attempt.cancelled() else attempt.exception()
        with suppress(InvalidStateError):  # the future was cancelled
            if error is None:
                future.set_result(attempt.result())
            else:
                future.set_exception(self._translated(error))

    @contextmanager
    def _in_sentences(self) -> Iterator[None]:
        """Translate the errors of dask in this block, see `_translated`."""
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            translated = self._translated(error)
            if translated is error:
                raise
            raise translated from None

    def _translated(self, error: BaseException) -> BaseException:
        """The error of a task, or the `WorkerError` that it is a consequence of."""
        distributed = extra("distributed")
        if isinstance(error, distributed.KilledWorker):
            return WorkerError("workers: a task was begun several times; its worker died each time")
        gone = (CancelledError, asyncio.CancelledError, distributed.comm.CommClosedError)
        return (
            self._failure if isinstance(error, gone) or self._client.status != "running" else error
        )

    def _watch_workers(self, notify: Notify) -> None:
        """Say when there is no worker, and give up when workers have been away for too long."""
        since, notified, seen = time.monotonic(), False, False
        while not self._ended.wait(_POLL_INTERVAL):
            if self._client.status != "running":
                self._give_up()  # dask itself forgets tasks whose results were on their way
                return
            try:
                present = bool(self._client.nthreads())
            except (OSError, RuntimeError, ValueError, asyncio.CancelledError):
                continue
            if present:
                since, notified, seen = time.monotonic(), False, True
            elif not notified:
                notify(f"no workers at {self._address}; waiting for one")
                notified = True
            elif seen and time.monotonic() - since > NO_WORKERS_TIMEOUT:
                self._failure = WorkerError(
                    f"workers: none has come back to {self._address} "
                    f"in {NO_WORKERS_TIMEOUT:.0f} seconds"
                )
                self._executor.shutdown(wait=False)
                self._give_up()
                return

    def _give_up(self) -> None:
        for future in list(self._open):
            with suppress(InvalidStateError):
                future.set_exception(self._failure)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel the tasks that have not begun; the client stays."""
        self._ended.set()
        if self._client.status == "running":
            self._executor.shutdown(wait=False)


def extra(module: str) -> Any:
    """A module of the extra "dask".

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise InputError(
            f"workers: {module} is not installed; "
            "expected madnis_py with it: pip install 'madnis_py[dask]'"
        ) from None
