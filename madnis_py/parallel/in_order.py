"""Results of futures in the order of their tasks, with a bounded number of tasks under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    submit: Callable[[Item], Future[Result]], items: Iterable[Item], ahead: Callable[[], int]
) -> Generator[Result]:
    """Results of the items one after the other, however long each takes.

    No more tasks are submitted than `ahead` asks for. Closing the generator cancels those that have
    not begun.

    Args:
        submit: begins the work on an item.
        items: what to work on, possibly many more than needed.
        ahead: number of tasks that shall be under way whose results have not been taken, at least
            1; called before each result.

    Yields:
        the result of each item.
    """
    left: Iterator[Item] = iter(items)
    pending: deque[Future[Result]] = deque()
    try:
        while True:
            pending.extend(submit(item) for item in islice(left, max(ahead() - len(pending), 0)))
            if not pending:
                return
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def completed(result: Result) -> Future[Result]:
    """A future that has its result already."""
    future: Future[Result] = Future()
    future.set_result(result)
    return future
