"""SLHA files such as param_card.dat: numbers of all blocks and total widths.

A number is checked when a model asks for it; all else may be anything: text (SPINFO, DCINFO), cross
sections, comments in any encoding. An entry has one code, or several as those of a matrix. Les
Houches formats of P. Skands et al., hep-ph/0311123 (SLHA1) and arXiv:0801.0045 (SLHA2).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from madnis_py.errors import CardError
from madnis_py.physics.model.particles import DECAY
from madnis_py.physics.model.text_lines import read_lines, shortened

_HEADER = re.compile(r"\s*(BLOCK|DECAY|XSECTION)(?:\s+(.*)|$)", re.IGNORECASE)
_CODE = re.compile(r"[-+]?\d{1,18}")
_SCAN = re.compile(r"scan\s*(\d*)\s*:\s*(.*)", re.IGNORECASE)
_MOST_CODES = 6
"""Codes of an entry that a model may ask for."""

_RANGE = re.compile(r"\[?\s*range\(\s*(-?\d{1,9}(?:\s*,\s*-?\d{1,9}){0,2})\s*\)\s*\]?")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")


@dataclass(frozen=True)
class SlhaEntry:
    """One line of a block, or the width of a DECAY line.

    Attributes:
        text: behind the codes, without the comment.
        line: number of the line, from 1.
    """

    text: str
    line: int


@dataclass(frozen=True)
class SlhaScan:
    """A list of values in the place of a number, as MadGraph has it: "scan:[170, 172.5, 175]".

    Attributes:
        group: "1" of "scan1:": lists of one group go together; "" for one that goes by itself.
        values: in their order; none where it is no list of numbers.
    """

    group: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Slha:
    """Content of a param_card.

    Attributes:
        source: file, for messages.
        entries: (block in capitals, codes) -> the lines that give it; "DECAY" and the PDG code for
            total widths. A line "1 2 3" is an entry for the code 1 and one for the codes 1 2.
    """

    source: str = "param_card"
    entries: dict[tuple[str, tuple[int, ...]], list[SlhaEntry]] = field(default_factory=dict)

    def value(self, block: str, *code: int) -> float | None:
        """The number of an entry; "DECAY" and a PDG code give a total width in GeV.

        Returns:
            The number, None where the card has no such entry, or leaves a width to be computed.

        Raises:
            CardError: the entry is no finite number, or several lines give different ones; names
                file and line.
        """
        automatic = block == DECAY and self.is_automatic(*code)
        lines = [] if automatic else self.entries.get((block, code), [])
        values = [self._number(block, code, entry) for entry in lines]
        for entry, value in zip(lines, values, strict=True):
            if value != values[0]:
                raise CardError(
                    f"{self.source}: line {entry.line}: {_name(block, code)}: expected one value; "
                    f"got {value:g} after {values[0]:g} in line {lines[0].line}"
                )
        return values[0] if values else None

    def is_automatic(self, code: int) -> bool:
        """Whether the total width of a particle is to be computed: DECAY 6 Auto.

        Raises:
            CardError: another line gives it a number.
        """
        texts = {entry.text: entry for entry in self.entries.get((DECAY, (code,)), [])}
        given = [entry for text, entry in texts.items() if not _is_auto(text)]
        if given and len(texts) > len(given):
            raise CardError(
                f"{self.source}: line {given[0].line}: {_name(DECAY, (code,))}: "
                f'expected one value; got "{shortened(given[0].text)}" beside Auto'
            )
        return len(texts) > len(given)

    def scan(self, block: str, *code: int) -> SlhaScan | None:
        """The values that an entry goes through; None for an entry with a number, or for none.

        Raises:
            CardError: they are not a list of numbers; names file and line.
        """
        for entry in self.entries.get((block, code), []):
            if scan := parse_scan(entry.text):
                if not scan.values:
                    place = f"{self.source}: line {entry.line}: {_name(block, code)}"
                    expected = "expected numbers like scan:[170, 172.5, 175]"
                    raise CardError(f'{place}: {expected}; got "{shortened(entry.text)}"')
                return scan
        return None

    @property
    def scans(self) -> dict[tuple[str, tuple[int, ...]], SlhaScan]:
        """The entries with lists of values.

        Raises:
            CardError: as `scan`.
        """
        found = {(block, code): self.scan(block, *code) for block, code in self.entries}
        return {place: scan for place, scan in found.items() if scan is not None}

    def _number(self, block: str, code: tuple[int, ...], entry: SlhaEntry) -> float:
        value = (
            float(re.sub("[dD]", "e", entry.text)) if _NUMBER.fullmatch(entry.text) else math.nan
        )
        if math.isfinite(value):
            return value
        place = f"{self.source}: line {entry.line}: {_name(block, code)}"
        if block == DECAY and entry.text.lower().startswith("auto"):
            raise CardError(f'{place}: expected a width in GeV or Auto; got "{entry.text}"')
        if _SCAN.fullmatch(entry.text):
            expected = "expected a number here, where only `run` goes through several"
            raise CardError(f'{place}: {expected}; got "{shortened(entry.text)}"')
        raise CardError(f'{place}: expected a number; got "{shortened(entry.text)}"')


def parse_scan(text: str) -> SlhaScan | None:
    """The list that stands in the place of a number; None for what begins with no "scan:"."""
    found = _SCAN.fullmatch(text)
    return SlhaScan(found[1], _listed(found[2])) if found else None


def _is_auto(text: str) -> bool:
    """Auto, not Auto@NLO."""
    return text.lower() == "auto"


def _listed(text: str) -> tuple[float, ...]:
    """The numbers of "[1, 2.5]" or "range(1, 10, 2)"; none where it is something else."""
    if whole := _RANGE.fullmatch(text):
        first, *rest = (int(part) for part in whole[1].split(","))
        return tuple(map(float, range(first, *rest))) if rest[1:] != [0] else ()
    numbers = text.strip()[1:-1].split(",") if re.fullmatch(r"\[.*\]", text.strip()) else []
    if not all(_NUMBER.fullmatch(one.strip()) for one in numbers):
        return ()
    return tuple(float(re.sub("[dD]", "e", one)) for one in numbers)


def _name(block: str, code: tuple[int, ...]) -> str:
    codes = " ".join(map(str, code))
    return f"{block} {codes}" if block == DECAY else f"BLOCK {block} {codes}"


def read_slha(path: Path) -> Slha:
    """Read a param_card.

    Raises:
        CardError: the file cannot be read, has neither BLOCK nor DECAY, or a line that belongs to
            nothing; names it.
    """
    return _slha(read_lines(path, "param_card"), str(path))


def slha_of(text: str, source: str) -> Slha:
    """The content of a param_card from its text.

    Args:
        text: of the file.
        source: its name, for messages.

    Raises:
        CardError: as `read_slha`.
    """
    return _slha(text.splitlines(), source)


def _slha(lines: Iterable[str], source: str) -> Slha:
    slha = Slha(source)
    block: str | None = None
    for number, text in enumerate(lines, start=1):
        line = text.partition("#")[0]
        if header := _HEADER.match(line):
            block = _begin(slha, header, number)
        elif (block is None or line[:1].isalpha()) and line.strip():
            raise CardError(
                f"{source}: line {number}: expected BLOCK, DECAY or an entry of a block; "
                f'got "{shortened(line)}"'
            )
        elif block:
            _add(slha, block, line.split(), number)
    if block is None:
        raise CardError(f"{source}: expected a param_card with BLOCK and DECAY; got neither")
    return slha


def _begin(slha: Slha, header: re.Match[str], line: int) -> str:
    """Read the first line of a block.

    Returns:
        The block that the lines below belong to; "" for branching ratios and cross sections, which
        are not kept.
    """
    kind, words = header[1].upper(), (header[2] or "").split()
    if not words:
        raise CardError(f"{slha.source}: line {line}: expected a name after {kind}; got none")
    if kind == DECAY:
        _add(slha, DECAY, words, line)
    return words[0].upper() if kind == "BLOCK" else ""


def _add(slha: Slha, block: str, words: list[str], line: int) -> None:
    """Keep a line of a block for all codes that it may begin with: no model asks for another."""
    for length, word in enumerate(words[:_MOST_CODES], start=1):
        if not _CODE.fullmatch(word) or (length > 1 and length == len(words)):
            return
        entry = SlhaEntry(" ".join(words[length:]), line)
        code = tuple(map(int, words[:length]))
        slha.entries.setdefault((block, code), []).append(entry)
