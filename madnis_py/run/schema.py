"""JSON schemas of the files that people and programs read: run.json and process cards."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from madnis_py.card.card import Card
from madnis_py.run.record import RunRecord

Document = Literal["run", "card"]

_MODELS: dict[Document, type[BaseModel]] = {"run": RunRecord, "card": Card}
_TITLES: dict[Document, str] = {"run": "run.json", "card": "process card"}


def schema_of(document: Document) -> dict[str, Any]:
    """The schema of a kind of file, JSON Schema 2020-12, with a sentence for every key.

    Args:
        document: "run" for run.json, "card" for a process card.
    """
    found = _MODELS[document].model_json_schema(schema_generator=_WithSentences)
    return {"$schema": _WithSentences.schema_dialect, **found, "title": _TITLES[document]}


class _WithSentences(GenerateJsonSchema):
    """Takes the sentences of dataclasses from their docstrings."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """The schema of a dataclass, with a description for each attribute."""
        found = super().dataclass_schema(schema)
        sentences = attribute_sentences(schema["cls"].__doc__ or "")
        for name, entry in found.get("properties", {}).items():
            if name in sentences:
                entry["description"] = sentences[name]
        return found


def attribute_sentences(docstring: str) -> dict[str, str]:
    """Attribute -> what the section "Attributes" of a docstring says of it, on one line."""
    _, _, section = cleandoc(docstring).partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {8,}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
