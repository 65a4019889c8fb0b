"""Library of models: built-in ones, folders and archives of UFO, and installed packages of them.

A name is looked up in the folders of $MADNIS_MODEL_PATH, in the user's data folder, and among
installed packages, none of which is imported. Behind "-" stands a restriction, as in MadGraph:
"sm_ufo-no_b_mass" is restricted by restrict_no_b_mass.dat, "sm_ufo-full" by nothing, and without
one restrict_default.dat counts if there is one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

from madnis_py.card.sentences import closest
from madnis_py.errors import InputError
from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.particles import ModelTables
from madnis_py.physics.model.slha import slha_of
from madnis_py.physics.model_search.tables_cache import cached_tables
from madnis_py.physics.ufo.model_files import (
    ModelFiles,
    is_archive,
    is_model,
    model_files,
    without_ending,
)
from madnis_py.physics.ufo.restriction import Restriction, restricted, unrestricted
from madnis_py.physics.ufo.stated_widths import StatedWidths, stated_widths
from madnis_py.physics.ufo.translation import tables_of
from madnis_py.physics.ufo.ufo_rows import FILES, UfoRows, read_rows

SEARCH_PATH = "MADNIS_MODEL_PATH"
"""Variable of the environment with folders that hold models."""

FULL, DEFAULT = "full", "default"
"""Restrictions: none at all, and that which counts without a name."""


@dataclass(frozen=True)
class FoundModel:
    """A model of the library.

    Attributes:
        name: without a restriction.
        path: folder or archive; None for a built-in one.
        restrictions: names of its restrict_*.dat.
    """

    name: str
    path: Path | None
    restrictions: tuple[str, ...] = ()


class ModelPlace(NamedTuple):
    """Folder or archive of a model, and the name of its restriction, "" for the default."""

    path: Path
    restriction: str


def named_tables(name: str) -> ModelTables:
    """The tables of a model.

    Args:
        name: a built-in model, a path, or a name to be searched for, perhaps with "-restriction".

    Raises:
        InputError: there is no such model or restriction, or it cannot be read; says where.
    """
    return MODELS[name] if name in MODELS else tables_at(place_of(name))


def tables_at(place: ModelPlace) -> ModelTables:
    """The tables of a model that was found.

    Raises:
        InputError: there is no such restriction, or it cannot be read; says where.
    """
    return _tables(place.path.resolve(), place.restriction, _time_of_change(place.path))


def contents_at(place: ModelPlace) -> dict[str, bytes]:
    """The files that the tables of a model follow from, by their names.

    Raises:
        InputError: as `tables_at`.
    """
    files = model_files(place.path.resolve())
    return {name: files.content(name) for name in _used(files, _card_of(files, place.restriction))}


@lru_cache(maxsize=8)
def _tables(path: Path, restriction: str, changed: object) -> ModelTables:
    """Tables of a folder or archive, read again if it has changed."""
    files = model_files(path)
    card = _card_of(files, restriction)
    digest = files.digest(_used(files, card))
    return cached_tables(f"{digest} {card}", lambda: _read(files, card, digest))


def _used(files: ModelFiles, card: str) -> list[str]:
    """Names of the files that tables follow from, with the card of a restriction."""
    return [name for name in (*FILES, card) if name in files.names]


def _time_of_change(path: Path) -> object:
    times = []
    for one in (path, *(path.iterdir() if path.is_dir() else ())):
        with suppress(OSError):
            status = one.stat()
            times.append((one.name, status.st_mtime_ns, status.st_size))
    return tuple(sorted(times))


def _card_of(files: ModelFiles, restriction: str) -> str:
    """The file of a restriction, "" for none."""
    card = f"restrict_{restriction or DEFAULT}.dat"
    if card in files.names:
        return card
    if restriction in ("", FULL):
        return ""
    known = restrictions_of(files)
    hint = closest(restriction, known)
    raise InputError(f'{files.source}: unknown restriction "{restriction}"{hint}')


def restrictions_of(files: ModelFiles) -> tuple[str, ...]:
    """Names of the restrictions of a model."""
    found = (re.fullmatch(r"restrict_(\w[\w.-]*)\.dat", name) for name in files.names)
    return tuple(sorted(one[1] for one in found if one))


def _read(files: ModelFiles, card: str, digest: str) -> ModelTables:
    rows = read_rows(files)
    return tables_of(rows, _restriction(files, card, rows), digest)


def _restriction(files: ModelFiles, card: str, rows: UfoRows) -> Restriction:
    """What a restriction card does to the parameters, "" for none."""
    parameters = rows.parameters.values()
    if not card:
        return unrestricted(parameters)
    return restricted(parameters, slha_of(files.text(card), f"{files.source}/{card}"))


def widths_of_file(name: str, values: Mapping[str, float]) -> StatedWidths:
    """The partial widths that a model states in its file decays.py; a built-in one has none.

    Args:
        name: as `named_tables`.
        values: of external parameters; others have their defaults.

    Raises:
        InputError: there is no such model or restriction, or it cannot be read; says where.
    """
    if name in MODELS:
        return {}
    place = place_of(name)
    files = model_files(place.path.resolve())
    if "decays.py" not in files.names:
        return {}
    rows = read_rows(files)
    card = _card_of(files, place.restriction)
    return stated_widths(files, rows, _restriction(files, card, rows), values)


def place_of(name: str) -> ModelPlace:
    """Where a model is that is not built in.

    Args:
        name: a path, or a name to be searched for, perhaps with "-restriction".

    Raises:
        InputError: there is none.
    """
    whole = _path_of(name)
    if whole is not None:
        return ModelPlace(whole, "")
    model, dash, restriction = name.rpartition("-")
    path = _path_of(model) if dash else None
    if path is None:
        known = [one.name for one in library()]
        raise InputError(
            f"expected a model: {', '.join(MODELS)}, a folder or archive of UFO, or the name of "
            f'one in ${SEARCH_PATH} or {_data_folder()}; got "{name}"{closest(name, known)}'
        )
    return ModelPlace(path, restriction)


def _path_of(name: str) -> Path | None:
    """Where a model is, by a path or a name."""
    if "\0" in name or not name:
        return None
    if "/" in name:
        given = Path(name).expanduser()
        return given if given.is_dir() or (given.is_file() and is_archive(given)) else None
    for folder in search_folders():
        for path in _entries(folder):
            if name in (path.name, without_ending(path)):
                return path
    return _package(name)


def search_folders() -> tuple[Path, ...]:
    """Folders that hold models, in the order of the search."""
    listed = [Path(one) for one in os.environ.get(SEARCH_PATH, "").split(os.pathsep) if one]
    return (*listed, _data_folder())


def _data_folder() -> Path:
    """The user's folder of models, by the rules of the XDG base directories."""
    if chosen := os.environ.get("XDG_DATA_HOME"):
        return Path(chosen) / "madnis_py" / "models"
    try:
        return Path.home() / ".local" / "share" / "madnis_py" / "models"
    except RuntimeError:  # no $HOME, and no entry for the user
        return Path("/nonexistent")


