"""The tables of docs/card.md: every key of a process card with type, default and sentence.

    python scripts/card_page.py

writes the page again, from the schema that `madnis-py schema card` prints, the settings of a
training with their presets, and the parameters of the models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from madnis_py.integration.training.settings import PRESETS, TrainingSettings
from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.run.schema import schema_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "card.md"

_TABLES = re.compile(r"(<!-- keys -->\n).*(<!-- end of keys -->)", re.DOTALL)
_PLAIN = {"number": "number", "integer": "whole number", "string": "text", "boolean": "true, false"}

_INNER = {
    "process": ("process.matrix_element", "MatrixElementTable"),
    "cuts": ("isolation in an entry of [cuts]", "IsolationTable"),
}
"""Tables of the card that hold another table -> its path, and its name in the schema."""

Entry = Mapping[str, Any]
"""A piece of a JSON schema."""


def rendered(page: str) -> str:
    """A page with its tables as the schema is now."""
    schema = schema_of("card")
    kinds = schema["$defs"]
    parts = [_section(name, entry, kinds) for name, entry in schema["properties"].items()]
    return _TABLES.sub(lambda found: found[1] + "\n" + "\n".join(parts) + "\n" + found[2], page)


def _section(name: str, entry: Entry, kinds: Mapping[str, Entry]) -> str:
    """Heading, sentence and keys of a table of the card."""
    table = kinds[_kind(entry)]
    lines = [f"## [{name}]", "", entry["description"], "", *_keys(table, kinds)]
    if name == "cuts":
        lines += ["A table for each name, with any of", "", *_keys(kinds["CutTable"], kinds)]
    if name in _INNER:
        path, kind = _INNER[name]
        inner = kinds[kind]
        sentence = inner["description"].partition(": ")[2]
        lines += [f"### {path}", "", sentence, "", *_keys(inner, kinds)]
    if name == "parameters":
        lines += _parameters()
    if name == "training":
        lines += _settings()
    return "\n".join(lines)


def _kind(entry: Entry) -> str:
    """Name of the table that an entry refers to, itself or for each of its names."""
    alternatives = [entry, *entry.get("anyOf", ()), entry.get("additionalProperties", {})]
    reference: str = next(one["$ref"] for one in alternatives if "$ref" in one)
    return reference.rpartition("/")[2]


def _keys(table: Entry, kinds: Mapping[str, Entry]) -> list[str]:
    required = table.get("required", ())
    rows = {
        key: [
            _type(entry, kinds),
            "" if key in required else _shown(entry.get("default")),
            _cell(entry["description"]),
        ]
        for key, entry in table["properties"].items()
    }
    return _table(["key", "type", "default", ""], _with_ranges(rows))


def _with_ranges(rows: Mapping[str, list[str]]) -> list[list[str]]:
    """The rows, those of `x_min` and `x_max` as one."""
    found: dict[str, list[str]] = {}
    for key, cells in rows.items():
        stem = re.sub(r"_(min|max)$", "", key)
        if f"{stem}_min" in rows and f"{stem}_max" in rows:
            found[stem] = [f"`{stem}_min`, `{stem}_max`", *cells]
        else:
            found[key] = [f"`{key}`", *cells]
    return list(found.values())


def _type(entry: Entry, kinds: Mapping[str, Entry]) -> str:
    """What a value is, in words."""
    if "anyOf" in entry:
        kept = [one for one in entry["anyOf"] if one.get("type") != "null"]
        return " or ".join(_type(one, kinds) for one in kept)
    if "enum" in entry:
        return ", ".join(f"`{_quoted(word)}`" for word in entry["enum"])
    if "$ref" in entry:
        return "table, see below"
    if "prefixItems" in entry:
        return f"{len(entry['prefixItems'])} numbers"
    if entry.get("type") == "array":
        return f"list ({_type(entry['items'], kinds)})"
    return "table" if entry.get("type") == "object" else _PLAIN[entry["type"]]


def _parameters() -> list[str]:
    """Parameters of the models, those of the Standard Model first."""
    rows, seen = [], set[str]()
    for model, tables in MODELS.items():
        for one in tables.parameters:
            if one.name not in seen:
                seen.add(one.name)
                where = "" if model == "sm" else f" (`{model}`)"
                rows.append([f"`{one.name}`", f"`{one.default}`", _cell(one.meaning) + where])
    return ["Masses and widths are in GeV.", "", *_table(["parameter", "default", ""], rows)]


def _settings() -> list[str]:
    """Settings of a training, with their values in the presets."""
    schema = TrainingSettings.model_json_schema()
    rows = [
        [
            f"`{key}`",
            _type(entry, {}),
            *(_shown(getattr(preset, key)) for preset in PRESETS.values()),
            _cell(entry["description"]),
        ]
        for key, entry in schema["properties"].items()
    ]
    return [
        "Any of these may stand beside `preset` and replaces what the preset says:",
        "",
        *_table(["key", "type", *PRESETS, ""], rows),
    ]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines), ""]


def _shown(value: object) -> str:
    """A default as TOML has it; nothing for a key that may be absent."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return "`{}`"
    if isinstance(value, list | tuple):
        return f"`[{', '.join(map(_quoted, value))}]`"
    return f"`{_quoted(value)}`"


def _quoted(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text()))
