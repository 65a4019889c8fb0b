"""The command watch: it prints an address, opens a browser, and ends quietly."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from command_line import call


def test_watch_serves_until_ctrl_c_and_ends_with_status_0_and_no_traceback(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {tmp_path}/opened.part\nmv {tmp_path}/opened*t {tmp_path}/opened\n'
    )
    browser.chmod(0o755)
    command = [sys.executable, "-m", "madnis_py", "watch", str(tmp_path / "run"), "--open"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"BROWSER": str(browser), "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).parents[3],
    ) as process:
        assert process.stdout is not None
        first, url = process.stdout.readline(), process.stdout.readline().strip()
        assert f"the report of {tmp_path / 'run'}" in first
        with urlopen(url, timeout=60) as answer:
            assert b"Waiting for a run" in answer.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert (out.strip(), err) == ("", "")
    opened = (tmp_path / "opened").read_text().strip()
    assert opened.startswith(url.rsplit("/", 2)[0])
    assert url.rsplit("/", 2)[1] not in opened  # the arguments of a program are for all to see


def test_what_is_no_directory_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    done = call(("watch", tmp_path / "file"), capsys, monkeypatch)
    assert done.status == 2
    assert "expected the directory of a run; got a file" in done.err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").symlink_to("/etc/passwd")
    done = call(("watch", tmp_path / "run"), capsys, monkeypatch)
    assert done.status == 2
    assert "/etc/passwd" in done.err
