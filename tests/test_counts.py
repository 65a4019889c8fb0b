"""Numbers of points, steps and events as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import call

from madnis_py.counts import number_of_events, number_of_points, whole_number
from madnis_py.errors import InputError


@pytest.mark.parametrize("given", [10_000, 1e4, np.int32(10_000), np.float64(1e4)])
def test_a_count_may_be_any_whole_number(given: Any) -> None:
    found = whole_number("n", given)
    assert (found, type(found)) == (10_000, int)


@pytest.mark.parametrize("given", [1.5, "10", None, True, float("nan"), float("inf"), 1j])
def test_what_is_no_count_is_refused(given: Any) -> None:
    with pytest.raises(
        InputError, match=r"^n: expected a whole number, such as 10000 or 1e4; got "
    ):
        whole_number("n", given)


def test_a_count_that_is_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="n: expected at least 1; got 0"):
        whole_number("n", 0.0)
    with pytest.raises(ValueError, match="expected at least 1; got -3"):
        number_of_points("-3")
    assert whole_number("n", 0, least=0) == 0


@pytest.mark.parametrize(
    ("text", "number"), [("1e4", 10_000), ("123456789012345678901", 123456789012345678901)]
)
def test_a_count_on_the_command_line_may_be_written_with_an_exponent(
    text: str, number: int
) -> None:
    assert number_of_events(text) == number


@pytest.mark.parametrize("text", ["1.5", "many", "", "inf", "nan", "1e-3"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a whole number, such as 10000 or 1e4; got"):
        number_of_events(text)


def test_commands_take_such_numbers_and_name_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = call(["run", "nothing", "--events", "1e2", "--points", "2e4"], capsys, monkeypatch)
    assert "nothing" in done.err
    assert "whole number" not in done.err
    done = call(["run", "drell_yan", "--events", "1.5"], capsys, monkeypatch)
    assert done.status == 2
    assert "--events" in done.err
    assert "expected a whole number, such as 10000 or 1e4; got 1.5" in " ".join(done.err.split())
