"""Weight spectrum of a sampler: how the weights of its trials lie below and above their maxima."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from madnis_py.arrays import Array
from madnis_py.integration.samples import Samples
from madnis_py.run.diagnostics.rounding import rounded
from madnis_py.run.stages.record_part import Edges, NonNegative, RecordPart

LOWEST, HIGHEST, BINS = 1e-4, 1e2, 72
"""Ends of the spectrum in w / M, and its bins, of equal width in the logarithm."""


class WeightSpectrum(RecordPart):
    """Distribution of w / M over trials, whose channels are drawn in proportion to the maxima M.

    A trial is accepted with the probability w / M, so its mean is the unweighting efficiency, and
    what lies above 1 is the overweight part.
    """

    edges: Edges = Field(description="Ends of the bins in w / M, ascending.")
    shares: tuple[NonNegative, ...] = Field(description="Share of the trials in each bin.")
    zero: NonNegative = Field(description="Share of the trials without weight.")
    below: NonNegative = Field(description="Share of the trials with less than the first bin.")
    above: NonNegative = Field(description="Share of the trials with more than the last bin.")
    mean: NonNegative = Field(description="Mean of w / M, the unweighting efficiency.")
    overweight: NonNegative = Field(description="Share of the trials above the maxima.")

    @model_validator(mode="after")
    def _has_a_share_per_bin(self) -> Self:
        if len(self.edges) != len(self.shares) + 1:
            expected = f"shares: expected {len(self.edges) - 1} of them, one per bin"
            raise ValueError(f"{expected}; got {len(self.shares)}")
        if self.edges[0] <= 0:
            raise ValueError(f"edges: expected numbers > 0; got {self.edges[0]:g}")
        return self

    @classmethod
    def of(cls, points: Samples, maxima: Array) -> Self:
        """The spectrum of some points.

        Args:
            points: of a sampler, all channels.
            maxima: M of each channel, float64, shape (n_channels,).
        """
        channel = points.channel.numpy()
        counts = np.bincount(channel, minlength=len(maxima))
        trials = np.divide(
            maxima, counts * maxima.sum(), out=np.zeros_like(maxima), where=counts > 0
        )
        own, of_trial = maxima[channel], trials[channel]
        weight = points.weight.abs().numpy()
        ratio = np.divide(weight, own, out=np.zeros_like(weight), where=own > 0)
        edges = np.geomspace(LOWEST, HIGHEST, BINS + 1)
        place = np.searchsorted(edges, ratio, side="right")
        shares = np.bincount(place, of_trial, minlength=BINS + 2)
        zero = float(of_trial[ratio == 0].sum())
        return cls(
            edges=rounded(edges),
            shares=rounded(shares[1:-1]),
            zero=zero,
            below=max(float(shares[0]) - zero, 0.0),
            above=float(shares[-1]),
            mean=float(of_trial @ ratio),
            overweight=float(of_trial[ratio > 1].sum()),
        )
