"""Pages of all public names, in Markdown, from their docstrings; nothing is imported for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

PACKAGE = "madnis_py"
WIDTH = 88
"""Columns of a signature on a page."""


def reference_pages(root: Path) -> dict[str, str]:
    """A page for each room of the package, and an index of the names that the package exports.

    Args:
        root: folder that has the package.

    Returns:
        Markdown by the name of the page, without ending; the first is `index`.
    """
    package = griffe.load(PACKAGE, search_paths=[str(root)], docstring_parser="google")
    rooms = {_room_name(room): room for room in _rooms(package)}
    return {"index": _index(package, list(rooms))} | {
        name: "\n\n".join(_room_page(room)) + "\n" for name, room in rooms.items()
    }


def _rooms(package: griffe.Module) -> Iterator[griffe.Module]:
    """Packages with modules that have docstrings, from the outside to the inside."""
    yield package
    for module in _members(package, griffe.Module):
        if module.is_init_module and module.has_docstring:
            yield from _rooms(module)


def _room_name(room: griffe.Module) -> str:
    return str(room.path).removeprefix(f"{PACKAGE}.").replace(".", "-")


def _index(package: griffe.Module, pages: list[str]) -> str:
    """The exported names with the first sentence of each, and where its page is."""
    lines = ["# Python reference", "", "What `import madnis_py as mn` offers:", ""]
    lines += ["| name | |", "|---|---|"]
    for name in package.exports or ():
        found = package.members.get(str(name))
        if found is None:
            continue
        target = found.final_target if found.is_alias else found
        lines.append(f"| [`mn.{name}`]({_page_of(target)}) | {_first_sentence(target)} |")
    lines += ["", "Rooms of the package:", ""]
    return "\n".join([*lines, *(f"- [{page.replace('-', '/')}]({page}.md)" for page in pages)])


def _page_of(found: griffe.Object) -> str:
    module = found if isinstance(found, griffe.Module) else found.module
    room = module if module.is_init_module else module.parent
    assert isinstance(room, griffe.Module)
    page = f"{_room_name(room)}.md"
    return page if found is module else f"{page}#{found.name.lower()}"


def _first_sentence(found: griffe.Object) -> str:
    text = found.docstring.value if found.docstring else ""
    return text.partition("\n")[0].replace("|", "\\|")


def _room_page(room: griffe.Module) -> Iterator[str]:
    yield f"# {room.path}"
    yield from _docstring(room)
    for module in _members(room, griffe.Module):
        if not module.is_init_module and not module.name.startswith("_"):
            yield f"## {module.name}"
            yield from _docstring(module)
            yield from _names(module, "###")


def _names(owner: griffe.Module | griffe.Class, heading: str) -> Iterator[str]:
    """Public classes, functions and attributes with docstrings, in the order of the source."""
    for found in _members(owner, griffe.Class | griffe.Function | griffe.Attribute):
        if found.name.startswith("_") or not found.has_docstring:
            continue
        yield f"{heading} {found.name}"
        if isinstance(found, griffe.Function):
            yield _code(found.name, found.parameters, found.returns)
        elif isinstance(found, griffe.Class) and found.parameters:
            yield _code(found.name, found.parameters)
        yield from _docstring(found)
        if isinstance(found, griffe.Class):
            yield from _names(found, f"{heading}#")


def _code(name: str, parameters: griffe.Parameters, returns: object = None) -> str:
    """A signature without `self`, on one line or with one parameter on each."""
    words = _parameters([one for one in parameters if one.name not in ("self", "cls")])
    result = f" -> {returns}" if returns else ""
    line = f"{name}({', '.join(words)}){result}"
    if len(line) > WIDTH:
        line = "\n".join([f"{name}(", *(f"    {word}," for word in words), f"){result}"])
    return f"```python\n{line}\n```"


def _parameters(parameters: list[griffe.Parameter]) -> list[str]:
    stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}
    words: list[str] = []
    for one in parameters:
        by_name = one.kind is griffe.ParameterKind.keyword_only
        if by_name and not any(word.startswith("*") for word in words):
            words.append("*")
        star = stars.get(one.kind, "")
        annotated = star + one.name + (f": {one.annotation}" if one.annotation else "")
        has_default = one.default is not None and not star
        words.append(f"{annotated} = {one.default}" if has_default else annotated)
    return words


def _docstring(found: griffe.Object) -> Iterator[str]:
    for section in found.docstring.parsed if found.docstring else ():
        if section.kind is griffe.DocstringSectionKind.text:
            yield section.value
        elif section.kind is griffe.DocstringSectionKind.examples:
            yield from (text for _, text in section.value)
        elif isinstance(section.value, list):
            yield f"**{section.kind.value.capitalize()}**"
            yield "\n".join(_item(one) for one in section.value)


def _item(item: griffe.DocstringElement) -> str:
    name = getattr(item, "name", "") or (item.annotation if item.annotation else "")
    text = item.description.replace("\n", "\n  ")
    return f"- `{name}`: {text}" if name else f"- {text}"


def _members(owner: griffe.Module | griffe.Class, kind: Any) -> Iterator[Any]:
    """Modules by name, everything else in the order of the source."""
    found = [one for one in owner.members.values() if not one.is_alias and isinstance(one, kind)]
    return iter(sorted(found, key=lambda one: one.name) if kind is griffe.Module else found)
