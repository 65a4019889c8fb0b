"""The <init> of a Les Houches file: beams, processes, and the programs that made the events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import hypot, isfinite
from typing import Self

from madnis_py import __version__
from madnis_py.errors import InputError
from madnis_py.events.les_houches.weight_groups import (
    DECLARATIONS,
    WeightGroup,
    declared_groups,
    identifiers,
)
from madnis_py.events.les_houches.xml_text import (
    attributes,
    elements,
    escaped,
    outside,
    parsed_attributes,
    unescaped,
)

SIGNED_WEIGHTS_IN_PB = -4
"""IDWTUP of weights of both signs whose mean is the cross section."""

NO_PDF = -1
"""PDFGUP and PDFSUP of a beam without parton densities."""

NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE
)
"""A number as C++ or Fortran write it; one that is not finite is refused later, where it counts."""


@dataclass(frozen=True)
class LheProcess:
    """One subprocess of a file.

    Attributes:
        cross_section: XSECUP in pb.
        error: XERRUP, its standard error in pb.
        maximum: XMAXUP, the largest event weight in pb.
        identifier: LPRUP, a number that the events of the process carry.
    """

    cross_section: float
    error: float
    maximum: float
    identifier: int = 1

    def __post_init__(self) -> None:
        numbers = tuple(map(float, (self.cross_section, self.error, self.maximum)))
        if not all(map(isfinite, numbers)):
            raise InputError(f"LHE process {self.identifier}: expected finite pb; got {numbers}")

    def __str__(self) -> str:
        numbers = map(float, (self.cross_section, self.error, self.maximum))
        return f" {' '.join(map(str, numbers))} {self.identifier}"


@dataclass(frozen=True)
class LheGenerator:
    """A program that made events.

    Attributes:
        name: of the program.
        version: of the program.
        text: content of the element <generator>.
    """

    name: str = "madnis_py"
    version: str = __version__
    text: str = f"madnis_py {__version__}"

    def __str__(self) -> str:
        given = attributes("LHE generator", {"name": self.name, "version": self.version})
        return f"<generator{given}>{escaped('LHE generator', self.text)}</generator>"


@dataclass(frozen=True)
class LheInit:
    """The <init> of a file: beams and processes.

    Attributes:
        beam_pdg: PDG codes of the beams, 2212 for protons; 0 for the second one where the first is
            a particle at rest that decays.
        beam_energies: GeV; 0 for a beam that is none.
        pdf_sets: LHAPDF numbers of the parton densities of the beams; -1 for a beam without.
        processes: at least one, with different identifiers.
        weight_groups: what the variations of the events stand for.
        generators: programs that made the events.
        weighting: IDWTUP, the meaning of the event weights; those of ours have -4, weights in pb
            with the cross section as their mean.
        pdf_groups: PDFGUP; by default 0 with parton densities and -1 without.
    """

    beam_pdg: tuple[int, int]
    beam_energies: tuple[float, float]
    pdf_sets: tuple[int, int]
    processes: tuple[LheProcess, ...]
    weight_groups: tuple[WeightGroup, ...] = ()
    generators: tuple[LheGenerator, ...] = (LheGenerator(),)
    weighting: int = SIGNED_WEIGHTS_IN_PB
    pdf_groups: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not all(
            isfinite(energy) and (energy > 0 or (energy == 0 and pdg == 0))
            for pdg, energy in zip(self.beam_pdg, self.beam_energies, strict=True)
        ):
            raise InputError(f"LHE beams: expected energies > 0 in GeV; got {self.beam_energies}")
        if abs(self.weighting) not in (1, 2, 3, 4):
            raise InputError(f"LHE weighting: expected 1 to 4 or -1 to -4; got {self.weighting}")
        numbers = [process.identifier for process in self.processes]
        if not numbers or len(set(numbers)) != len(numbers):
            raise InputError(
                f"LHE processes: expected at least one, with different identifiers; got {numbers}"
            )
        identifiers(self.weight_groups)

    @property
    def of_decay(self) -> bool:
        """Whether weights are widths in GeV, of a first particle that decays by itself."""
        return self.beam_pdg[1] == 0

    @property
    def integral(self) -> str:
        """The quantity that weights add up to, for people."""
        return "width" if self.of_decay else "sigma"

    @property
    def unit(self) -> str:
        """The unit of the weights."""
        return "GeV" if self.of_decay else "pb"

    @property
    def cross_section(self) -> tuple[float, float]:
        """XSECUP and XERRUP of all processes together, in pb."""
        total = sum(process.cross_section for process in self.processes)
        return total, hypot(*(process.error for process in self.processes))

    @property
    def unknown_cross_section(self) -> str | None:
        """A sentence where weights are relative to an XSECUP without meaning; Sherpa has 1 +- 1."""
        cross_section, error = self.cross_section
        if abs(self.weighting) not in (2, 3) or error < abs(cross_section):
            return None
        got = f"{cross_section:g} +- {error:g} pb"
        return f"IDWTUP {self.weighting}: expected an XSECUP that is known; got {got}"

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
        generators: tuple[LheGenerator, ...],
    ) -> Self:
        """The <init> of a file.

        Args:
            numbers: the ten numbers of its first line.
            of_processes: four numbers of every process, XSECUP, XERRUP, XMAXUP and LPRUP.
            weight_groups: what the variations of the events stand for.
            generators: programs that made the events.

        Raises:
            InputError: a number that should be an integer is none.
        """
        first_beam, second_beam = map(_integer, numbers[:2], BEAMS)
        first_group, second_group, first_set, second_set = map(_integer, numbers[4:8], DENSITIES)
        groups, pdf_sets = (first_group, second_group), (first_set, second_set)
        columns = (of_processes[column::4] for column in range(4))
        processes = tuple(
            LheProcess(cross_section, error, maximum, _integer(identifier, "LPRUP"))
            for cross_section, error, maximum, identifier in zip(*columns, strict=True)
        )
        return cls(
            beam_pdg=(first_beam, second_beam),
            beam_energies=(numbers[2], numbers[3]),
            pdf_sets=pdf_sets,
            processes=processes,
            weight_groups=weight_groups,
            generators=generators,
            weighting=_integer(numbers[8], "IDWTUP"),
            pdf_groups=None if groups == _usual_groups(pdf_sets) else groups,
        )

    @classmethod
    def parse(cls, text: str, weight_groups: tuple[WeightGroup, ...] = ()) -> tuple[Self, set[str]]:
        """An <init> from the content of the element, and what is left out of it, in words.

        Args:
            text: ten numbers, four of every process, <generator> and <initrwgt>; prose is left out.
            weight_groups: those of the header; <initrwgt> adds what is not among them.

        Raises:
            InputError: numbers are missing or are none.
        """
        inside = list(elements(text))
        numbers, left_out = _numbers(outside(text, inside))
        groups, generators = list(weight_groups), []
        for element in inside:
            if element.name == DECLARATIONS:
                declared = declared_groups(text[element.begin : element.end])
                groups += [group for group in declared if group not in weight_groups]
            elif element.name == "generator":
                given = parsed_attributes(element.attributes)
                name, version = given.get("name", ""), given.get("version", "")
                generators.append(LheGenerator(name, version, unescaped(element.content)))
            else:
                left_out.add(f"<{element.name[:40]}> of <init>")
        init = cls.from_numbers(numbers[:10], numbers[10:], tuple(groups), tuple(generators))
        return init, left_out


BEAMS = ("IDBMUP(1)", "IDBMUP(2)")
DENSITIES = ("PDFGUP(1)", "PDFGUP(2)", "PDFSUP(1)", "PDFSUP(2)")
"""Names of the integers in the first line."""


def _usual_groups(pdf_sets: tuple[int, int]) -> tuple[int, int]:
    first, second = (NO_PDF if pdf_set == NO_PDF else 0 for pdf_set in pdf_sets)
    return first, second


def _integer(number: float, what: str) -> int:
    if not (abs(number) < 2**31 and number == int(number)):
        raise InputError(f"<init>: {what}: expected an integer of 32 bits; got {number:g}")
    return int(number)


def _numbers(text: str) -> tuple[list[float], set[str]]:
    """The ten numbers of the first line and the four of every process, and what else there is."""
    lines = [
        line.split()
        for line in text.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    rows = [words for words in lines if NUMBER.fullmatch(words[0])]
    left_out = {"text of <init>"} if len(rows) < len(lines) else set()
    numbers, begin = _row(rows, 0, 10, left_out)
    processes = _integer(numbers[9], "NPRUP") if len(numbers) == 10 else 1
    for _ in range(processes):
        if begin == len(rows):
            break
        process, begin = _row(rows, begin, 4, left_out)
        numbers += process
    further = sum(len(words) for words in rows[begin:] if all(map(NUMBER.fullmatch, words)))
    expected = 10 + 4 * processes
    if further or len(numbers) != expected:
        needs = f"expected 10 numbers and 4 of every process, {expected} in all"
        raise InputError(f"<init>: {needs}; got {len(numbers) + further}")
    return numbers, left_out | ({"text of <init>"} if rows[begin:] else set())


def _row(
    rows: list[list[str]], begin: int, count: int, left_out: set[str]
) -> tuple[list[float], int]:
    """Numbers of a line, or of several with `count` together, and the number of the next line."""
    words = rows[begin] if begin < len(rows) else []
    begin += 1
    if len(words) > count:
        left_out.add("words behind the numbers of <init>")
        words = words[:count]
    while len(words) < count and begin < len(rows) and len(words) + len(rows[begin]) <= count:
        words, begin = words + rows[begin], begin + 1
    return list(map(_number, words)), begin


def _number(word: str) -> float:
    try:
        return float(word.upper().replace("D", "E") if NUMBER.fullmatch(word) else word)
    except ValueError as error:
        raise InputError(f"<init>: expected numbers; got {str(error)[:100]}") from None
