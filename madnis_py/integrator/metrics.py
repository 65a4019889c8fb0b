"""How good the weights of an integrator are: spread, effective points, unweighting efficiencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from madnis_py.arrays import Array
from madnis_py.events.channel_maxima import magnitudes_by_channel
from madnis_py.events.unweighting_quality import UnweightingQuality, truncated_quality
from madnis_py.integration.estimate import Estimate, combine, estimate, unit_of
from madnis_py.integration.samples import Samples
from madnis_py.notebook import html_table

SHARES = (0.0, 0.001, 0.01)
"""Overweight shares of the maxima, unless others are asked for; 0 are the largest weights."""


@dataclass(frozen=True)
class ChannelMetrics:
    """Figures of one channel by itself.

    Attributes:
        share: its part of the integral, I_i / I.
        relative_std: sigma_i / |I_i|.
        kish: (sum |w|)^2 / (n sum w^2) of its weights, 1 where they are all the same.
        efficiency: overweight share -> unweighting efficiency.
    """

    share: float
    relative_std: float
    kish: float
    efficiency: Mapping[float, float]


@dataclass(frozen=True, repr=False)
class Metrics:
    """Figures of the weights of fresh points.

        metrics = integrator.metrics(100_000)
        metrics.efficiency[0.001], metrics.kish, metrics.channels[0].efficiency[0.001]

    Maxima come from one half of the points and are used on the other, so that no figure is better
    than that of new events. A share of 0.001 needs some 10^5 points per channel.

    Attributes:
        estimate: of the integral.
        relative_std: std/mean, sum_i sigma_i / |I|.
        kish: Kish's effective number of the weighted points over their number, (sum |w|)^2 /
            (n sum w^2).
        negative_share: share of the integral of |f| where f is negative.
        efficiency: overweight share -> unweighting efficiency, the mean of |w| over the maximum,
            with channels drawn in proportion to their maxima.
        overweight_share: overweight share that was aimed at -> the one that new events have.
        event_kish: overweight share -> Kish's effective number of the unweighted events over their
            number.
        channels: the same of each channel.
    """

    estimate: Estimate
    kish: float
    negative_share: float
    efficiency: Mapping[float, float]
    overweight_share: Mapping[float, float]
    event_kish: Mapping[float, float]
    channels: tuple[ChannelMetrics, ...]

    @classmethod
    def of(cls, halves: Sequence[Samples], n_channels: int, shares: Sequence[float]) -> Metrics:
        """The figures of two independent samples.

        Raises:
            InputError: a share is outside [0, 1).
            GenerationError: all weights are 0.
        """
        total = combine([estimate(half, n_channels) for half in halves])
        unit = unit_of(*(half.magnitude.numpy() for half in halves))
        halves = [half.in_unit(unit) for half in halves]
        quality = {one: truncated_quality(halves, n_channels, one) for one in shares}
        points = Samples.concatenate(halves).sorted_by_channel()
        sizes = magnitudes_by_channel(points, n_channels)
        size = sum(_mean(one) for one in sizes)
        return cls(
            estimate=total,
            kish=_kish(sizes),
            negative_share=(1.0 - total.value / unit / size) / 2,
            efficiency={one: found.combined.efficiency for one, found in quality.items()},
            overweight_share={
                one: found.combined.overweight_share for one, found in quality.items()
            },
            event_kish={one: found.combined.n_eff for one, found in quality.items()},
            channels=tuple(
                _channel(
                    total, i, sizes[i], {one: found.channels[i] for one, found in quality.items()}
                )
                for i in range(n_channels)
            ),
        )

    @property
    def relative_std(self) -> float:
        """std/mean, sum_i sigma_i / |I|."""
        return self.estimate.relative_std

    def __repr__(self) -> str:
        return "\n".join(": ".join(row) for row in [("Metrics", str(self.estimate)), *self._rows()])

    def _repr_html_(self) -> str:
        return html_table(str(self.estimate), self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("std/mean", f"{self.relative_std:.4g}"),
            ("effective share of the points (Kish)", f"{self.kish:.4g}"),
            *(
                (f"unweighting efficiency, {_maxima(share)}", f"{value:.4g}")
                for share, value in self.efficiency.items()
            ),
        ]


def _maxima(share: float) -> str:
    return f"overweights {share:.2%}" if share else "largest weights as maxima"


def _channel(
    total: Estimate, i: int, size: Array, quality: Mapping[float, UnweightingQuality]
) -> ChannelMetrics:
    value, std = float(total.channel_values[i]), float(total.channel_stds[i])
    return ChannelMetrics(
        share=value / total.value if total.value else 0.0,
        relative_std=std / abs(value) if value else 0.0,
        kish=_kish([size]),
        efficiency={share: found.efficiency for share, found in quality.items()},
    )


def _kish(sizes: Sequence[Array]) -> float:
    """(sum |w|)^2 / (n sum w^2) of all points, where a channel counts as its mean does."""
    n = sum(len(size) for size in sizes)
    first = sum(_mean(size) for size in sizes)
    second = sum(n / len(size) * _mean(size**2) for size in sizes if len(size))
    return first**2 / second if second else 0.0


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0
