"""Reader of param_card.dat, the Les Houches format of model parameters: BLOCK and DECAY, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from madnis_py.errors import CardError


@dataclass(frozen=True)
class Slha:
    """Content of a param_card.

    Attributes:
        blocks: block name in capitals -> code -> value; entries with more than one code are left out.
        widths: PDG code -> total width in GeV.
    """

    blocks: dict[str, dict[int, float]] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)

    def value(self, block: str, code: int) -> float | None:
        """The entry `code` of a block, "DECAY" for total widths; None where the card has none."""
        return self.widths.get(code) if block == "DECAY" else self.blocks.get(block, {}).get(code)


def read_slha(path: Path) -> Slha:
    """Read a param_card.

    Raises:
        CardError: the file cannot be read, or a line is not SLHA; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CardError(f"{path}: expected a readable param_card; got: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CardError(f"{path}: expected a param_card in UTF-8; got other bytes") from None
    slha = Slha()
    block: dict[int, float] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        try:
            block = _read_line(words, block, slha) if words else block
        except (ValueError, IndexError):
            raise CardError(f"{path}: line {number}: expected BLOCK, DECAY or code and value; got {line!r}") from None
    return slha


def _read_line(words: list[str], block: dict[int, float], slha: Slha) -> dict[int, float]:
    """Put one line into the card; returns the block that the next line belongs to."""
    match words[0].upper():
        case "BLOCK":
            return slha.blocks.setdefault(words[1].upper(), {})
        case "DECAY":
            slha.widths[int(words[1])] = _number(words[2])
            return {}  # the branching ratios below a DECAY line go nowhere
        case _:
            numbers = [_number(word) for word in words]
            if len(words) == 2:
                block[int(words[0])] = numbers[1]
            return block


def _number(word: str) -> float:
    return float(word.upper().replace("D", "E"))  # Fortran writes 1.0D+02
