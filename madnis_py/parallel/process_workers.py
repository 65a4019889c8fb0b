"""Executor of worker processes on this machine, any of which may die."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.sharedctypes import Synchronized
from threading import Lock, Thread
from typing import ParamSpec, TypeVar

from madnis_py.errors import WorkerError

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 5
"""Number of times that a task is begun; one whose worker dies each time is at fault itself."""

_NUMBER = 0
"""Number of this process among the workers of one executor, from 0; also 0 in other processes."""

_POLL_INTERVAL = 0.2
"""Seconds between two looks at which processes there are."""

_PRELOADED = ["madnis_py.events.chunk_generation"]
"""Modules that new processes find loaded."""


class ProcessWorkers(Executor):
    """Worker processes; the tasks of one that is killed are done again by another.

    Tasks must be functions of their arguments alone.

    Args:
        count: number of processes.
        initializer: called first in each.
    """

    def __init__(self, count: int, initializer: Callable[[], None]) -> None:
        self._count, self._initializer = count, initializer
        self._lock = Lock()
        self._closed = False
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        pool = ProcessPoolExecutor(
            self._count,
            mp_context=context,
            initializer=_initialize,
            initargs=(self._initializer, context.Value("q", 0)),
        )
        Thread(target=self._guard, args=(pool,), daemon=True).start()
        return pool

    def _guard(self, pool: ProcessPoolExecutor) -> None:
        """End a pool of which a process has died.

        It would find out by itself, but not if the process was killed while it sent a result: the
        pool waits for the rest of it for ever. So all processes end, and so does the pipe that
        results come by.
        """
        results = pool._result_queue  # the pool forgets it when it ends by itself
        while not self._closed:
            processes = list((pool._processes or {}).values())
            if not wait([one.sentinel for one in processes], _POLL_INTERVAL):
                if not processes:
                    time.sleep(_POLL_INTERVAL)
                continue
            if not self._closed:
                for one in processes:
                    one.kill()
                results._writer.close()  # type: ignore[attr-defined]
            return

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit a task; see `concurrent.futures.Executor.submit`."""
        future: Future[T] = Future()
        self._begin(future, partial(fn, *args, **kwargs), ATTEMPTS)
        return future

    def _begin(self, future: Future[T], task: Callable[[], T], attempts: int) -> None:
        try:
            pool = self._pool
            attempt = pool.submit(task)
        except BrokenProcessPool:
            self._again(future, task, attempts, pool)
            return
        attempt.add_done_callback(partial(self._finish, future, task, attempts, pool))

    def _finish(
        self,
        future: Future[T],
        task: Callable[[], T],
        attempts: int,
        pool: ProcessPoolExecutor,
        attempt: Future[T],
    ) -> None:
        if future.cancelled() or attempt.cancelled():
            future.cancel()
            return
        error = attempt.exception()
        if isinstance(error, BrokenProcessPool):
            self._again(future, task, attempts, pool)
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(attempt.result())

    def _again(
        self, future: Future[T], task: Callable[[], T], attempts: int, pool: ProcessPoolExecutor
    ) -> None:
        """Begin a task anew in a new pool, unless this is shut down or its attempts are used up."""
        with self._lock:
            if self._closed:
                future.cancel()
                return
            if self._pool is pool:
                self._pool = self._new_pool()
                pool.shutdown(wait=False)
        if attempts > 1:
            self._begin(future, task, attempts - 1)
        else:
            future.set_exception(
                WorkerError(
                    f"workers: a task was begun {ATTEMPTS} times; its process died each time"
                )
            )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; see `concurrent.futures.Executor.shutdown`."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _initialize(initializer: Callable[[], None], counter: Synchronized[int]) -> None:
    """Leave Ctrl-C to the process that submits the tasks, take a number, call the initializer."""
    global _NUMBER
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with counter.get_lock():
        _NUMBER = counter.value
        counter.value += 1
    initializer()


def worker_number() -> int:
    """Number of this process among the workers of one executor, from 0; also 0 in other processes.

    Workers that take the place of one that died are numbered anew, all of them.
    """
    return _NUMBER
