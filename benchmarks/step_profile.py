"""Where the milliseconds of a training step go, with fused kernels and in plain torch.

    OMP_NUM_THREADS=1 python benchmarks/step_profile.py [--quick] --output FILE.json

CPU time of the calling thread in the parts of `Trainer.step`, kernels on one thread, both ways in
turn. The integrand is a mixture of one Gaussian per channel.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import results
import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import ChannelWeights
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import FunctionIntegrand
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer

CASES = [(4, 8), (10, 1), (10, 8), (10, 48), (16, 8)]


class Clock:
    """CPU time spent inside functions, each without the timed ones that it calls."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    @contextmanager
    def timing(self, owner: Any, name: str, part: str) -> Iterator[None]:
        """Count the time of `owner.name` under this part."""
        original = getattr(owner, name)
        with patch.object(
            owner, name, lambda *args, **options: self.timed(part, original, *args, **options)
        ):
            yield

    def timed(self, part: str, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call the function."""
        start = time.thread_time()
        self._inner.append(0.0)
        result = function(*args, **options)
        whole = time.thread_time() - start
        self.spent[part] += whole - self._inner.pop()
        self._inner[-1] += whole
        return result


def gaussians(dim: int, count: int) -> Callable[[Tensor], Tensor]:
    """Sum of Gaussians in the unit cube."""
    generator = torch.Generator().manual_seed(1)
    mean = 0.25 + 0.5 * torch.rand(count, dim, generator=generator, dtype=torch.float64)
    width = 0.08 + 0.12 * torch.rand(count, generator=generator, dtype=torch.float64)
    return lambda x: torch.exp(
        -torch.cdist(x, mean).square() / (2 * width**2) - dim * width.log()
    ).sum(1)


def make_trainer(dim: int, n_channels: int, fused: bool) -> Trainer:
    """A trainer at the settings of the benchmarks of the thesis."""
    integrand = FunctionIntegrand(gaussians(dim, n_channels), dim, n_channels)
    flow = SplineFlow(dim, n_channels, fused=fused)
    batch = min(int(200 * n_channels**0.8), 10_000)
    return Trainer(
        ImportanceSampler(integrand, flow), TrainingSettings(steps=10_000, batch_size=batch)
    )


def step_parts(trainer: Trainer, steps: int) -> dict[str, float]:
    """Median CPU time of each part of a step in milliseconds."""
    timed = [
        (trainer.sampler.flow, "sample", "sample"),
        (trainer.sampler.flow, "log_prob", "log_prob"),
        (trainer.sampler.integrand, "evaluate", "integrand"),
        (ChannelWeights, "forward", "channel weights"),
        (trainer._update.adam, "take_gradient", "backward"),
        (trainer._update.adam, "step", "optimiser"),
        (trainer, "_finish", "copy to go back to"),
    ]
    samples: dict[str, list[float]] = defaultdict(list)
    for _ in range(steps):
        clock = Clock()
        with ExitStack() as stack:
            for owner, name, part in timed:
                stack.enter_context(clock.timing(owner, name, part))
            clock.timed("rest", trainer.step)
        for part, seconds in clock.spent.items():
            samples[part].append(1e3 * seconds)
    return {part: statistics.median(values) for part, values in samples.items()}


def rows(dim: int, n_channels: int, rounds: int, steps: int) -> list[dict[str, Any]]:
    """One row per part of the step and one for all of it."""
    trainers = [make_trainer(dim, n_channels, fused) for fused in (True, False)]
    for trainer in trainers:
        step_parts(trainer, 3)
    measured = [[step_parts(trainer, steps) for trainer in trainers] for _ in range(rounds)]
    pairs = {
        part: [(ours[part], plain[part]) for ours, plain in measured] for part in measured[0][0]
    }
    pairs["step"] = [(sum(ours.values()), sum(plain.values())) for ours, plain in measured]
    return [
        _row({"dim": dim, "channels": n_channels, "part": part}, both)
        for part, both in pairs.items()
    ]


def _row(case: dict[str, Any], pairs: list[tuple[float, float]]) -> dict[str, Any]:
    ratios = sorted(plain / ours for ours, plain in pairs)
    ours, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
    return {
        "case": case,
        "ours": ours,
        "peer": plain,
        "peer_name": "plain torch",
        "unit": "ms",
        "ratio": statistics.median(ratios),
        "spread": [ratios[0], ratios[-1]],
    }


def main() -> None:
    """Measure and write."""
    arguments = results.command_line(__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    _core.set_thread_count(1)
    cases, rounds, steps = (CASES[2:3], 2, 10) if arguments.quick else (CASES, 5, 30)
    table = [row for case in cases for row in rows(*case, rounds, steps)]
    results.write(arguments.output, "step_profile", table)


if __name__ == "__main__":
    main()
