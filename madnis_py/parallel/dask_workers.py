"""Workers of dask: those of a scheduler that is there already, or started for a run and ended with it.

Whoever reaches a scheduler can have code run by its workers. So one that is started here is reached
with credentials that are made for the run and known to nobody else, at one address of this machine;
see docs/security.md.
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

Tell = Callable[[str], None]
"""Takes a sentence for the user."""

PATIENCE = 30
"""Seconds to wait for a scheduler."""

ABANDONED = 600.0
"""Seconds without any worker, where there have been some, after which nobody is expected any
more."""

_LOOK = 5.0
"""Seconds between two looks at who is there."""

_LOCALHOST = "127.0.0.1"


@contextmanager
def scheduler_workers(address: str, prepare: Callable[[], None], tell: Tell) -> Iterator[Executor]:
    """The workers of a dask scheduler.

    Args:
        address: such as "tls://host:8786", or the path of a scheduler file; credentials are those
            of dask's settings.
        prepare: called first in each worker, also in those that join later.
        tell: told that the connection is not encrypted, if so.

    Raises:
        InputError: dask is not installed, or nobody answers at the address.
        WorkerError: the scheduler went away.
    """
    distributed = extra("distributed")
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = distributed.Client(**where, timeout=PATIENCE)
    except (
        OSError,
        TypeError,
        ValueError,
    ) as error:  # dask's error without credentials is a TypeError
        raise InputError(
            f'scheduler: expected a dask scheduler at "{address}"; got: {error}'
        ) from None
    if not client.scheduler.address.startswith("tls:"):
        tell(
            f"workers at {client.scheduler.address} are reached without encryption: for networks that you trust"
        )
    with _quiet(), client, DaskWorkers(client, prepare, tell) as workers:
        yield workers


@contextmanager
def cluster_workers(
    cluster: ClusterTable, prepare: Callable[[], None], tell: Tell
) -> Iterator[Executor]:
    """Workers that are started for the run and end with it: local processes, or jobs of a batch system.

    Args:
        cluster: of the card.
        prepare: called first in each worker, also in those that join later.
        tell: told where they are and how they are reached.

    Raises:
        InputError: dask or dask-jobqueue is not installed, or the batch system refuses.
        WorkerError: the scheduler went away.
    """
    distributed = extra("distributed")
    try:
        started = _started(cluster)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"cluster: {cluster.kind}: cannot be started: {error}") from None
    how = (
        "with credentials made for this run"
        if cluster.tls
        else "without encryption, as the card says"
    )
    tell(f"workers of {started.scheduler_address} are reached {how}")
    with (
        _quiet(),
        started,
        distributed.Client(started) as client,
        DaskWorkers(client, prepare, tell) as workers,
    ):
        started.scale(cluster.workers)
        yield workers


@contextmanager
def _quiet() -> Iterator[None]:
    """What goes wrong is told in sentences; dask's log would print a traceback for each connection that breaks."""
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


def _started(cluster: ClusterTable) -> Any:
    security = _credentials() if cluster.tls else None
    if cluster.kind == "local":
        quiet = {"dashboard": False, "dashboard_address": f"{_LOCALHOST}:0"}
        local = extra("distributed").LocalCluster
        where = {
            "host": _LOCALHOST,
            "protocol": "tls://" if cluster.tls else "tcp://",
            "security": security,
        }
        many = {"n_workers": cluster.workers, "threads_per_worker": 1, "dashboard_address": None}
        return local(**many, **where, scheduler_kwargs=quiet, **cluster.options)
    jobqueue = extra("dask_jobqueue")
    kinds = {"slurm": jobqueue.SLURMCluster, "htcondor": jobqueue.HTCondorCluster}
    return kinds[cluster.kind](**job(cluster), security=security)


def _credentials() -> Any:
    """A key and a certificate for all who take part in the run, in memory."""
    try:
        return extra("distributed").Security.temporary()
    except ImportError:
        raise InputError(
            "workers: cryptography is not installed, which credentials are made with; "
            "expected madnis_py with it: pip install 'madnis_py[dask]', or [cluster] tls = false"
        ) from None


def job(cluster: ClusterTable) -> dict[str, Any]:
    """What dask-jobqueue is told: jobs of one core each, and a scheduler at one address of this machine."""
    job: dict[str, Any] = {"cores": 1, "processes": 1, "memory": cluster.memory, **cluster.options}
    if cluster.kind == "slurm":
        job |= {"walltime": cluster.walltime, "queue": cluster.queue, "account": cluster.account}
    else:
        job.setdefault("disk", "1GB")
    host = _address_of(cluster.options.get("interface"))
    job["scheduler_options"] = {"host": host, "dashboard": False, "dashboard_address": f"{host}:0"}
    job.setdefault("shared_temp_directory", os.getcwd())  # noqa: PTH109  # nodes see it under this name
    return {key: value for key, value in job.items() if value is not None}


