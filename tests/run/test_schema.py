"""Schemas of run.json and of cards: a sentence for every key, and true of what is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from command_line import call, small_process

from madnis_py.card import card as cards
from madnis_py.run.run import Run
from madnis_py.run.schema import Document, attribute_sentences, schema_of

Schema = dict[str, Any]
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


def faults(value: Any, schema: Schema, root: Schema, place: str = "") -> Iterator[str]:
    """What a JSON value has that a schema does not allow, for the words that pydantic writes."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield from faults(value, root["$defs"][name], root, place)
        return
    if "anyOf" in schema:
        tried = [list(faults(value, one, root, place)) for one in schema["anyOf"]]
        if all(tried):
            yield from min(tried, key=len)
        return
    kind = schema.get("type")
    if kind and (
        not isinstance(value, TYPES[kind]) or isinstance(value, bool) != (kind == "boolean")
    ):
        yield f"{place}: {value} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value} is none of {schema['enum']}"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        yield f"{place}: {value} does not match {schema['pattern']}"
    if isinstance(value, dict):
        known = schema.get("properties", {})
        other = schema.get("additionalProperties", True)
        yield from (
            f"{place}: {name} is missing"
            for name in schema.get("required", [])
            if name not in value
        )
        for name, entry in value.items():
            if name in known or isinstance(other, dict):
                yield from faults(entry, known.get(name, other), root, f"{place}.{name}")
            elif other is False:
                yield f"{place}: {name} is not known"
    if isinstance(value, list):
        each = schema.get("prefixItems", [schema.get("items", {})] * len(value))
        for number, (entry, one) in enumerate(zip(value, each, strict=True)):
            yield from faults(entry, one, root, f"{place}[{number}]")


def tables(schema: Schema) -> dict[str, Schema]:
    return {"": schema, **schema["$defs"]}


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run.json with all stages."""
    folder = tmp_path_factory.mktemp("run")
    Run(small_process(folder), folder / "run", 3, method="auto").execute(100, 20_000)
    return json.loads((folder / "run" / "run.json").read_text())


@pytest.mark.parametrize("document", ["run", "card"])
def test_every_key_of_a_schema_has_a_sentence(document: Document) -> None:
    silent = [
        f"{table}.{name}"
        for table, schema in tables(schema_of(document)).items()
        for name, entry in schema.get("properties", {}).items()
        if not entry.get("description", "").strip()
    ]
    assert not silent


def test_a_run_json_is_as_its_schema_says(content: Any) -> None:
    schema = schema_of("run")
    assert not list(faults(content, schema, schema))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("sigma_pb",), "much"),
        (("identity", "device"), "tpu"),
        (("vegas", "channels", 0, "name"), None),
        (("warnings", 0), "a sentence"),
        (("misspelt",), 1),
    ],
)
def test_a_run_json_with_another_value_is_not(
    content: Any, place: tuple[str | int, ...], value: Any
) -> None:
    changed = inner = json.loads(json.dumps(content))
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    schema = schema_of("run")
    assert list(faults(changed, schema, schema))


@pytest.mark.parametrize("name", cards.shipped())
def test_shipped_cards_are_as_their_schema_says(name: str) -> None:
    schema = schema_of("card")
    assert not list(faults(cards.load(name).content(), schema, schema))
    assert not list(
        faults(cards.parse_toml(cards.shipped()[name].read_text(), name), schema, schema)
    )


@pytest.mark.parametrize("document", ["run", "card"])
def test_the_command_prints_the_schema(
    document: Document, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call(["schema", document], capsys, monkeypatch)
    assert done.status == 0
    assert json.loads(done.out) == json.loads(json.dumps(schema_of(document)))


def test_no_other_schema_is_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call(["schema", "events"], capsys, monkeypatch)
    assert done.status == 2
    assert "'events' is not one of 'run', 'card'" in done.err


def test_sentences_of_attributes_go_over_lines() -> None:
    text = """A thing.

    Attributes:
        first: one line
            and another.
        second: alone.

    Args:
        third: no attribute.
    """
    assert attribute_sentences(text)["first"] == "one line and another."
    assert attribute_sentences(text)["second"] == "alone."
