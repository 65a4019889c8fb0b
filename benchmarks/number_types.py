"""What subnetworks in float64 would cost a flow whose points are float64 anyway.

    OMP_NUM_THREADS=1 python benchmarks/number_types.py [--quick] --output FILE.json

CPU time of the kernels on one thread, both number types in turn: medians, and the ratio float64 /
float32 with the middle three quarters of all rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Literal

import results
import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import stream

CASES = [(4, 8), (10, 8), (16, 8)]
"""Dimensions and channels."""

POINTS = 1055
"""Points of a batch, 200 n_c^0.8 for eight channels."""


def works(
    dtype: Literal["float32", "float64"], dim: int, n_channels: int
) -> dict[str, Callable[[], object]]:
    """Sampling, and a density with its gradient, of a flow with subnetworks of this type."""
    flow = SplineFlow(dim, n_channels, FlowSettings(dtype=dtype))
    generator = torch.Generator().manual_seed(1)
    channel = torch.randint(n_channels, (POINTS,), generator=generator).sort().values
    x = torch.rand(POINTS, dim, generator=generator, dtype=torch.float64)

    def density_and_gradient() -> Tensor:
        flow.zero_grad()
        log_q = flow.log_prob(x, channel).sum()
        log_q.backward()
        return log_q

    return {
        "sample": lambda: flow.sample(channel, stream(2)),
        "log_prob and backward": density_and_gradient,
    }


def compared(dim: int, n_channels: int, rounds: int) -> list[dict[str, Any]]:
    """One row for each kind of work."""
    single, double = works("float32", dim, n_channels), works("float64", dim, n_channels)
    rows = []
    for name in single:
        times = [(_seconds(double[name]), _seconds(single[name])) for _ in range(rounds + 1)][1:]
        of_double, of_single = (statistics.median(one) for one in zip(*times, strict=True))
        eighths = statistics.quantiles([slow / fast for slow, fast in times], n=8)
        row = {"work": name, "dim": dim, "channels": n_channels, "points": POINTS}
        row |= {"float64": 1e3 * of_double, "float32": 1e3 * of_single, "unit": "ms"}
        rows.append(row | {"ratio": eighths[3], "spread": [eighths[0], eighths[-1]]})
    return rows


def _seconds(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = results.command_line((__doc__ or "").splitlines()[0]).parse_args(arguments)
    _core.set_thread_count(1)
    torch.set_num_threads(1)
    cases, rounds = (CASES[:1], 4) if options.quick else (CASES, 40)
    rows = [row for dim, n_channels in cases for row in compared(dim, n_channels, rounds)]
    results.write(options.output, "number_types", rows)
    for row in rows:
        print(
            "{work}, D {dim}: float64 {float64:.1f} ms, float32 {float32:.1f} ms, "
            "ratio {ratio:.2f}".format(**row)
        )


if __name__ == "__main__":
    main()
