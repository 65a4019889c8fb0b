"""Cross sections and a distribution of many processes beside Pythia, with its parameters and cuts.

Prints the table of docs/validation.md; `--pdf NNPDF31_nnlo_as_0118_luxqed` has rows of README. Both
programs read the same grid of parton densities, without bottom quarks (which are massive here and
massless in Pythia's beams).
"""

from __future__ import annotations

import math
import tempfile
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pythia_side
import results
from numpy.typing import NDArray
from pythia_cases import CASES, Case
from pythia_observables import OBSERVABLES
from scipy.stats import chi2 as chi2_distribution

import madnis_py as mn
from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.pdf.pdf_sets import find_set
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

SCALE = 100.0
BINS = 20
POINTS = 400_000
EVENTS = 60_000
PYTHIA_EVENTS = 400_000
PYTHIA_EVENTS_OF_THREE = 60_000
BOTTOM = 5


@dataclass(frozen=True)
class Row:
    """The two programs for one process.

    Attributes:
        case: the process.
        ours: cross section and its error in pb.
        pythia: the same of Pythia.
        chi2: of the two distributions.
        dof: degrees of freedom of `chi2`.
    """

    case: Case
    ours: tuple[float, float]
    pythia: tuple[float, float]
    chi2: float
    dof: int

    @property
    def pull(self) -> float:
        """Difference of the cross sections in units of the combined error."""
        return (self.ours[0] - self.pythia[0]) / math.hypot(self.ours[1], self.pythia[1])

    @property
    def p_value(self) -> float:
        """Probability of a larger chi^2 if the distributions are the same."""
        return float(chi2_distribution.sf(self.chi2, self.dof))

    def as_json(self) -> dict[str, Any]:
        """The row as benchmarks write it."""
        return {
            "case": {"process": self.case.name},
            "ours": list(self.ours),
            "peer": list(self.pythia),
            "peer_name": "Pythia",
            "unit": "pb",
            "pull": self.pull,
            "observable": self.case.observable,
            "chi2": self.chi2,
            "dof": self.dof,
            "p_value": self.p_value,
        }

    def as_markdown(self) -> str:
        """The row of the table."""
        sigmas = [f"{sigma:.5g} +- {error:.1g}" for sigma, error in (self.ours, self.pythia)]
        shape = f"{self.case.observable}: {self.chi2:.1f} / {self.dof}, {self.p_value:.2g}"
        energy = f"{2 * self.case.energy:g}"
        return (
            f"| `{self.case.name}` | {energy} | {' | '.join(sigmas)} | {self.pull:+.1f} | {shape} |"
        )


HEADER = (
    "| process | E_cm / GeV | sigma / pb | Pythia | pull | distribution: chi^2 / dof, p |\n"
    "|---|---|---|---|---|---|"
)


def densities(folder: Path, name: str = "toy") -> Path:
    """A copy of a set without bottom quarks, central member; returns the folder of the copy."""
    source = find_set(name)
    target = folder / f"{name}_without_bottom"
    target.mkdir()
    info = "\n".join(source.entries) or source.info.read_text()
    (target / f"{target.name}.info").write_text(info)
    head, *subgrids = source.member(0).read_text().split("---\n")
    blocks = "".join("---\n" + _without_bottom(block) for block in subgrids)
    (target / f"{target.name}_0000.dat").write_text(head + blocks)
    return target


def _without_bottom(block: str) -> str:
    """A subgrid: three lines of knots and flavours, then the values, zeros for bottom quarks."""
    lines = block.splitlines(keepends=True)
    if len(lines) < 4:
        return block
    removed = {column for column, pdg in enumerate(lines[2].split()) if abs(int(pdg)) == BOTTOM}
    return "".join([*lines[:3], *(_zeroed(line, removed) for line in lines[3:])])


def _zeroed(line: str, columns: set[int]) -> str:
    return (
        " ".join("0.0" if column in columns else text for column, text in enumerate(line.split()))
        + "\n"
    )


