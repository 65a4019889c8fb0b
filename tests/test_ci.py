"""What machines that prove the project run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("there", "installed"),
    [
        (("g++", "make"), False),
        (("g++",), True),
        (("make",), True),
        ((), True),
    ],
    ids=lambda value: "+".join(value) or "nothing" if isinstance(value, tuple) else None,
)
def test_a_compiler_is_installed_where_it_or_make_is_missing(
    there: tuple[str, ...], installed: bool, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "cp"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    program = f'#!{programs}/bash\necho "${{0##*/}} $*" >> {log}\n'
    install = f'if [[ $1 == install ]]; then cp "$0" {programs}/g++; cp "$0" {programs}/make; fi\n'
    for name in there:
        _executable(programs / name, program)
    _executable(programs / "apt-get", program + install)

    subprocess.run(
        [programs / "bash", ROOT / ".ci" / "run"], env={"PATH": str(programs)}, check=True
    )

    packages = ["apt-get update -qq", "apt-get install -y -qq g++ make"] if installed else []
    assert log.read_text().splitlines() == [*packages, "make lint", "make docs", "make test"]


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_make_explains_every_target_that_it_offers() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    told = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split(maxsplit=1) for line in told.stdout.splitlines()]
    assert [name for name, _ in lines] == phony[1].split()
    assert all(len(text) > 5 for _, text in lines)
