"""Documents that the program keeps for itself, read into typed models; a defect is a sentence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from madnis_py.card.sentences import shown
from madnis_py.errors import CheckpointError

Model = TypeVar("Model", bound=BaseModel)


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A file to read from.

    Raises:
        CheckpointError: it is missing, cannot be read or is no file.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise CheckpointError(f"{path}: cannot be read: expected a file")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a name with a null byte
        raise CheckpointError(f"{path!r}: cannot be read: {error}") from error


def read_file(path: Path) -> bytes:
    """The content of a file.

    Raises:
        CheckpointError: it is missing, cannot be read or is no file.
    """
    with opened(path) as file:
        return file.read()


def fingerprint(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        CheckpointError: it is missing, cannot be read or is no file.
    """
    with opened(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), sha256


def parse_document(content: bytes, model: type[Model], where: str) -> Model:
    """JSON as a model; numbers have to be numbers, and finite where the model says so.

    Args:
        content: the text, UTF-8.
        model: its type.
        where: how messages call it.

    Raises:
        CheckpointError: it is no JSON, or a value is missing, unknown or of another kind; names the
            first one.
    """
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise CheckpointError(f"{where}: {defect(error)}") from None


def defect(error: ValidationError) -> str:
    """The first thing that is wrong: "channels[2].maximum: expected ...; got ..."."""
    first = error.errors(include_url=False)[0]
    place = place_of(first["loc"])
    return f"{place}: {_sentence(first)}" if place else _sentence(first)


def _sentence(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "expected a value; got none"
        case "extra_forbidden":
            return "unknown key"
        case "json_invalid":
            return f"expected the JSON that a run wrote; got: {error['ctx']['error']}"
        case "value_error" | "assertion_error":
            return str(error["ctx"]["error"])
        case _:
            expected = re.sub(r"^Input should be ", "", error["msg"]).replace("'", '"')
            return f"expected {expected}; got {shown(error['input'])}"


def place_of(parts: Iterable[int | str]) -> str:
    """A path inside a document: beams.energy[1]."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{quoted(part)}"
    return text.removeprefix(".")


def quoted(key: str) -> str:
    """A key as TOML writes it."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'
