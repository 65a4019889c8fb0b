"""The kernels under the thread sanitizer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from places import ROOT


def sanitizer_works(folder: Path) -> bool:
    """Whether this machine compiles and links with the thread sanitizer."""
    if not all(shutil.which(tool) for tool in ("make", "cmake", "c++")):
        return False
    (folder / "empty.cpp").write_text("int main() {}")
    command = ["c++", "-fsanitize=thread", "empty.cpp", "-o", "empty"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_kernels_have_no_data_race(tmp_path: Path) -> None:
    if not sanitizer_works(tmp_path):
        pytest.skip("no compiler with a thread sanitizer")
    command = ["make", "tsan", f"TSAN_BUILD={tmp_path / 'build'}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert "children: same bytes" in result.stdout