def _address_of(interface: object) -> str:
    """The address of a network interface of this machine; by default of the one that leads to other machines."""
    utils = extra("distributed").utils
    address: str = utils.get_ip() if interface is None else utils.get_ip_interface(str(interface))
    return address


class DaskWorkers(Executor):
    """The workers of a dask client as an executor, whose failures are told in sentences.

    A worker that dies costs its tasks, which others do again; one that dies while this connects
    costs nothing. A scheduler that goes away, or workers of whom none comes back, end every task
    with a `WorkerError`.

    Args:
        client: connected.
        prepare: called first in each worker, also in those that join later.
        tell: told while there is no worker.

    Raises:
        WorkerError: the scheduler went away.
    """

    def __init__(self, client: Any, prepare: Callable[[], None], tell: Tell) -> None:
        self._client, self._address = client, client.scheduler.address
        self._failure = WorkerError(f"workers: the dask scheduler at {self._address} has gone")
        self._prepare_all(prepare)
        self._executor: Executor = client.get_executor(retries=ATTEMPTS, pure=False)
        self._open: set[Future[Any]] = set()
        self._ended = Event()
        Thread(target=self._look_after, args=(tell,), daemon=True).start()

    def _prepare_all(self, prepare: Callable[[], None]) -> None:
        """Have each worker prepared; one that dies meanwhile makes dask fail, which then is asked again."""
        plugin = _preparing(prepare)
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
        """Have a task done; see `concurrent.futures.Executor.submit`."""
        promise: Future[T] = Future()
        with self._sentences():
            attempt = self._executor.submit(fn, *args, **kwargs)
        self._open.add(promise)
        promise.add_done_callback(self._open.discard)
        promise.add_done_callback(lambda done: attempt.cancel() if done.cancelled() else None)
        attempt.add_done_callback(partial(self._finish, promise))
        return promise

    def map(
        self,
        fn: Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        """Have tasks done, which travel together; see `concurrent.futures.Executor.map`."""
        with self._sentences():
            results = self._executor.map(
                fn, *map(list, iterables), timeout=timeout
            )  # dask takes no iterators
        return self._taken(results)

    def _taken(self, results: Iterator[T]) -> Iterator[T]:
        with self._sentences():
            yield from results

    def _finish(self, promise: Future[T], attempt: Future[T]) -> None:
        error = self._failure if attempt.cancelled() else attempt.exception()
        with suppress(InvalidStateError):  # nobody wants it any more
            if error is None:
                promise.set_result(attempt.result())
            else:
                promise.set_exception(self._told(error))

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Errors of dask in this block are told in sentences."""
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            told = self._told(error)
            if told is error:
                raise
            raise told from None

    def _told(self, error: BaseException) -> BaseException:
        """The error of a task, or what it says of the workers."""
        distributed = extra("distributed")
        if isinstance(error, distributed.KilledWorker):
            return WorkerError("workers: a task was begun several times; its worker died each time")
        gone = (CancelledError, asyncio.CancelledError, distributed.comm.CommClosedError)
        return (
            self._failure if isinstance(error, gone) or self._client.status != "running" else error
        )

    def _look_after(self, tell: Tell) -> None:
        """Say when there is no worker; give up when those that there were have been away for long."""
        since, told, seen = time.monotonic(), False, False
        while not self._ended.wait(_LOOK):
            if self._client.status != "running":
                self._give_up()  # dask itself forgets tasks whose results were on their way
                return
            try:
                present = bool(self._client.nthreads())
            except (OSError, RuntimeError, ValueError, asyncio.CancelledError):
                continue
            if present:
                since, told, seen = time.monotonic(), False, True
            elif not told:
                tell(f"no workers at {self._address}; waiting for one")
                told = True
            elif seen and time.monotonic() - since > ABANDONED:
                self._failure = WorkerError(
                    f"workers: none has come back to {self._address} in {ABANDONED:.0f} seconds"
                )
                self._executor.shutdown(wait=False)
                self._give_up()
                return

    def _give_up(self) -> None:
        for promise in list(self._open):
            with suppress(InvalidStateError):
                promise.set_exception(self._failure)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Give up tasks that nobody has taken; the client stays."""
        self._ended.set()
        if self._client.status == "running":
            self._executor.shutdown(wait=False)


def _preparing(prepare: Callable[[], None]) -> Any:
    plugin = extra("distributed").WorkerPlugin

    class Prepared(plugin):  # type: ignore[misc, valid-type]
        def setup(self, worker: Any) -> None:
            prepare()

    return Prepared()


def extra(module: str) -> Any:
    """A module of the extra "dask".

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise InputError(
            f"workers: {module} is not installed; expected madnis_py with it: pip install 'madnis_py[dask]'"
        ) from None
