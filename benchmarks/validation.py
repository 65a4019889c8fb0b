"""Validation of our numbers by Pythia, formulas and MadGraph; writes docs/validation.md.

The exit status is 1 if a cross section is more than three standard errors from its oracle, a
distribution has a probability below 0.0027, or |M|^2 differs from MadGraph's by more than its
accuracy.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import textwrap
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import pythia_comparison
import results
from closed_forms import CLOSED_FORMS, ClosedForm
from pythia_cases import CASES

from madnis_py.card.card import Card
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.output_file import write_file
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.process.process import Process

MADGRAPH_VALUES = Path(__file__).parent / "data" / "madgraph_values.json"
ALPHA_S = 0.118
LARGEST_PULL = 3.0
SMALLEST_P_VALUE = 0.0027
"""Of three standard deviations of a normal distribution, both sides."""
MADGRAPH_ACCURACY = 2e-12
"""To which MadGraph's double and quadruple precision agree at worst."""

PREAMBLE = """# Validation

What the numbers of this package are held against. Everything here is made by one command,
`make validation`, which fails if one of the comparisons does. Nothing is compared with earlier
results of our own.
"""
PYTHIA = """## Pythia

Cross sections and a distribution of each process beside Pythia {version}, with the parameters of
our card, fixed couplings and scales, the same grid of parton densities (the shipped toy set without
bottom quarks) and the same cuts. Ours are from VEGAS with {points:,} points for each definition,
the distribution from {events:,} unweighted events; "p" is the probability of a larger chi^2 in bins
of equal content. `benchmarks/pythia_side.py` says what has to be set in Pythia for that.
"""
FORMULAS = """## Formulas

| process | E_cm / GeV | sigma / pb | formula | pull | what the formula is |
|---|---|---|---|---|---|"""
MADGRAPH = """## MadGraph

{origin}

| process | squared amplitude | relative difference |
|---|---|---|"""


class Compared(Protocol):
    """One comparison."""

    @property
    def agrees(self) -> bool:
        """Whether it is within its limit."""
        ...

    def as_json(self) -> dict[str, Any]:
        """The row as benchmarks write it."""
        ...

    def as_markdown(self) -> str:
        """The row of its table."""
        ...


@dataclass(frozen=True)
class PythiaRow(pythia_comparison.Row):
    """A process beside Pythia."""

    @property
    def agrees(self) -> bool:
        """Whether sigma and the distribution do."""
        return abs(self.pull) < LARGEST_PULL and self.p_value > SMALLEST_P_VALUE


@dataclass(frozen=True)
class FormulaRow:
    """A cross section beside a formula.

    Attributes:
        case: the process.
        expected: by the formula in pb.
        value: ours in pb.
        error: of it.
    """

    case: ClosedForm
    expected: float
    value: float
    error: float

    @property
    def pull(self) -> float:
        """Difference in units of the error."""
        return (self.value - self.expected) / self.error

    @property
    def agrees(self) -> bool:
        """Whether the pull is small."""
        return abs(self.pull) < LARGEST_PULL

    def as_json(self) -> dict[str, Any]:
        """See `Compared`."""
        return {
            "case": {"process": self.case.definition, "energy": self.case.energy},
            "ours": [self.value, self.error],
            "peer": self.expected,
            "peer_name": self.case.source,
            "unit": "pb",
            "pull": self.pull,
        }

    def as_markdown(self) -> str:
        """See `Compared`."""
        case = self.case
        ours = f"{self.value:.7g} +- {self.error:.1g}"
        energy = f"{2 * case.energy:g}"
        truth = f"{self.expected:.7g} | {self.pull:+.1f} | {case.source}"
        return f"| `{case.definition}` | {energy} | {ours} | {truth} |"


@dataclass(frozen=True)
class MadGraphRow:
    """|M|^2 beside MadGraph's.

    Attributes:
        definition: of the process.
        expected: MadGraph's, GeV^(8 - 2 n).
        value: ours.
    """

    definition: str
    expected: float
    value: float

    @property
    def difference(self) -> float:
        """Relative to MadGraph's."""
        return self.value / self.expected - 1

    @property
    def agrees(self) -> bool:
        """Whether it is rounding."""
        return abs(self.difference) < MADGRAPH_ACCURACY

    def as_json(self) -> dict[str, Any]:
        """See `Compared`."""
        return {
            "case": {"process": self.definition},
            "ours": self.value,
            "peer": self.expected,
            "peer_name": "MadGraph",
        }

    def as_markdown(self) -> str:
        """See `Compared`."""
        return f"| `{self.definition}` | {self.expected:.10g} | {self.difference:.1e} |"


