"""What README says is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documents import TEXTS, blocks

from madnis_py.card.card import Card, parse_toml
from madnis_py.physics.process.process import Process

README = TEXTS["README.md"]


def test_the_example_runs_and_training_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(README, "python")
    exec(compile(code, "README.md", "exec"), {})
    gain = re.search(r"relative error ([0-9.]+) times smaller", capsys.readouterr().out)
    assert gain is not None
    assert float(gain[1]) > 3
    assert Path("ridge.safetensors").exists()


def test_its_card_is_the_process_that_the_table_has() -> None:
    (card,) = blocks(README, "toml")
    process = Process.from_card(Card.parse(parse_toml(card, "README.md")))
    assert f"| `{process.definition.text}` | VEGAS | neural |" in README
    assert len(process.channels) == 6
