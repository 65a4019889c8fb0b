"""Lines of text files that people and other programs write, of any encoding and line ends."""

from __future__ import annotations

import re
from pathlib import Path

from madnis_py.errors import CardError

_LINE_END = re.compile(r"\r\n|\r|\n")
"""Ends of lines; `str.splitlines` also breaks at characters that Latin-1 comments contain."""


def read_lines(path: Path, what: str) -> list[str]:
    """The lines of a file: UTF-8, or else Latin-1, in which every byte is a character.

    Args:
        path: of the file.
        what: the kind of file for the message, "param_card".

    Raises:
        CardError: the file cannot be read.
    """
    content = read_bytes(path, what)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return _LINE_END.split(text)


def read_bytes(path: Path, what: str) -> bytes:
    """The content of a file.

    Raises:
        CardError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CardError(f"{path}: expected a readable {what}; got: {error.strerror}") from None
    except ValueError as error:  # a name with NUL
        raise CardError(f"{str(path)!r}: expected the name of a {what}; got: {error}") from None


def shortened(text: str) -> str:
    """A piece of a file for a message, of at most 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."
