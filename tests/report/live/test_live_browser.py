"""The page of a run in a browser, while the run goes on and ends."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest
from command_line import small_process
from report_reader import ReadPage

from madnis_py.progress import StageProgress, unwatched
from madnis_py.report.live.page_server import PageServer
from madnis_py.run.progress.progress_file import ProgressFile
from madnis_py.run.run import Run

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


class EndingServer(PageServer):
    """A server whose run ends when its state is asked for the third time.

    Args:
        directory: of the run.
        end: lets the run end.
    """

    def __init__(self, directory: Path, end: Callable[[], None]) -> None:
        super().__init__(directory)
        self.end = end
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[str, str] | None:
        """As always."""
        self.asked.append(path)
        if self.asked.count("state.json") == 3:
            self.end()
        return super().answer(path)


def test_the_page_brings_itself_up_to_date_until_the_run_has_ended(tmp_path: Path) -> None:
    run = Run(small_process(tmp_path), tmp_path / "run", 5, method="vegas")
    run.survey()
    with ExitStack() as work:
        work.callback(run.execute, 0, 12_000)
        progress = work.enter_context(ProgressFile(tmp_path / "run"))
        progress.beside(unwatched)(StageProgress("train", 3, 12, "steps", sigma=1.25))
        with EndingServer(tmp_path / "run", work.close) as server:
            thread = Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr")
            own = (f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=12000")
            command = (str(CHROMIUM), *options, *own, "--dump-dom", server.url)
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            server.shutdown()
            thread.join()
    read = ReadPage.of(done.stdout)
    assert "Finished" in read.text
    assert float(read.data["sigma_pb"]) == run.record.sigma_pb
    assert "Weights of the trials" in read.figures
    assert "Content Security Policy" not in done.stderr
    assert server.asked[-1] == "state.json"
    assert server.asked.count("state.json") <= 6  # it asks no more