def our_sample(card: Card, options: Namespace) -> tuple[float, float, NDArray[np.int32], Array]:
    """Cross section, its error, and PDG codes and momenta of the final particles of events."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Process.from_card(card), Path(folder), seed=options.seed, method="vegas")
        result = run.integrate(options.points)
        batches = list(mn.open_events(run.generate(options.events, Path(folder) / "events.lhe")))
    final = [(batch.pdg[:, 2:], batch.momenta[:, 2:]) for batch in batches]
    pdg, momenta = (np.concatenate(columns) for columns in zip(*final, strict=True))
    return result.sigma_pb, result.sigma_error_pb, pdg, momenta


def shape_chi2(first: Array, of_first: Array, second: Array) -> tuple[float, int]:
    """chi^2 of two normalised distributions in bins that hold equally many events of the second.

    Args:
        first: values of the observable, float64 (n,).
        of_first: weights of these events, float64 (n,).
        second: values of as many unweighted events as there are, float64 (m,).

    Returns:
        chi^2 and its degrees of freedom, one less than there are bins.
    """
    inner = np.unique(np.quantile(second, np.linspace(0, 1, BINS + 1)[1:-1]))
    shares, variances = zip(
        *(
            _shares(values, weights, inner)
            for values, weights in ((first, of_first), (second, np.ones(len(second))))
        ),
        strict=True,
    )
    difference, variance = shares[0] - shares[1], variances[0] + variances[1]
    return float((difference**2 / variance).sum()), len(inner)


def _shares(values: Array, weights: Array, inner: Array) -> tuple[Array, Array]:
    """Share of each bin, and what replaces its variance in a chi^2 of shares that sum to one."""
    place = np.searchsorted(inner, values)
    total = weights.sum()
    share = np.bincount(place, weights, len(inner) + 1) / total
    squares = np.bincount(place, weights**2, len(inner) + 1) / total**2
    return share, squares


def compare(case: Case, grid: Path, options: Namespace) -> Row:
    """Run both programs."""
    model = Model("sm", case.parameters)
    cards = [Card.parse(case.card(definition, str(grid), SCALE)) for definition in case.definitions]
    alpha_s = float(load_pdf(str(grid)).alpha_s(np.array([SCALE**2]))[0])
    ours = [our_sample(card, options) for card in cards]
    three = len(case.definitions[0].split(">")[1].split()) > 2
    file = grid / f"{grid.name}_0000.dat"
    wanted = min(options.pythia_events, PYTHIA_EVENTS_OF_THREE) if three else options.pythia_events
    theirs = pythia_side.sample(case, model, file, SCALE, alpha_s, wanted, options.seed)
    observable = OBSERVABLES[case.observable]
    values = np.concatenate([observable(pdg, p) for _, _, pdg, p in ours])
    weights = np.concatenate([np.full(len(pdg), sigma / len(pdg)) for sigma, _, pdg, _ in ours])
    chi2, dof = shape_chi2(values, weights, observable(theirs.pdg, theirs.momenta))
    sigma, error = sum(one[0] for one in ours), math.hypot(*(one[1] for one in ours))
    return Row(case, (sigma, error), (theirs.sigma, theirs.error), chi2, dof)


def main() -> None:
    """Compare the processes one after the other."""
    parser = results.command_line(__doc__ or "")
    parser.add_argument("--points", type=int, default=POINTS, help="of our integration")
    parser.add_argument("--events", type=int, default=EVENTS, help="of ours, of each definition")
    parser.add_argument(
        "--pythia-events",
        type=int,
        default=PYTHIA_EVENTS,
        help="of Pythia, fewer with three particles",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pdf", default="toy", help="name of an installed set")
    parser.add_argument(
        "--process", action="append", help="only those whose definition contains this text"
    )
    options = parser.parse_args()
    if options.quick:
        options.points, options.events, options.pythia_events = 20_000, 2_000, 10_000
    wanted = [
        case
        for case in CASES
        if not options.process or any(text in case.name for text in options.process)
    ]
    rows = []
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        grid = densities(Path(folder), options.pdf)
        for case in wanted:
            rows.append(compare(case, grid, options))
            print(rows[-1].as_markdown(), flush=True)
            results.write(options.output, "pythia_comparison", [row.as_json() for row in rows])


if __name__ == "__main__":
    main()
