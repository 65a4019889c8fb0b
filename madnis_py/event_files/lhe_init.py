"""The <init> of a Les Houches file: beams, processes, and what made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Self

from madnis_py import __version__
from madnis_py.errors import InputError
from madnis_py.event_files.weight_groups import WeightGroup, identifiers
from madnis_py.event_files.xml_text import attributes, escaped, parsed_attributes, unescaped

SIGNED_WEIGHTS_IN_PB = -4  # IDWTUP: the mean of the event weights is the cross section
NO_PDF = -1

GENERATOR = re.compile(r"<generator\b([^>]*)>(.*?)</generator>", re.DOTALL)
ELEMENT = re.compile(r"<([A-Za-z_][\w.-]*)[^>]*/>|<([A-Za-z_][\w.-]*)[^>]*>.*?</\2>|<!--.*?-->", re.DOTALL)
COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


@dataclass(frozen=True)
class LheProcess:
    """One subprocess of a file.

    Attributes:
        cross_section: XSECUP in pb.
        error: XERRUP, its standard error in pb.
        maximum: XMAXUP, the largest event weight in pb.
        identifier: LPRUP, a positive number that the events of the process carry.
    """

    cross_section: float
    error: float
    maximum: float
    identifier: int = 1

    def __post_init__(self) -> None:
        numbers = tuple(map(float, (self.cross_section, self.error, self.maximum)))
        if not all(map(isfinite, numbers)) or self.identifier < 1:
            raise InputError(f"LHE process {self.identifier}: expected finite pb and an identifier > 0; got {numbers}")

    def __str__(self) -> str:
        return f" {float(self.cross_section)} {float(self.error)} {float(self.maximum)} {self.identifier}"


@dataclass(frozen=True)
class Generator:
    """A program that made events.

    Attributes:
        name: of the program.
        version: of the program.
        text: what it says of itself.
    """

    name: str = "madnis_py"
    version: str = __version__
    text: str = f"madnis_py {__version__}"

    def __str__(self) -> str:
        given = attributes("LHE generator", {"name": self.name, "version": self.version})
        return f"<generator{given}>{escaped('LHE generator', self.text)}</generator>"


@dataclass(frozen=True)
class LheInit:
    """The <init> of a file: beams and processes. Event weights are in pb, with the cross section as their mean.

    Attributes:
        beam_pdg: PDG codes of the beams, 2212 for protons.
        beam_energies: GeV.
        pdf_sets: LHAPDF numbers of the parton densities of the beams; -1 for a beam without.
        processes: at least one, with different identifiers.
        weight_groups: what the variations of the events stand for.
        generators: what made the events.
        weighting: IDWTUP; events of ours have -4. Files of others may have another meaning of weights.
        pdf_groups: PDFGUP; by default 0 with parton densities and -1 without.
    """

    beam_pdg: tuple[int, int]
    beam_energies: tuple[float, float]
    pdf_sets: tuple[int, int]
    processes: tuple[LheProcess, ...]
    weight_groups: tuple[WeightGroup, ...] = ()
    generators: tuple[Generator, ...] = (Generator(),)
    weighting: int = SIGNED_WEIGHTS_IN_PB
    pdf_groups: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not all(isfinite(energy) and energy > 0 for energy in self.beam_energies):
            raise InputError(f"LHE beams: expected energies > 0 in GeV; got {self.beam_energies}")
        if abs(self.weighting) not in (1, 2, 3, 4):
            raise InputError(f"LHE weighting: expected 1 to 4 or -1 to -4; got {self.weighting}")
        numbers = [process.identifier for process in self.processes]
        if not numbers or len(set(numbers)) != len(numbers):
            raise InputError(f"LHE processes: expected at least one, with different identifiers; got {numbers}")
        identifiers(self.weight_groups)

    @property
    def numbers(self) -> list[float | int]:
        """The ten numbers of the first line, in the order of the file."""
        groups = self.pdf_groups or _usual_groups(self.pdf_sets)
        beams = (*self.beam_pdg, *map(float, self.beam_energies), *groups, *self.pdf_sets)
        return [*beams, self.weighting, len(self.processes)]

    def __str__(self) -> str:
        first = " " + " ".join(map(str, self.numbers))
        return "\n".join([first, *map(str, self.processes), *map(str, self.generators)])

    @classmethod
    def from_numbers(
        cls,
        numbers: list[float],
        of_processes: list[float],
        weight_groups: tuple[WeightGroup, ...],
        generators: tuple[Generator, ...],
    ) -> Self:
        """What a file has, from the ten numbers of its first line and the four of every process."""
        first, second, energy, other_energy, *of_pdfs, weighting, _ = numbers
        group, other_group, pdf_set, other_set = map(int, of_pdfs)
        pdf_sets, groups = (pdf_set, other_set), (group, other_group)
        return cls(
            (int(first), int(second)),
            (energy, other_energy),
            pdf_sets,
            tuple(map(LheProcess, *(of_processes[i::4] for i in range(3)), map(int, of_processes[3::4]))),
            weight_groups,
            generators,
            int(weighting),
            None if groups == _usual_groups(pdf_sets) else groups,
        )

    @classmethod
    def parse(cls, text: str, weight_groups: tuple[WeightGroup, ...] = ()) -> Self:
        """The content of an <init> element.

        Raises:
            InputError: numbers are missing or are none.
        """
        rows = _numbers(COMMENT.sub("", ELEMENT.sub("", text)))
        return cls.from_numbers(rows[:10], rows[10:], weight_groups, _generators(text))


def _usual_groups(pdf_sets: tuple[int, int]) -> tuple[int, int]:
    first, second = (NO_PDF if pdf_set == NO_PDF else 0 for pdf_set in pdf_sets)
    return first, second


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError as error:
        raise InputError(f"<init>: expected numbers; got {error}") from None
    expected = 10 + 4 * int(numbers[9]) if len(numbers) >= 10 else 14
    if len(numbers) != expected:
        raise InputError(f"<init>: expected 10 numbers and 4 of every process, {expected} in all; got {len(numbers)}")
    return numbers


def _generators(text: str) -> tuple[Generator, ...]:
    found = []
    for match in GENERATOR.finditer(text):
        given = parsed_attributes(match[1])
        found.append(Generator(given.get("name", ""), given.get("version", ""), unescaped(match[2])))
    return tuple(found)
