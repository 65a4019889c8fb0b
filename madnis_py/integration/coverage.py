"""Signs that a sampler has missed a part of the integrand.

No sample can show a peak that no point has come near. What can be seen are its shoulders (a few
points with enormous weights that carry the variance), its late discovery (an integral that moves by
more than its errors), and what another sampler knows of it. Every check returns sentences with the
channel and the figure; none of them proves anything, and silence is no proof either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # loads its parts when they are needed
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.integration.estimate import Estimate, Measurement, Moments
from madnis_py.integration.samples import Samples

FEWEST_POINTS = 100
"""Points of a channel below which its mean is too far from a Gaussian for a chi^2."""

_Subject = Callable[[str], str]

_ROUNDING = 1e-12
"""Relative distance of two sums of the same numbers in another order; constant integrands have no
other error."""


@dataclass(frozen=True)
class Thresholds:
    """From where on a figure is worth a sentence.

    Attributes:
        weight_share: part of the variance of the integral that one point may carry. Weights with a
            tail P(w > W) ~ W^-a give about N^(2/a - 1) for a > 2 and about 1 - a/2, whatever N is,
            when the variance does not exist (a < 2); on the shoulders of an unresolved resonance a
            is 1/2. Well-covered integrands stay below 0.11 from 20,000 points on.
        point_share: part of the integral that one point may carry; well-covered integrands stay
            below 0.003 from 20,000 points on.
        fewest_points: sample size below which a single point says nothing, because its share is
            naturally large.
        factor: how many times larger than the largest weight of the scan a fresh weight has to be
            to count as excess.
        excess_share: part of the integral that such weights may carry.
        pull: difference of two measurements in units of its error.
        p_value: probability of a chi^2 at least as large; that of 5 standard deviations.
    """

    weight_share: float = 0.25
    point_share: float = 0.01
    fewest_points: int = 10_000
    factor: float = 10.0
    excess_share: float = 0.01
    pull: float = 5.0
    p_value: float = 5.7e-7


@dataclass(frozen=True)
class CoverageCheck:
    """The checks for an integrand with given channels.

    Attributes:
        channels: names of the channels.
        thresholds: from where on to speak.
    """

    channels: Sequence[str]
    thresholds: Thresholds = Thresholds()

    def sampler(self, name: str, parts: Sequence[Samples]) -> list[str]:
        """All checks of the fresh points of one sampler.

        Args:
            name: of the sampler.
            parts: independent iterations, two at least, each sorted by channel.
        """
        half = len(parts) // 2
        scan, fresh = (
            Samples.concatenate(some).sorted_by_channel() for some in (parts[:half], parts[half:])
        )
        estimates = [self._moments(part).estimate() for part in parts]
        return [
            *self.dominant_weight(name, Samples.concatenate([scan, fresh])),
            *self.fresh_weights(name, scan, fresh),
            *self.iterations(name, estimates),
        ]

    def dominant_weight(self, name: str, samples: Samples) -> list[str]:
        """Whether a single point carries much of the integral or of its variance.

        The variance is sum_i sigma_i^2 / N_i.
        """
        moments = self._moments(samples)
        per_point = 1 / (moments.counts.double() * (moments.counts - 1)).clamp(min=1)
        total = float((moments.squares * per_point).sum())
        deviations = (samples.weight - moments.means[samples.channel]).square() * per_point[
            samples.channel
        ]
        worst = int(deviations.argmax())
        share = float(deviations[worst]) / total if total else 0.0
        channel = int(samples.channel[worst])
        carried = abs(float(samples.weight[worst] / moments.counts[channel] / moments.means.sum()))
        calm = share <= self.thresholds.weight_share and carried <= self.thresholds.point_share
        if calm or len(samples) < self.thresholds.fewest_points:
            return []
        return [
            f"{name}: channel {self.channels[channel]}: one of {len(samples):,} points carries "
            f"{share:.0%} of the variance and {carried:.2%} of the integral; a peak may be hardly "
            "covered and the error too small"
        ]

    def fresh_weights(self, name: str, scan: Samples, fresh: Samples) -> list[str]:
        """Channels with much of the integral in fresh points far above the largest of a scan.

        Args:
            name: of the sampler.
            scan: points that the largest weights come from.
            fresh: points that had no part in them.
        """
        return self._excess(
            largest_weights(scan, len(self.channels)),
            fresh,
            fresh.magnitude,
            lambda channel: f"{name}: channel {channel}: fresh points have weights",
            "the largest of an earlier sample",
        )

    def blind_spots(
        self, name: str, largest: Tensor, source: str, known: Samples, weight: Tensor
    ) -> list[str]:
        """Channels that a sampler hardly visits, though another one has found points there.

        With the sampler these points would have enormous weights.

        Args:
            name: of the sampler that is judged.
            largest: its largest weights, float64, shape (n_channels,).
            source: name of the other sampler.
            known: its points.
            weight: their magnitudes in the sampler that is judged, shape (n,), see
                `ImportanceSampler.magnitudes`.
        """
        return self._excess(
            largest,
            known,
            weight,
            lambda channel: (
                f"{name}: channel {channel}: points that {source} found would have weights"
            ),
            "the largest seen",
        )

    def iterations(self, name: str, estimates: Sequence[Estimate]) -> list[str]:
        """Channels whose iterations disagree by chi^2.

        Iterations without variance say nothing.
        """
        sentences = []
        least = self.thresholds.p_value / len(self.channels)
        for index, channel in enumerate(self.channels):
            chi2, dof = _channel_chi2(estimates, index)
            if dof > 0 and scipy.special.chdtrc(dof, chi2) < least:
                sentences.append(
                    f"{name}: channel {channel}: iterations disagree, "
                    f"chi^2/dof = {chi2 / dof:.3g} [{dof}]; "
                    "errors are too small or a peak was found late"
                )
        return sentences

    def agreement(self, first: Measurement, second: Measurement) -> list[str]:
        """Whether two independent measurements differ by more than their errors allow."""
        error = float(np.hypot(first.error, second.error))
        distance = abs(first.value - second.value)
        rounding = _ROUNDING * max(abs(first.value), abs(second.value))
        if not distance > max(self.thresholds.pull * error, rounding):
            return []
        apart = (
            f"{distance / error:.1f} standard deviations apart"
            if error
            else "different without any error"
        )
        return [f"{first} and {second} are {apart}; one of them misses something"]

    def overweights(self, name: str, weight: NDArray[np.float64], allowed: float) -> list[str]:
        """Whether unweighted events carry more above the maxima than was expected.

        The share was expected when the maxima were found.

        Args:
            name: of the stage.
            weight: event weights in units of 1 for an event below its maximum, float64, shape (n,).
            allowed: overweight share that the maxima were made for.
        """
        size = np.abs(weight)
        excess = float((size - 1).clip(min=0).sum() / size.sum())
        most = float(size.max())
        if most <= self.thresholds.factor or excess <= self.thresholds.factor * allowed:
            return []
        return [
            f"{name}: events up to {most:.3g} times above the maximum weights carry {excess:.2%} "
            f"of the cross section where {allowed:.2%} was expected; a peak may have been missed "
            "when the maxima were found"
        ]

    def _excess(
        self, largest: Tensor, points: Samples, weight: Tensor, subject: _Subject, reference: str
    ) -> list[str]:
        counts = self._moments(points).counts.clamp(min=1)
        sizes = points.magnitude / counts[points.channel]
        ratio = weight / largest[points.channel]
        giant = ratio > self.thresholds.factor
        carried = (
            sizes.new_zeros(len(self.channels)).index_add(0, points.channel[giant], sizes[giant])
            / sizes.sum()
        )
        return [
            f"{subject(self.channels[i])} up to "
            f"{float(ratio[points.channel == i].max()):.3g} times {reference}, and "
            f"those above {self.thresholds.factor:g} times carry {carried[i]:.2%} of the integral"
            for i in (carried > self.thresholds.excess_share).nonzero().flatten().tolist()
        ]

    def _moments(self, samples: Samples) -> Moments:
        return Moments.of_samples(samples, len(self.channels))


def largest_weights(samples: Samples, n_channels: int) -> Tensor:
    """Largest magnitude of each channel, float64, shape (n_channels,); 0 without points."""
    zeros = samples.weight.new_zeros(n_channels)
    return zeros.scatter_reduce(0, samples.channel, samples.magnitude, "amax")


def _channel_chi2(estimates: Sequence[Estimate], channel: int) -> tuple[float, int]:
    """chi^2 of a channel around the inverse-variance mean, and its degrees of freedom."""
    values = np.array([part.channel_values[channel].item() for part in estimates])
    stds = np.array([part.channel_stds[channel].item() for part in estimates])
    counts = np.array([part.channel_counts[channel].item() for part in estimates])
    known = (stds > 0) & (counts >= FEWEST_POINTS)
    if known.sum() < 2:
        return 0.0, 0
    precision = counts[known] / stds[known] ** 2
    mean = precision @ values[known] / precision.sum()
    return float(precision @ (values[known] - mean) ** 2), int(known.sum()) - 1
