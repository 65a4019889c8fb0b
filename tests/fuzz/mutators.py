"""Seeded damage to inputs: bytes, lines, numbers and nested values."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

Bytes = Callable[[random.Random, bytes], bytes]
Text = Callable[[random.Random, str], str]

STRANGE_NUMBERS = (
    "nan", "-nan", "inf", "-inf", "1e400", "-1e400", "1e-400", "0", "-0.0", "-1", "1e308",
    "9" * 400, "0x1F", "1_000", "1d3", "1.5D+02", "1,5", "2147483648", "-2147483649",
    "18446744073709551616", "", "true", "None", "١٢",
)  # fmt: skip
STRANGE_WORDS = (
    "\0", "\r", "\u2028", "~nouser/x", "../../etc/passwd", "/dev/null", "a" * 5000, "\ud7ff", "é",
    "\x1b[31m", "%s%n", "{}", "$(id)", "<", "&", "]]>", "-->", "=", "#", ",", "()", "[", "{", '"',
    "'", "\\", "\t", "🙂",
)  # fmt: skip
STRANGE_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, -(2**63), 10**400, 0.0, -0.0, 1e308, 1e-308, float("nan"),
    float("inf"), "", "x", "nan", "0", [], {}, [[]], [None], {"": {}}, ["a", 1],
    {"a": [1, {"b": None}]}, "a" * 5000, "\0", "~nouser/x",
)  # fmt: skip
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")
WORD = re.compile(r"[A-Za-z_~+-][\w~+-]*")


def damaged_bytes(rng: random.Random, data: bytes) -> bytes:
    """One to three changes of single bytes, runs of bytes or the length."""
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(_BYTE_CHANGES)(rng, data)
    return data


def damaged_text(rng: random.Random, text: str) -> str:
    """One to three changes of numbers, words or lines."""
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(_TEXT_CHANGES)(rng, text)
    return text


def damaged_tree(rng: random.Random, tree: Any) -> Any:
    """A copy of nested tables with one to three values replaced, removed, renamed or nested."""
    tree = deepcopy(tree)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(tree))
        if places:
            container, key = rng.choice(places)
            rng.choice(_TREE_CHANGES)(rng, container, key)
    return tree


def _cut(rng: random.Random, length: int) -> tuple[int, int]:
    start = rng.randint(0, length)
    return start, min(length, start + rng.choice((1, 2, 8, 64, length)))


def _flip(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]


def _overwrite(rng: random.Random, data: bytes) -> bytes:
    start, end = _cut(rng, len(data))
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _insert(rng: random.Random, data: bytes) -> bytes:
    place = rng.randint(0, len(data))
    inserted = rng.choice(
        (b"\0", b"\xff", b"\xc3\x28", b"\n", b"<", b"\xef\xbb\xbf", rng.randbytes(16))
    )
    return data[:place] + inserted + data[place:]


def _delete(rng: random.Random, data: bytes) -> bytes:
    start, end = _cut(rng, len(data))
    return data[:start] + data[end:]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    start, end = _cut(rng, len(data))
    return data[:end] + data[start:end] + data[end:]


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


_BYTE_CHANGES: Sequence[Bytes] = (_flip, _flip, _overwrite, _insert, _delete, _repeat, _truncate)


def _replace_match(
    rng: random.Random, text: str, pattern: re.Pattern[str], candidates: Sequence[str]
) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text
    one = rng.choice(found)
    return text[: one.start()] + rng.choice(candidates) + text[one.end() :]


def _strange_number(rng: random.Random, text: str) -> str:
    return _replace_match(rng, text, NUMBER, STRANGE_NUMBERS)


def _other_number(rng: random.Random, text: str) -> str:
    return _replace_match(rng, text, NUMBER, NUMBER.findall(text) or [""])


def _strange_word(rng: random.Random, text: str) -> str:
    return _replace_match(rng, text, WORD, STRANGE_WORDS)


def _other_word(rng: random.Random, text: str) -> str:
    return _replace_match(rng, text, WORD, WORD.findall(text) or [""])


def _misspelt_word(rng: random.Random, text: str) -> str:
    found = list(WORD.finditer(text))
    if not found:
        return text
    one = rng.choice(found)
    place = rng.randint(one.start(), one.end() - 1)
    return text[:place] + rng.choice(("", "x", text[place].swapcase())) + text[place + 1 :]


def _change_lines(change: Callable[[random.Random, list[str]], list[str]]) -> Text:
    def changed(rng: random.Random, text: str) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(change(rng, lines)) if lines else text

    return changed


def _drop_line(rng: random.Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    return lines[:place] + lines[place + 1 :]


def _double_line(rng: random.Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    return lines[:place] + [lines[place]] * 2 + lines[place + 1 :]


def _swap_lines(rng: random.Random, lines: list[str]) -> list[str]:
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    swapped = list(lines)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    return swapped


def _cut_line(rng: random.Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    return [
        *lines[:place],
        lines[place][: rng.randint(0, len(lines[place]))] + "\n",
        *lines[place + 1 :],
    ]


def _insert_word(rng: random.Random, text: str) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(STRANGE_WORDS) + text[place:]


def _windows_lines(rng: random.Random, text: str) -> str:
    return text.replace("\n", "\r\n")


def _truncate_text(rng: random.Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


def _nested(rng: random.Random, text: str) -> str:
    place = rng.randint(0, len(text))
    opening, closing = rng.choice(("()", "[]", "{}", ("<a>", "</a>")))
    return text[:place] + opening * 3000 + closing * rng.choice((0, 3000)) + text[place:]


_TEXT_CHANGES: Sequence[Text] = (
    _strange_number, _strange_number, _other_number, _strange_word, _other_word, _misspelt_word,
    _insert_word, _change_lines(_drop_line), _change_lines(_double_line),
    _change_lines(_swap_lines), _change_lines(_cut_line), _windows_lines, _truncate_text, _nested,
)  # fmt: skip


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of nested dictionaries and lists."""
    found: list[tuple[Any, Any]] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        keys = (
            node.keys()
            if isinstance(node, dict)
            else range(len(node))
            if isinstance(node, list)
            else ()
        )
        found += [(node, key) for key in keys]
        pending += [node[key] for key in keys]
    return found


def _replace_value(rng: random.Random, container: Any, key: Any) -> None:
    container[key] = deepcopy(rng.choice(STRANGE_VALUES))


def _remove(rng: random.Random, container: Any, key: Any) -> None:
    del container[key]


def _rename(rng: random.Random, container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container[f"{key}{rng.choice(('', 'x', ' ', chr(0)))}"] = container.pop(key)


def _wrap(rng: random.Random, container: Any, key: Any) -> None:
    container[key] = rng.choice(([container[key]], {"": container[key]}, [container[key]] * 3))


def _as_text(rng: random.Random, container: Any, key: Any) -> None:
    container[key] = str(container[key])


def _change_number(rng: random.Random, container: Any, key: Any) -> None:
    if isinstance(container[key], int | float) and not isinstance(container[key], bool):
        container[key] = container[key] * rng.choice((-1, 0, 2, 1e30, 0.5))


_TREE_CHANGES = (_replace_value, _replace_value, _remove, _rename, _wrap, _as_text, _change_number)
