"""Tables of models that were read before, kept as JSON in the cache folder of the user.

Their expressions are kept as trees: to parse those of the MSSM takes five times their values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from madnis_py.array_cache import ArrayCache
from madnis_py.physics.lorentz.form_factors import FormFactor
from madnis_py.physics.model.expressions import Function, tree_of
from madnis_py.physics.model.particles import (
    CouplingOrder,
    CustomPropagator,
    Derived,
    FixedEntry,
    ModelTables,
    Parameter,
    Particle,
    Vertex,
    VertexTerm,
)

_TRANSLATION = ("physics/ufo", "physics/lorentz", "physics/colour", "physics/model")
"""Rooms of this package that decide about tables."""


def cached_tables(key: str, make: Callable[[], ModelTables]) -> ModelTables:
    """The tables that belong to a key, from disk or made and kept.

    Args:
        key: of the files of the model.
        make: reads them.

    Raises:
        InputError: as `make`; errors are not kept.
    """
    digest = hashlib.sha256(f"model tables {_translation()} {key}".encode()).hexdigest()

    def arrays() -> dict[str, Any]:
        return {"json": np.frombuffer(_text_of(make()).encode(), np.uint8)}

    return _tables_of(json.loads(ArrayCache().get(digest, arrays)["json"].tobytes()))


@cache
def _translation() -> str:
    """Digest of the sources that tables follow from: those of another version are made again."""
    digest = hashlib.sha256()
    for room in _TRANSLATION:
        for path in sorted((Path(__file__).parents[2] / room).glob("*.py")):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _text_of(tables: ModelTables) -> str:
    return json.dumps(
        {
            "parameters": tables.parameters,
            "particles": tables.particles,
            "vertices": tables.vertices,
            "derived": tables.derived,
            "orders": tables.orders,
            "functions": tables.functions,
            "fixed": tables.fixed,
            "strong": tables.strong,
            "digest": tables.digest,
            "trees": {text: tree_of(text) for text in _expressions(tables)},
        },
        default=_fields,
    )


def _fields(row: Any) -> list[Any]:
    """The attributes of a row, as `astuple` has them without copying what is in them."""
    return [getattr(row, one.name) for one in fields(row)]


def _expressions(tables: ModelTables) -> Iterator[str]:
    """What a model with values evaluates."""
    yield from (one.expression for one in tables.derived)
    yield from (one.expression for one in tables.functions.values())
    for vertex in tables.vertices:
        yield from vertex.expressions


def _tables_of(content: dict[str, Any]) -> ModelTables:
    return ModelTables(
        parameters=tuple(
            Parameter(name, block, tuple(code), *rest)
            for name, block, code, *rest in content["parameters"]
        ),
        particles=tuple(
            replace(Particle(*row[:-1]), propagator=_propagator(row[-1]))
            for row in content["particles"]
        ),
        vertices=tuple(
            Vertex(tuple(particles), _terms(terms), tuple(orders), lacking)
            for particles, terms, orders, lacking in content["vertices"]
        ),
        derived=tuple(Derived(*row) for row in content["derived"]),
        orders=tuple(CouplingOrder(*row) for row in content["orders"]),
        functions={
            name: Function(tuple(arguments), expression)
            for name, (arguments, expression) in content["functions"].items()
        },
        fixed=tuple(
            FixedEntry(block, tuple(code), expression)
            for block, code, expression in content["fixed"]
        ),
        strong=content["strong"],
        digest=content["digest"],
        trees=content["trees"],
    )


def _propagator(row: list[Any] | None) -> CustomPropagator | None:
    if row is None:
        return None
    numerator, denominator = row
    return CustomPropagator(
        tuple((structure, coupling) for structure, coupling in numerator), tuple(denominator)
    )


def _terms(rows: list[tuple[str, str, list[str], list[Any]]]) -> tuple[VertexTerm, ...]:
    return tuple(
        VertexTerm(colour, lorentz, tuple(couplings), FormFactor(text, tuple(constants)))
        for colour, lorentz, couplings, (text, constants) in rows
    )