def _entries(folder: Path) -> Iterator[Path]:
    """Models in a folder; the folder itself may be one."""
    try:
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        inside = []
    if is_model(folder):
        yield folder
    for path in inside:
        if is_model(path) or (path.is_file() and is_archive(path)):
            yield path


def _package(name: str) -> Path | None:
    """The folder of an installed package, "ufo_sm" or "ufo-sm", which is not imported."""
    module = name.replace("-", "_")
    for candidate in dict.fromkeys((name, module)):
        if candidate.isidentifier():
            spec = PathFinder.find_spec(candidate)
            for folder in (spec.submodule_search_locations or ()) if spec else ():
                if is_model(Path(folder)):
                    return Path(folder)
    return None


def library() -> tuple[FoundModel, ...]:
    """All models that can be named: built-in, in the search path, installed."""
    found = [FoundModel(name, None) for name in MODELS]
    places = [*search_folders(), *(Path(one) for one in sys.path if one)]
    for number, folder in enumerate(places):
        for path in _entries(folder):
            package = number >= len(search_folders())
            if package and not path.is_dir():
                continue
            with suppress(InputError):
                restrictions = restrictions_of(model_files(path))
                found.append(FoundModel(without_ending(path), path, restrictions))
    first = {one.name: one for one in reversed(found)}
    return tuple(sorted(first.values(), key=lambda one: (one.path is not None, one.name)))
