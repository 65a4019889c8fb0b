"""Loss of ours and of madnis on one integrand, step by step, and errors of the trained flows.

    OMP_NUM_THREADS=1 python benchmarks/loss_curves.py [--quick] [--threads N] --output FILE.json

Stratified variance of the same mixture of Gaussians, same networks, batches, rate and allocation;
several seeds. The curves are in the JSON file under `curves` and are drawn over each other in
FILE.svg. Every training has one thread; N of them run at a time.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from matplotlib.axes import Axes
from side_by_side import (
    MADNIS,
    Program,
    Row,
    batch_size,
    command_line,
    finish,
    installed,
    our_side,
    row,
)
from toy_rows import drawing
from workers import Side, warm_context

CASES = [(4, 8), (10, 1)]
STEPS = 400
SEEDS = 2
POINTS = 50_000
"""Of the integral after the training."""


@dataclass(frozen=True)
class Curve:
    """A training and what it left behind.

    Attributes:
        program: with version.
        dim: dimension of the integrand.
        channels: of the integrand.
        seed: of the training.
        loss: of each step.
        deviation: relative error of an integral with fresh points, times the root of their number.
    """

    program: str
    dim: int
    channels: int
    seed: int
    loss: list[float]
    deviation: float

    @property
    def case(self) -> tuple[int, int]:
        """Dimensions and channels."""
        return self.dim, self.channels

    @property
    def final_loss(self) -> float:
        """Mean over the last tenth of the steps."""
        return statistics.fmean(self.loss[-max(1, len(self.loss) // 10) :])


def train(side: Side) -> Curve:
    """One training; in a process of its own."""
    given = side.arguments
    module = import_module(side.module)
    module.start(threads=1)
    loss, deviation = module.loss_curve(**given)
    return Curve(side.name, given["dim"], given["n_channels"], given["seed"], loss, deviation)


def rows(pairs: Sequence[tuple[Curve, Curve]]) -> list[Row]:
    """Final loss and error of each case; one pair of figures per seed, ours first."""
    result = []
    for case in _cases([ours for ours, _ in pairs]):
        of_case = [pair for pair in pairs if pair[0].case == case]
        facts, peer = (
            {"dim": case[0], "channels": case[1], "steps": len(pairs[0][0].loss)},
            pairs[0][1].program,
        )
        losses = [(ours.final_loss, theirs.final_loss) for ours, theirs in of_case]
        deviations = [(ours.deviation, theirs.deviation) for ours, theirs in of_case]
        result.append(
            row({"figure": "loss, last tenth of the steps"} | facts, losses, peer, "(sigma / I)^2")
        )
        result.append(
            row({"figure": "error x sqrt(n), fresh points"} | facts, deviations, peer, "sigma / I")
        )
    return result


def draw(file: Path, curves: Sequence[Curve]) -> None:
    """All curves of a case in one panel, smoothed over a fiftieth of the steps."""
    cases = _cases(curves)
    with drawing(file, (5 * len(cases), 4)) as figure:
        for axes, case in zip(figure.subplots(1, len(cases), squeeze=False)[0], cases, strict=True):
            _draw_case(axes, case, [curve for curve in curves if curve.case == case])


def _cases(curves: Sequence[Curve]) -> list[tuple[int, int]]:
    return list(dict.fromkeys(curve.case for curve in curves))


def _draw_case(axes: Axes, case: tuple[int, int], curves: Sequence[Curve]) -> None:
    programs = list(dict.fromkeys(curve.program for curve in curves))
    for curve in curves:
        axes.semilogy(_smooth(curve.loss), f"C{programs.index(curve.program)}", lw=1, alpha=0.8)
    for i, program in enumerate(programs):
        axes.plot([], [], f"C{i}", label=program)
    axes.set(
        xlabel="step",
        ylabel="stratified variance / I$^2$",
        title=f"{case[0]} dimensions, {case[1]} channels",
    )
    axes.legend()


def _smooth(loss: Sequence[float]) -> list[float]:
    width = max(1, len(loss) // 50)
    return [statistics.median(loss[max(0, i - width + 1) : i + 1]) for i in range(len(loss))]


def jobs(peer: Program, quick: bool) -> list[Side]:
    """All trainings: ours, the peer's with the same seed, and so on."""
    cases, steps, seeds, n = (CASES[:1], 6, 1, 1000) if quick else (CASES, STEPS, SEEDS, POINTS)
    works = [
        {"dim": dim, "n_channels": n_channels, "batch": batch_size(n_channels, quick), "seed": seed}
        for dim, n_channels in cases
        for seed in range(seeds)
    ]
    return [
        side
        for work in works
        for side in (
            our_side("loss_curve", steps=steps, n=n, **work),
            peer.side("loss_curve", steps=steps, n=n, **work),
        )
    ]


def main(arguments: list[str] | None = None) -> None:
    """Train, write, draw and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    table: list[Row] = []
    curves: list[Curve] = []
    for peer in installed(MADNIS):
        with ProcessPoolExecutor(options.threads, warm_context()) as pool:
            curves = list(pool.map(train, jobs(peer, options.quick)))
        table = rows(list(zip(curves[::2], curves[1::2], strict=True)))
        draw(options.output.with_suffix(".svg"), curves)
    finish(options, "loss_curves", table, curves=[asdict(curve) for curve in curves])


if __name__ == "__main__":
    main()
