"""The shipped processes: VEGAS and the neural sampler on the same channels, and flat phase space.

Prints the table of docs/results.md: sigma, error, relative standard deviation and unweighting
efficiency.
"""

from __future__ import annotations

import math
import tempfile
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import results

from madnis_py.card import card as cards
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.parallel.executors import thread_executor
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

PROCESSES = (
    "www", "vbs_ww", "w2j", "w3j", "ttbar_1j", "ttbar_2j", "ttbar", "ttbar_pp_1j", "dijet", "z_1j",
    "ww_leptons", "higgs_ttbar", "drell_yan", "drell_yan_zprime", "w4j", "ttbar_3j",
)  # fmt: skip
FLAT_POINTS = 300_000


@dataclass(frozen=True)
class Row:
    """The figures of one process.

    Attributes:
        name: of the card.
        record: content of run.json.
        flat: sigma and its error from flat phase space in pb.
    """

    name: str
    record: dict[str, Any]
    flat: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """The row as benchmarks write it: relative standard deviation of VEGAS over the flow's."""
        vegas, neural = self.record["vegas"], self.record["madnis"]
        return {
            "case": {"process": self.name, "channels": len(self.record["channels"])},
            "ours": neural["relative_std"],
            "peer": vegas["relative_std"],
            "peer_name": "VEGAS with the same channels",
            "unit": "std/mean",
            "ratio": vegas["relative_std"] / neural["relative_std"],
            "sigma_pb": [neural["sigma_pb"], neural["sigma_error_pb"]],
            "sigma_vegas_pb": [vegas["sigma_pb"], vegas["sigma_error_pb"]],
            "sigma_flat_pb": list(self.flat),
            "chi2_per_dof": [neural["chi2_per_dof"], vegas["chi2_per_dof"]],
            "efficiency": [neural["unweighting"]["efficiency"], vegas["unweighting"]["efficiency"]],
            "seconds": {stage: part["seconds"] for stage, part in self.record["stages"].items()},
        }

    def as_markdown(self) -> str:
        """The row of the table."""
        vegas, neural = self.record["vegas"], self.record["madnis"]
        sigmas = [(one["sigma_pb"], one["sigma_error_pb"]) for one in (neural, vegas)]
        pulls = [_pull(sigmas[0], other) for other in (sigmas[1], self.flat)]
        efficiencies = [one["unweighting"]["efficiency"] for one in (neural, vegas)]
        cells = [
            f"`{self.name}`",
            str(len(self.record["channels"])),
            *(f"{sigma:.5g} +- {error:.1g}" for sigma, error in (*sigmas, self.flat)),
            ", ".join(f"{pull:+.1f}" for pull in pulls),
            f"{neural['relative_std']:.3g}, {vegas['relative_std']:.3g}",
            ", ".join(f"{100 * efficiency:.3g} %" for efficiency in efficiencies),
            f"{efficiencies[0] / efficiencies[1]:.3g}",
        ]
        return f"| {' | '.join(cells)} |"


HEADER = (
    "| card | channels | sigma / pb, neural | VEGAS | flat | pulls "
    "| std / mean, neural, VEGAS | efficiency | ratio |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def _pull(a: tuple[float, float], b: tuple[float, float]) -> float:
    return (a[0] - b[0]) / math.hypot(a[1], b[1])


def flat_sigma(name: str, points: int) -> tuple[float, float]:
    """Sigma and its error from flat phase space adapted by VEGAS, in pb."""
    card = cards.load(name).updated({"channels": {"phase_space": "flat"}})
    settings = VegasSettings(points=points)
    _, estimate = train_vegas(CrossSection(Process.from_card(card)), settings, seed=3)
    return estimate.value, estimate.error


def measure(name: str, options: Namespace) -> Row:
    """Run one process in a temporary directory."""
    card = cards.load(name).updated(
        {"training": {"preset": "quick" if options.quick else options.preset}}
    )
    with tempfile.TemporaryDirectory() as folder, thread_executor(options.threads) as executor:
        run = Run(Process.from_card(card), Path(folder), seed=1, executor=executor)
        run.integrate(20_000 if options.quick else None)
        record = run.record.content()
    return Row(name, record, flat_sigma(name, 20_000 if options.quick else FLAT_POINTS))


def main() -> None:
    """Measure the processes one after the other."""
    parser = results.command_line(__doc__ or "")
    parser.add_argument("--preset", default="quick", help="size of the training")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--process", action="append", choices=PROCESSES, help="only these")
    options = parser.parse_args()
    rows = []
    print(HEADER, flush=True)
    for name in options.process or (("ttbar",) if options.quick else PROCESSES):
        rows.append(measure(name, options))
        print(rows[-1].as_markdown(), flush=True)
        results.write(
            options.output, "processes", [row.as_json() for row in rows], preset=options.preset
        )


if __name__ == "__main__":
    main()
