"""The tables of docs/architecture.md: every module and every C++ file with its first sentence.

    python scripts/rooms.py

writes the page again. The order of the rooms, which is that of the imports, is read from the page.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "madnis_py"
CPP = ROOT / "cpp"

_ORDER = re.compile(r"<!-- order -->\n\n((?: {4}.*\n)+)")
_TABLES = re.compile(r"(<!-- rooms -->\n).*(<!-- end of rooms -->)", re.DOTALL)
_COMMENT = re.compile(r"\A(?://.*\n)+")


def modules() -> dict[str, Path]:
    """Files of the package by names such as "physics/pdf/lhagrid"; packages themselves left out."""
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    }


def room(module: str) -> str:
    """The folder of a module, or the module itself where it stands alone."""
    return module.rpartition("/")[0] or module


def order(page: str) -> list[str]:
    """Rooms and modules that stand alone, in the order of their imports, as a page gives it."""
    found = _ORDER.search(page)
    assert found, f"{PAGE.name}: expected the import order, indented, below <!-- order -->"
    return re.findall(r"[\w/]+", found[1])


def uses_core(path: Path) -> bool:
    """Whether a module imports the compiled kernels."""
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module == "madnis_py" and any(name.name == "_core" for name in node.names))
        for node in ast.walk(ast.parse(path.read_text()))
    )


def rendered(page: str) -> str:
    """A page with its tables as the files are now."""
    tables = "\n".join(["", _package_tables(order(page)), "", _cpp_tables(), ""])
    return _TABLES.sub(lambda found: found[1] + tables + found[2], page)


def _package_tables(rooms: list[str]) -> str:
    members = defaultdict(list)
    for module, path in modules().items():
        members[room(module)].append((module.rpartition("/")[2], path))
    alone = [
        entry for name in rooms if (PACKAGE / f"{name}.py").is_file() for entry in members[name]
    ]
    parts = [_table("`madnis_py`", alone, "Modules that stand alone.")]
    for name in rooms:
        if not (PACKAGE / f"{name}.py").is_file():
            purpose = _docstring(PACKAGE / name / "__init__.py").partition("\n\n")[0]
            parts.append(_table(f"`madnis_py/{name}`", members[name], purpose))
    return "\n\n".join(parts)


def _table(title: str, members: list[tuple[str, Path]], purpose: str) -> str:
    rows = [
        f"| `{name}`{' *' if uses_core(path) else ''} | {_sentence(_docstring(path))} |"
        for name, path in members
    ]
    return "\n".join([f"### {title}", "", purpose, "", "| module | |", "|---|---|", *rows])


def _cpp_tables() -> str:
    parts = []
    for topic in sorted(path for path in CPP.iterdir() if path.is_dir()):
        files = defaultdict(list)
        for path in sorted(topic.iterdir()):
            if path.suffix in (".hpp", ".cpp", ".h", ".cu"):
                files[path.stem].append(path)
        rows = [
            f"| `{stem}` {' '.join(path.suffix for path in paths)} | {_purpose(stem, paths)} |"
            for stem, paths in files.items()
        ]
        parts.append("\n".join([f"### `cpp/{topic.name}`", "", "| files | |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def _purpose(stem: str, paths: list[Path]) -> str:
    if stem.startswith("bind_"):
        return "what Python sees of it"
    return next((text for path in reversed(paths) if (text := _comment(path))), "")


def _comment(path: Path) -> str:
    found = _COMMENT.search(path.read_text())
    return _sentence(re.sub(r"^// ?", "", found[0], flags=re.MULTILINE)) if found else ""


def _sentence(text: str) -> str:
    """The first sentence, on one line."""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", paragraph)[0].replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text()))
