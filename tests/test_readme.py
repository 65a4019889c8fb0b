"""What README says is true."""

from __future__ import annotations

import re

import pytest
from places import ROOT

README = (ROOT / "README.md").read_text()


def test_the_example_runs_and_training_pays(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    scope: dict[str, object] = {}
    exec(compile(code[1], "README.md", "exec"), scope)
    gain = re.search(r"relative error ([0-9.]+) times smaller", capsys.readouterr().out)
    assert gain is not None
    assert float(gain[1]) > 3


def test_files_that_it_links_exist() -> None:
    root = ROOT
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (root / target).exists(), target
