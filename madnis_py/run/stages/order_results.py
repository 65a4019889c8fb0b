"""Cross sections by squared coupling orders, from the points of the integrate stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import Field

from madnis_py.arrays import Array
from madnis_py.integration.samples import Samples
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.run.stages.record_part import NonNegative, RecordPart

LARGEST_SHARE = 0.1
"""Share of one point in the variance of a squared order above which a warning names it."""

_BLOCK = 32_768
"""Points whose matrix elements are evaluated at a time."""


class OrderResult(RecordPart):
    """The part of a cross section with some powers of couplings in |M|^2."""

    order: str = Field(description='What it is, "NP^2==1".')
    sigma_pb: float = Field(description="Its cross section in pb; may be negative.")
    sigma_error_pb: NonNegative = Field(description="Standard error of it in pb.")
    covariance_pb2: tuple[float, ...] = Field(
        description="Covariance with each of the orders in pb^2, which have the same points."
    )


def order_results(names: Sequence[str], values: Array, covariance: Array) -> list[OrderResult]:
    """The results of squared orders.

    Args:
        names: of the orders.
        values: cross sections in pb, float64, shape (n_orders,).
        covariance: of the values, pb^2, float64, shape (n_orders, n_orders).
    """
    errors = np.sqrt(np.diag(covariance))
    rows = zip(names, values.tolist(), errors.tolist(), covariance.tolist(), strict=True)
    return [
        OrderResult(order=name, sigma_pb=value, sigma_error_pb=error, covariance_pb2=tuple(row))
        for name, value, error, row in rows
    ]


def summed(results: Sequence[Sequence[OrderResult]]) -> list[OrderResult]:
    """The results of several processes together, which have the same orders."""
    values = sum(np.array([one.sigma_pb for one in each]) for each in results)
    covariance = sum(np.array([one.covariance_pb2 for one in each]) for each in results)
    names = [one.order for one in results[0]]
    return order_results(names, np.asarray(values), np.asarray(covariance))


@dataclass(frozen=True)
class OrderEstimate:
    """Estimate of the cross sections of squared orders from one iteration, or several.

    Attributes:
        names: of the orders.
        n: points.
        values: in pb, float64, shape (n_orders,).
        covariance: of the values in pb^2, float64, shape (n_orders, n_orders).
        largest: part of the variance of each that is due to a single point, pb^2, float64, shape
            (n_orders,).
    """

    names: tuple[str, ...]
    n: int
    values: Array
    covariance: Array
    largest: Array

    @classmethod
    def of(cls, samples: Samples, cross_section: CrossSection) -> Self:
        """The estimate from weighted points; see `integration.estimate.Moments`.

        Args:
            samples: points with their coordinates, sorted by channel.
            cross_section: the integrand.
        """
        weights = _weights(samples, cross_section)
        names = cross_section.process.order_names
        values, largest = np.zeros((2, len(names)))
        covariance = np.zeros((len(names), len(names)))
        ends = np.cumsum(np.bincount(samples.channel.numpy()))
        for start, end in pairwise([0, *ends.tolist()]):
            if start < end:
                mean = weights[start:end].mean(axis=0)
                distance = weights[start:end] - mean
                pairs = (end - start) * (end - start - 1)
                values += mean
                covariance += distance.T @ distance / pairs
                largest = np.maximum(largest, np.square(distance).max(axis=0) / pairs)
        return cls(names, len(samples), values, covariance, largest)

    @classmethod
    def combined(cls, estimates: Sequence[Self]) -> Self:
        """Independent estimates, each weighted by its share of all points."""
        n = sum(one.n for one in estimates)
        shares = [(one, one.n / n) for one in estimates]
        values = sum(share * one.values for one, share in shares)
        covariance = sum(share**2 * one.covariance for one, share in shares)
        largest = np.max([share**2 * one.largest for one, share in shares], axis=0)
        names = estimates[0].names
        return cls(names, n, np.asarray(values), np.asarray(covariance), largest)

    @property
    def results(self) -> tuple[OrderResult, ...]:
        """What is written down."""
        return tuple(order_results(self.names, self.values, self.covariance))

    @property
    def sentences(self) -> Iterator[str]:
        """Orders whose points are too few where they are large."""
        for name, variance, largest in zip(
            self.names, np.diag(self.covariance), self.largest, strict=True
        ):
            if variance > 0 and largest > LARGEST_SHARE * variance:
                yield (
                    f"{name}: one point has {largest / variance:.0%} of the variance, because the "
                    "whole |M|^2 is small where this part is not: its error may be too small, and "
                    "events with these weights are worth few; another coefficient helps"
                )


def _weights(samples: Samples, cross_section: CrossSection) -> Array:
    """Weights of the squared orders in pb, float64, shape (n, n_orders)."""
    magnitude = samples.magnitude.cpu().numpy()
    weights = np.zeros((len(samples), len(cross_section.process.squared_orders)))
    live = np.flatnonzero(magnitude)
    x = samples.x.cpu()
    for start in range(0, len(live), _BLOCK):
        rows = live[start : start + _BLOCK]
        p, _ = cross_section.momenta(x[rows], samples.channel[rows])
        weights[rows] = magnitude[rows, None] * cross_section.order_shares(p)
    return weights
