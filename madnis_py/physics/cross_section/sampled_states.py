"""Final states at sampled points, for each group of flavours that is to be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.integration.samples import Samples
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.flavour_patterns import FlavourPatterns
from madnis_py.physics.observables.final_state import FinalState

Parts = Sequence[tuple[FinalState, Array]]
"""Final states of the same events, each with its share of the magnitude of every event, shape
(n,)."""


@dataclass(frozen=True)
class LivePoints:
    """Points that some flavours contribute to.

    Attributes:
        channel: int64, shape (n,).
        magnitude: `Samples.magnitude`, float64, shape (n,).
        share: weight over magnitude, 1 where no parton density is negative, float64, shape (n,).
        parts: final states and shares of each group of flavours, as from `SampledStates`; empty
            without points.
    """

    channel: NDArray[np.int64]
    magnitude: Array
    share: Array
    parts: Parts


class SampledStates:
    """Final states at points of phase space, for each group of flavours that is to be told apart.

    Args:
        cross_section: maps points to momenta, and shares them out over the flavours.
        classes: sets of PDG codes; flavours whose particles belong to the same ones are not told
            apart.
    """

    def __init__(self, cross_section: CrossSection, classes: Iterable[frozenset[int]]) -> None:
        self._cross_section = cross_section
        self._patterns = FlavourPatterns(
            cross_section.flavours, classes, cross_section.process.definition.n_incoming
        )
        groups = np.arange(len(self._patterns))
        self._members = np.equal.outer(self._patterns.group, groups)  # (n_flavours, n_groups)

    def __call__(self, x: Tensor, channel: Tensor, share: Array) -> Parts:
        """The final states of points that some flavours contribute to.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,).
            share: weight over magnitude at every point, float64, shape (n,).

        Returns:
            for each group of flavours the final states, and its share of the magnitude at every
            point, (n,).
        """
        p, _ = self._cross_section.momenta(x, channel)
        shares = (
            share[None]
            if len(self._patterns) == 1
            else (self._cross_section.flavour_shares(p) @ self._members).T
        )
        return list(zip(self._patterns.states(p), shares, strict=True))

    def of_live(self, samples: Samples) -> LivePoints:
        """The final states of the points whose magnitude is not 0."""
        weights = samples.weights_only()
        live = weights.magnitude.nonzero().squeeze(1)
        channel, magnitude = samples.channel[live], weights.magnitude[live].numpy()
        share = weights.weight[live].numpy() / magnitude
        x = samples.x[live.to(samples.x.device)].cpu()
        parts = self(x, channel, share) if len(live) else []
        return LivePoints(channel.numpy(), magnitude, share, parts)
