"""Without the optional packages: what works all the same, and which extra a sentence names."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import SMALL_CARD, call
from places import ROOT

EXTRAS = {
    "plots": ["matplotlib"],
    "histograms": ["hist", "mplhep"],
    "cuda": ["cuda"],
    "dask": ["dask", "distributed", "dask_jobqueue", "cryptography"],
    "lheh5": ["h5py"],
    "parquet": ["pyarrow"],
    "pythia": ["pythia8mc"],
    "root": ["uproot", "awkward"],
    "shower": ["pythia8mc", "pyhepmc"],
}
"""Modules that each extra for users brings."""

FOR_DEVELOPERS = {"test", "lint", "pdf-maker", "bench"}

BLOCKED = [*(one for modules in EXTRAS.values() for one in modules), "lhapdf", "pandas"]
"""And modules that are used where they are there, but belong to no extra."""

WITHOUT = f"""
import sys
sys.modules.update(dict.fromkeys({BLOCKED}))
sys.argv[0] = "madnis-py"
from madnis_py import cli
cli.main()
"""
"""The command line where none of them is installed."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with events, made by a program that has no optional package."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "small.toml").write_text(SMALL_CARD)
    size = ["--points", "6000", "--events", "100", "--threads", "1"]
    command = [sys.executable, "-c", WITHOUT, "run", "small.toml", "-o", "run", *size]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_the_extras_for_users_are_those_that_are_tried_here() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"].keys() - FOR_DEVELOPERS == EXTRAS.keys()


def test_a_run_makes_events_without_any_extra(run: Path) -> None:
    assert (run / "events.lhe.gz").exists()


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("lheh5", ["convert", "RUN/events.lhe.gz", "RUN/events.h5"]),
        ("parquet", ["convert", "RUN/events.lhe.gz", "RUN/events.parquet"]),
        ("root", ["convert", "RUN/events.lhe.gz", "RUN/events.root"]),
        ("shower", ["shower", "RUN/events.lhe.gz", "-o", "RUN/events.hepmc"]),
        ("lheh5", ["generate", "RUN", "--events", "10", "--output", "RUN/few.h5"]),
        ("histograms", ["histograms", "RUN"]),
        ("dask", ["generate", "RUN", "--events", "10", "--scheduler", "tcp://127.0.0.1:1"]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_command_that_needs_an_extra_names_it_in_one_sentence(
    extra: str,
    arguments: Sequence[str],
    run: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in BLOCKED:
        monkeypatch.setitem(sys.modules, module, None)
    before = sorted(run.iterdir())
    refused = call([one.replace("RUN", str(run)) for one in arguments], capsys, monkeypatch)
    assert refused.status == 2
    assert f"pip install 'madnis_py[{extra}]'" in refused.err
    assert refused.err.count("\n") == 1
    assert sorted(run.iterdir()) == before
