"""The way of a card through the package when a process is made of it."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from types import FrameType

import pytest

import madnis_py
from madnis_py.physics.process.process import Process

PACKAGE = Path(madnis_py.__file__).parent
MOST_STAYS = 14
DEPTH = 3
"""Nesting of the calls that are counted: `from_card`, what it calls, and what that calls;
what goes on further inside is their own affair."""


def modules_of_calls(card: str) -> list[str]:
    """Modules of the functions of the package that are called by `Process.from_card`, in order."""
    depth, modules = 0, []

    def watch(frame: FrameType, event: str, _: object) -> None:
        nonlocal depth
        file = Path(frame.f_code.co_filename)
        if not file.is_relative_to(PACKAGE) or event not in ("call", "return"):
            return
        if event == "call" and depth < DEPTH:
            modules.append(file.relative_to(PACKAGE).as_posix())
        depth += 1 if event == "call" else -1

    sys.setprofile(watch)
    try:
        Process.from_card(card)
    finally:
        sys.setprofile(None)
    return modules


@pytest.mark.parametrize("card", ["drell_yan", "ttbar_1j", "ww_leptons"])
def test_a_card_is_parsed_first_and_checked_once(card: str) -> None:
    """A stay is a run of consecutive calls into one module; a return is a stay in an earlier one.

    Before cards were parsed first and checked once, the same counter found 24 stays in 12 modules
    with 12 returns.
    """
    calls = modules_of_calls(card)
    stays = [module for module, _ in groupby(calls)]
    assert calls[0] == "physics/process/process.py"
    assert len(stays) <= MOST_STAYS
    assert len(stays) - len(set(stays)) <= 4
    assert stays.count("physics/process/card_checks.py") == 1