def beside_pythia(options: Namespace) -> list[PythiaRow]:
    """Every case of `pythia_cases`."""
    with tempfile.TemporaryDirectory() as folder:
        grid = pythia_comparison.densities(Path(folder))
        return _told(
            PythiaRow(**vars(pythia_comparison.compare(case, grid, options)))
            for case in CASES[: options.first]
        )


def beside_formulas(points: int) -> list[FormulaRow]:
    """Every formula, by VEGAS with so many points per channel and iteration."""
    return _told(_formula_row(case, points) for case in CLOSED_FORMS)


def _formula_row(case: ClosedForm, points: int) -> FormulaRow:
    card = Card.parse(
        {
            "process": {"definition": case.definition},
            "beams": {"energy": [case.energy] * 2, "pdf": case.pdf},
            "scales": {"factorization": case.scale, "renormalization": case.scale},
            "cuts": {name: dict(cut) for name, cut in case.cuts.items()},
        }
    )
    _, found = train_vegas(
        CrossSection(Process.from_card(card)), VegasSettings(points=points), seed=1
    )
    return FormulaRow(case, case.value(), found.value, found.error)


def beside_madgraph(values: dict[str, Any]) -> list[MadGraphRow]:
    """Every stored point."""
    return _told(_madgraph_row(row) for row in values["points"])


def _madgraph_row(row: dict[str, Any]) -> MadGraphRow:
    card = Card.parse(
        {
            "process": {
                "definition": row["definition"],
                "t_channel_widths": True,
                "external_widths": True,
            },
            "parameters": row["parameters"],
            "beams": {"pdf": "none"},
        }
    )
    element = Process.from_card(card).matrix_element()
    (me2,) = element.squared(as_momenta([row["momenta"]]), ALPHA_S)
    return MadGraphRow(row["definition"], row["me2"], float(me2))


def _told(rows: Any) -> list[Any]:
    found = []
    for row in rows:
        found.append(row)
        print(row.as_markdown(), flush=True)
    return found


def _table(head: str, rows: Sequence[Compared]) -> str:
    return "\n".join([head, *(row.as_markdown() for row in rows)]) + "\n"


def main() -> None:
    """Compare everything, write the page and say what does not agree."""
    parser = results.command_line(__doc__ or "")
    parser.add_argument("--page", type=Path, metavar="FILE.md", help="where the page is written")
    options = parser.parse_args()
    options.seed, options.first = 1, 2 if options.quick else None
    options.points, options.events, options.pythia_events = (
        (20_000, 2_000, 10_000)
        if options.quick
        else (pythia_comparison.POINTS, pythia_comparison.EVENTS, pythia_comparison.PYTHIA_EVENTS)
    )
    values = json.loads(MADGRAPH_VALUES.read_text())
    amplitudes = beside_madgraph(values)
    formulas = beside_formulas(5_000 if options.quick else 50_000)
    pythia = beside_pythia(options)
    every: list[Compared] = [*pythia, *formulas, *amplitudes]
    results.write(options.output, "validation", [row.as_json() for row in every])
    facts = {"version": version("pythia8mc"), "points": options.points, "events": options.events}
    origin = textwrap.fill(f"|M|^2 at one point of each process against {values['origin']}", 100)
    page = "\n".join(
        [
            PREAMBLE,
            _table(f"{PYTHIA.format(**facts)}\n{pythia_comparison.HEADER}", pythia),
            _table(FORMULAS, formulas),
            _table(MADGRAPH.format(origin=origin), amplitudes),
        ]
    )
    if options.page:
        write_file(options.page, page.encode())
    failed = [row.as_markdown() for row in every if not row.agrees]
    pulls = [*(row.pull for row in pythia), *(row.pull for row in formulas)]
    rms = math.sqrt(math.fsum(one**2 for one in pulls) / len(pulls))
    print(f"{len(every)} comparisons, rms of pulls {rms:.2f}")
    if failed:
        sys.exit("\n".join(["beyond three standard errors:", *failed]))


if __name__ == "__main__":
    main()
