"""Work in an executor, taken in its order."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from madnis_py.parallel.in_order import completed, in_order


def test_results_come_in_the_order_of_the_items_however_long_each_takes() -> None:
    def work(item: int) -> int:
        threading.Event().wait(0.01 if item % 3 == 0 else 0.0)
        return item**2

    with ThreadPoolExecutor(4) as executor:
        assert list(in_order(lambda item: executor.submit(work, item), range(20), lambda: 7)) == [
            item**2 for item in range(20)
        ]
    assert list(in_order(lambda item: completed(work(item)), range(5), lambda: 1)) == [
        0,
        1,
        4,
        9,
        16,
    ]


def test_no_more_is_begun_than_is_asked_for() -> None:
    begun: list[int] = []
    with ThreadPoolExecutor(1) as executor:
        results = in_order(lambda item: executor.submit(begun.append, item), range(1000), lambda: 3)
        for _ in range(4):
            next(results)
        results.close()
    assert len(begun) <= 3 + 4


def test_an_error_of_the_work_reaches_who_takes_the_result() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise RuntimeError("broken")
        return item

    with ThreadPoolExecutor(2) as executor:
        results = in_order(lambda item: executor.submit(work, item), range(10), lambda: 4)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(RuntimeError, match="broken"):
            next(results)
