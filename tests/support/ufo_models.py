"""Models in the format of UFO: those of this folder, and installed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from places import ROOT

from madnis_py.errors import InputError
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import ModelTables
from madnis_py.physics.model_search.model_library import named_tables

MODELS = ROOT / "tests" / "models"


def own(name: str, values: Mapping[str, float] | None = None) -> Model:
    """A model of the tests, perhaps with a restriction behind its name."""
    return Model(name, values or {}, named_tables(f"{MODELS}/{name}"))


def with_vertices_of(model: Model, *names: str) -> Model:
    """The model with those vertices alone that have one of some particles."""
    kept = tuple(one for one in model.tables.vertices if {*names} & {*one.particles})
    return Model(model.name, model.values, replace(model.tables, vertices=kept))


def installed(name: str) -> ModelTables:
    """A model of the extra `test`; a test without it is skipped."""
    try:
        return named_tables(name)
    except InputError as error:
        if "expected a model" not in str(error):
            raise
        pytest.skip(f"needs the model {name}, which is not installed")


def copied(name: str, folder: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """A copy of a model of the tests with other words in some files."""
    target = folder / name
    target.mkdir()
    for path in (MODELS / name).iterdir():
        if path.is_file():
            old, new = changes.get(path.name, ("", ""))
            text = path.read_text()
            assert old in text
            (target / path.name).write_text(text.replace(old, new) if old else text)
    return target
