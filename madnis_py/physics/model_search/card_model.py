"""Model of a card: tables by name, parameters from a param_card and from the card itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from madnis_py.card.card import Card
from madnis_py.card.sentences import closest
from madnis_py.errors import CardError, InputError
from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.expressions import ExpressionError
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import DECAY, MASS, ModelTables, Parameter
from madnis_py.physics.model.slha import Slha, read_slha
from madnis_py.physics.model_search.model_library import (
    ModelPlace,
    contents_at,
    place_of,
    tables_at,
)

_SAME = 1e-3
"""Relative difference of masses that are one, as param_cards round them."""


def tables_of_card(card: Card) -> ModelTables:
    """The tables of the model of a card.

    Raises:
        CardError: there is no such model, it cannot be read, or its files are not those that the
            card was made with.
    """
    name, digest = card.process.model, card.process.model_digest
    try:
        tables = MODELS[name] if name in MODELS else tables_at(_place(name, digest))
    except CardError:
        raise
    except InputError as error:
        raise card.error("process.model", str(error)) from None
    if digest not in (None, tables.digest):
        raise card.error(
            "process.model_digest",
            f"expected the files that the card was made with; got other contents of {name}",
        )
    return tables


def _place(name: str, digest: str | None) -> ModelPlace:
    """Where a model is; a path whose contents are known may have moved to the search path."""
    moved = _moved(name) if digest is not None else None
    if moved is not None and tables_at(moved).digest == digest:
        return moved
    try:
        return place_of(name)
    except InputError:
        if moved is None:
            raise
        return moved


def _moved(name: str) -> ModelPlace | None:
    """The model in the search path that is called as the last part of a path."""
    with suppress(InputError):
        return place_of(Path(name).name) if "/" in name else None
    return None


def is_in_search_path(card: Card) -> bool:
    """Whether the model of a card is known by its contents and is in the search path."""
    moved, digest = _moved(card.process.model), card.process.model_digest
    if moved is None or digest is None:
        return False
    with suppress(InputError):
        return tables_at(moved).digest == digest
    return False


def files_of_model(card: Card) -> dict[str, bytes]:
    """The files of the model of a card, which is not built in, below a folder of its name.

    Raises:
        InputError: there is no such model, or it cannot be read.
    """
    name = card.process.model
    place = _place(name, card.process.model_digest)
    folder = Path(name).name.removesuffix(f"-{place.restriction}" if place.restriction else "")
    return {f"{folder}/{file}": content for file, content in contents_at(place).items()}


def model_from_card(card: Card) -> Model:
    """The model of a card: defaults, then its param_card, then its own parameters.

    Raises:
        CardError: an unknown model or parameter, an unreadable param_card, or values that no model
            can have.
    """
    tables, table = tables_of_card(card), card.parameters
    known = {parameter.name: parameter for parameter in tables.parameters}
    _check_names(card, known.values(), tables)
    overrides = table.overrides
    try:
        slha = read_slha(Path(table.param_card)) if table.param_card else Slha()
        from_file = {
            key: slha.value(parameter.block, *parameter.code)
            for key, parameter in known.items()
            if key not in overrides or not slha.scan(parameter.block, *parameter.code)
        }
        given = {key: value for key, value in from_file.items() if value is not None}
        model = Model(
            card.process.model, given | overrides, tables, bool(card.process.complex_mass)
        )
        _check_masses(model, slha)
        _check_fixed(model, slha)
        by_file = (
            key
            for key, one in known.items()
            if one.block == DECAY and slha.is_automatic(*one.code) and key not in overrides
        )
        model.automatic = tuple(dict.fromkeys((*table.automatic, *by_file)))
        if table.param_card:
            lacking = (
                key
                for key, one in known.items()
                if one.default and key not in {*given, *overrides, *model.automatic}
            )
            model.filled_in = tuple(lacking)
        else:
            model.filled_in = table.filled_in or ()
    except ValueError as error:
        raise card.error("parameters", str(error)) from None
    return model


def _check_names(card: Card, known: Iterable[Parameter], tables: ModelTables) -> None:
    """Refuse parameters of the card that the model does not have, and other "auto" than widths."""
    parameters = {one.name: one for one in known}
    fixed = {one.name: one.expression for one in tables.derived}
    for key in (*card.parameters.overrides, *card.parameters.automatic):
        if key not in parameters:
            hint = f", where it is {fixed[key]}" if key in fixed else closest(key, parameters)
            model = card.process.model
            raise card.error(f"parameters.{key}", f"unknown parameter of model {model}{hint}")
        if key in card.parameters.automatic and parameters[key].block != DECAY:
            raise card.error(f"parameters.{key}", 'expected a number; got "auto"')


def _check_masses(model: Model, slha: Slha) -> None:
    """Refuse a param_card whose mass of a particle contradicts a mass that is no parameter."""
    for particle in model.particles:
        if particle.mass in model.values:
            continue
        given, mass = slha.value(MASS, particle.pdg), model.mass(particle.pdg)
        if given is not None and not math.isclose(abs(given), mass, rel_tol=_SAME, abs_tol=1e-9):
            raise ValueError(
                f"expected a param_card with mass {mass:g} of {particle.name}; got {given:g}"
            )


def _check_fixed(model: Model, slha: Slha) -> None:
    """Refuse a param_card that contradicts a restriction of the model."""
    for entry in model.tables.fixed:
        given = slha.value(entry.block, *entry.code)
        try:
            value = model.coupling(entry.expression).real
        except ExpressionError:  # a parameter that no coupling needs
            continue
        if given is not None and not math.isclose(given, value, rel_tol=_SAME, abs_tol=1e-9):
            codes = " ".join(map(str, entry.code))
            raise ValueError(
                f"expected a param_card with {value:g} in {entry.block} {codes}, which this "
                f"restriction of model {model.name} fixes; got {given:g}"
            )
