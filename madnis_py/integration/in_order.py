"""Work that others do, taken in its order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], ahead: Callable[[], int], executor: Executor | None
) -> Generator[Result]:
    """Results of the items one after the other, however long each takes; only as much is begun as is asked for.

    Closing the generator cancels what has not begun.

    Args:
        work: called in the executor's workers.
        items: what to work on, possibly many more than needed.
        ahead: how many of those not yet taken shall be under way; asked before each result.
        executor: does the work; this thread, item by item, if None.
    """
    if executor is None:
        yield from map(work, items)
        return
    left: Iterator[Item] = iter(items)
    begun: deque[Future[Result]] = deque()
    try:
        while True:
            begun.extend(executor.submit(work, item) for item in islice(left, max(ahead() - len(begun), 0)))
            if not begun:
                return
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()
