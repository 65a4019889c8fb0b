"""Work that others do, taken in its order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    begin: Callable[[Item], Future[Result]], items: Iterable[Item], ahead: Callable[[], int]
) -> Generator[Result]:
    """Results of the items one after the other, however long each takes; only as much is begun as is asked for.

    Closing the generator cancels what has not begun.

    Args:
        begin: sets the work on an item going.
        items: what to work on, possibly many more than needed.
        ahead: how many of those not yet taken shall be under way, one at least; asked before each
            result.
    """
    left: Iterator[Item] = iter(items)
    begun: deque[Future[Result]] = deque()
    try:
        while True:
            begun.extend(begin(item) for item in islice(left, max(ahead() - len(begun), 0)))
            if not begun:
                return
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()


def finished(result: Result) -> Future[Result]:
    """Work that is done already."""
    future: Future[Result] = Future()
    future.set_result(result)
    return future
