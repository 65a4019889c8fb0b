"""What the documents say is true."""

from __future__ import annotations

import math
import pkgutil
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import call
from documents import DOCS, PAGES, TEXTS, blocks
from places import ROOT

from madnis_py.card.card import Card, parse_toml
from madnis_py.physics.process.process import Process

TOPS = (ROOT, ROOT / "madnis_py")
"""Where paths that documents mention begin."""
WIDTH = 100
"""Columns of a page; tables and links that stand alone cannot be broken and may be wider."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_tutorial_runs_from_the_card_to_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "tutorial.md").read_text()
    card, code = re.findall(r"```(?:toml|python)\n(.*?)```", page, re.DOTALL)
    Path("tops.toml").write_text(card)
    commands = re.findall(r"^    madnis-py (.*)$", page, re.MULTILINE)
    for command in commands:
        done = call(shlex.split(command), capsys, monkeypatch)
        assert done.status == 0, done.err
    assert len(commands) == 6
    for picture in ("tops_1.svg", "tops_5.svg", "pictures/pt_t.svg"):
        assert Path(picture).exists()
    exec(compile(code, "tutorial.md", "exec"), {})
    assert re.fullmatch(r"1000 events of [45]\d\d pb, mean pt 1\d\d GeV\n", capsys.readouterr().out)


def test_the_programs_of_the_page_of_integrands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = """double sqrt(double); void f(const double *x, double *value, long n, long dim)
    { for (long i = 0; i < n; ++i) value[i] = sqrt(x[i * dim]); }"""
    Path("f.c").write_text(source)
    compiler = shutil.which("cc")
    scope: dict[str, object] = {}
    for block in blocks(TEXTS["docs/integrands.md"], "python"):
        if "libf.so" in block:
            if compiler is None:
                continue
            subprocess.run(
                [compiler, "-shared", "-fPIC", "f.c", "-o", "libf.so", "-lm"], check=True
            )
        exec(compile(block, "integrands.md", "exec"), scope)
    assert Path("training.png").stat().st_size > 10_000
    assert Path("ridge.safetensors").exists()


@pytest.mark.parametrize("number", range(4))
def test_the_programs_for_madnis_and_after_it_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = blocks(TEXTS["docs/from_madnis.md"], "python")[number]
    if "from madnis." in block:
        pytest.importorskip("madnis")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    exec(compile(block, "from_madnis.md", "exec"), scope)
    exact = [0.03 * math.sqrt(2 * math.pi) - 0.03**2 * 2, 6.0][number // 2]
    if number % 2:
        result = scope["integrator"].integrate(20_000)
        assert abs(result.mean - exact) < 5 * result.sdev
    assert (tmp_path / "ridge.safetensors").exists() == (number == 1)


def test_the_card_that_is_shown_gives_a_process() -> None:
    shown = re.search(r"```toml\n(.*?)```", (DOCS / "card.md").read_text(), re.DOTALL)
    assert shown is not None
    process = Process.from_card(Card.parse(parse_toml(shown[1], "card.md")))
    assert len(process.channels) > 1


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_that_documents_link_exist(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), target
        assert not heading or heading in _anchors(linked.read_text()), f"{target}#{heading}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_and_names_that_documents_mention_exist(page: Path) -> None:
    spans = re.findall(r"`([^`\n]+)`", page.read_text())
    paths = [
        one for one in spans if re.fullmatch(r"(?!DIR)[\w.]+(/[\w.]+)*/\w+\.(py|hpp|cpp|h)", one)
    ]
    assert [one for one in paths if not any((top / one).exists() for top in TOPS)] == []
    package = ROOT / "madnis_py"
    modules = [one for one in spans if re.fullmatch(r"\w+(/\w+)+", one)]
    modules = [one for one in modules if (package / one.partition("/")[0]).is_dir()]
    assert [one for one in modules if not _is_room_or_module(package / one)] == []
    for name in spans:
        if re.fullmatch(r"madnis_py(\.\w+){2,}", name):
            pkgutil.resolve_name(name)


def _is_room_or_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("index", [DOCS / "README.md", DOCS / "decisions" / "README.md"], ids=_name)
def test_an_index_has_every_page_of_its_folder(index: Path) -> None:
    linked = set(re.findall(r"\]\((\w+\.md)\)", index.read_text()))
    assert linked == {page.name for page in index.parent.glob("*.md")} - {index.name}


def _anchors(page: str) -> set[str]:
    """Anchors of the headings of a page: lower case, no punctuation, blanks as hyphens."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def _breakable(page: str) -> list[tuple[int, str]]:
    """Lines of a page with their numbers, but for rows of tables and links that stand alone."""
    whole = re.compile(r"\|.*\|| *(- )?(!?\[[^]]*\]\(\S+\)|<?http\S+>?)")
    lines = enumerate(page.splitlines(), start=1)
    return [(number, line) for number, line in lines if not whole.fullmatch(line)]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_documents_have_at_most_a_hundred_columns(page: Path) -> None:
    wide = [(number, line) for number, line in _breakable(page.read_text()) if len(line) > WIDTH]
    assert wide == []


@pytest.mark.parametrize(
    ("page", "numbers"),
    [
        ("one\n\n    code\n```\ncode\n```\n", [1, 2, 3, 4, 5, 6]),
        ("| a | b |\n|M|^2 is prose\n", [2]),
        ("![a picture](docs/figures/a.svg)\nhttps://example.org/a\n[a](b) and c\n", [3]),
    ],
)
def test_only_tables_and_links_cannot_be_broken(page: str, numbers: list[int]) -> None:
    assert [number for number, _ in _breakable(page)] == numbers
