"""Unweighted points of a sampler: a scan for the maxima, then trials until there are enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from madnis_py.errors import GenerationError
from madnis_py.events.channel_maxima import channel_maxima
from madnis_py.events.unweighting import Unweighter, UnweightingTally
from madnis_py.integration.estimate import unit_of
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.parallel.random_streams import RandomStream, stream

MOST_TRIALS = 2**18
"""Trials at a time."""


@dataclass(frozen=True)
class Hits:
    """Trials that hit, in random order.

    Attributes:
        x: points of the unit cube, float64, shape (n, dim).
        channel: int64, shape (n,), CPU.
        weight: |w| / M_i where that is above 1, else 1, with the sign of the part of the integrand
            that the point is drawn from; float64, shape (n,).
        tally: sums over all trials.
    """

    x: Tensor
    channel: Tensor
    weight: Tensor
    tally: UnweightingTally

    @property
    def efficiency(self) -> float:
        """Hits per trial that were to be expected."""
        return self.tally.accepted / self.tally.trials

    @property
    def overweight_share(self) -> float:
        """Share of the integral of |f| above the maxima."""
        return 1.0 - self.tally.accepted / self.tally.magnitude

    @classmethod
    def joined(cls, parts: Sequence[Hits]) -> Hits:
        """The hits of all parts, in their order."""
        return cls(
            torch.cat([part.x for part in parts]),
            torch.cat([part.channel for part in parts]),
            torch.cat([part.weight for part in parts]),
            sum((part.tally for part in parts), UnweightingTally()),
        )


@dataclass(frozen=True)
class HitOrMiss:
    """Hit or miss, Eq. (2.66) of the MadNIS thesis, with the points of a sampler.

    Attributes:
        sampler: draws the points, and names the random streams by its seed.
        unweighter: with the maxima.
        unit: of the maxima, in which weights can be added up whatever their size.
        efficiency: hits per trial that the scan lets expect.
    """

    sampler: ImportanceSampler
    unweighter: Unweighter
    unit: float
    efficiency: float

    @classmethod
    def scanned(
        cls, sampler: ImportanceSampler, counts: Tensor, overweight_share: float
    ) -> HitOrMiss:
        """With maxima from a scan.

        Args:
            sampler: draws the points.
            counts: of the scan, points per channel, int64, shape (n_channels,).
            overweight_share: share of the integral of |f| that may lie above the maxima.

        Raises:
            InputError: the share is outside [0, 1).
            GenerationError: all weights of the scan are 0.
        """
        scan = sampler.sample(counts, "scan").weights_only()
        unit = unit_of(scan.magnitude.numpy())
        scan = scan.in_unit(unit)
        unweighter = Unweighter(channel_maxima(scan, len(counts), overweight_share))
        return cls(sampler, unweighter, unit, unweighter.expect(scan).accepted)

    def hits(self, n: int) -> Hits:
        """At least n hits; the first n of them are what n independent ones are.

        Raises:
            GenerationError: there are none, although the scan lets expect a hundred.
        """
        parts: list[Hits] = []
        tally, missing = UnweightingTally(), n
        while missing > 0:
            if not tally.accepted and tally.trials > 100 / self.efficiency:
                raise GenerationError(
                    f"unweight: expected a point in {1 / self.efficiency:.0f} trials, as in the "
                    f"scan; got none in {tally.trials:.0f}"
                )
            parts.append(self._trials(self._enough(missing), len(parts)))
            tally += parts[-1].tally
            missing -= len(parts[-1].weight)
        return Hits.joined(parts)

    def _enough(self, n: int) -> int:
        """Trials that are probably enough for n hits."""
        return min(MOST_TRIALS, math.ceil(1.05 * n / self.efficiency) + 100)

    def _trials(self, trials: int, number: int) -> Hits:
        """The hits of some trials; their number is part of the names of the random streams."""
        counts = self.unweighter.trials(trials, self._stream(number, "channels"))
        samples = self.sampler.sample(counts, "unweight", number).in_unit(self.unit)
        accepted = self.unweighter.accept(samples, self._stream(number, "accept").uniform(trials))
        order = self._stream(number, "order").permutation(len(accepted.index))
        hits = samples.select(accepted.index[order])
        ratio, size = self.unweighter.ratios(hits)
        uniform = self._stream(number, "sign").uniform(len(hits)).numpy()
        sign = np.where(uniform < (size + ratio) / (2 * size), 1.0, -1.0)  # so that r is its mean
        weight = torch.from_numpy(sign * np.maximum(size, 1.0))
        return Hits(hits.x, hits.channel, weight.to(hits.x.device), accepted.tally)

    def _stream(self, number: int, purpose: str) -> RandomStream:
        return stream(self.sampler.seed, "unweight", number, purpose)
