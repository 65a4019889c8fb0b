"""Code and commands that documents show are those of this version."""

from __future__ import annotations

import doctest
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from command_line import SMALL_CARD, small_process
from documents import TEXTS, blocks
from places import ROOT

from madnis_py.card.card import Card
from madnis_py.cli.app import app
from madnis_py.run.run import Run

ELSEWHERE = ("README.md", "docs/from_madnis.md", "docs/integrands.md", "docs/tutorial.md")
"""Pages whose programs have tests of their own, in test_readme.py and test_docs.py."""
CONSOLES = [name for name, text in TEXTS.items() if ">>> " in text]
CODE = {
    name: code
    for name, text in TEXTS.items()
    if (code := blocks(text, "python")) and name not in ELSEWHERE
}


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of: a run, its events, and cards."""
    folder = tmp_path_factory.mktemp("pages")
    run = Run(small_process(folder), folder / "my_run", seed=1, method="vegas")
    run.integrate(4000)
    run.generate(50, folder / "events.lhe.gz")
    run.generate(50)
    (folder / "light.toml").write_text(SMALL_CARD)
    (folder / "heavier.toml").write_text(SMALL_CARD + "[parameters]\nMZP = 500.0\n")
    return folder


@pytest.mark.parametrize("page", CODE)
def test_the_code_of_a_page_runs(
    page: str, surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(surroundings)
    scope: dict[str, object] = {}
    for block in CODE[page]:
        exec(compile(block, page, "exec"), scope)


@pytest.mark.parametrize("page", CONSOLES)
def test_the_console_sessions_of_a_page_give_what_is_printed(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    failed, attempted = doctest.testfile(str(ROOT / page), module_relative=False)
    assert attempted > 5
    assert failed == 0


def test_tables_of_cards_have_keys_that_there_are() -> None:
    checked = 0
    for page, text in TEXTS.items():
        for block in blocks(text, "toml"):
            tables = tomllib.loads(block)
            if "process" in tables or tables.keys() <= Card.model_fields.keys():
                defaults = {"process": {"definition": "p p > e+ e- j"}, "beams": {"pdf": "toy"}}
                names = defaults | tables
                Card.parse(
                    {name: defaults.get(name, {}) | tables.get(name, {}) for name in names}, page
                )
                checked += 1
    assert checked > 10


PROGRAM = typer.main.get_command(app)


def shown_commands(text: str) -> Iterator[str]:
    """What stands behind `madnis-py` in blocks and in backticks, one command each."""
    lines = re.findall(r"^(?:    )?madnis-py (.*(?:\n +[\[].*)*)", text, re.MULTILINE)
    for line in lines + re.findall(r"`madnis-py ([^`]*)`", text):
        spoken = re.sub(r"\s#.*", "", line)
        yield from re.split(r"\s\|\s(?![^\[]*\])", re.sub(r"->.*", "", spoken, flags=re.DOTALL))


def options_of(words: list[str]) -> set[str]:
    """Options of the command that the first words name, of the program itself if none does."""
    command: Any = PROGRAM
    for word in words:
        commands = getattr(command, "commands", {})
        if not commands or word.startswith("-"):
            break
        command = commands[word]
    return {"--help", "-h"}.union(*(one.opts for one in command.params))


@pytest.mark.parametrize("page", [name for name, text in TEXTS.items() if "madnis-py " in text])
def test_commands_and_options_of_a_page_exist(page: str) -> None:
    for shown in shown_commands(TEXTS[page]):
        options = re.findall(r"(?<![\w-])(--?[a-z][a-z0-9-]*)", re.sub(r'"[^"]*"', "", shown))
        assert set(options) <= options_of(shown.split()), shown


def test_an_option_that_there_is_not_is_found() -> None:
    (shown,) = shown_commands("    madnis-py run CARD [-o DIR]\n              [--fast]\n")
    assert shown.split()[-1] == "[--fast]"
