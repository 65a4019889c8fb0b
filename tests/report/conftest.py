"""A run that the tests of its report share."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import small_process

from madnis_py.report.report_page import write_report
from madnis_py.run.run import Run


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report; tests leave the files of the run as they are."""
    folder = tmp_path_factory.mktemp("report")
    run = Run(small_process(folder), folder / "run", 5)
    run.execute(200, 20_000)
    write_report(run.directory.path)
    return run.directory.path
