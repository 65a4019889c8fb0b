"""Distributions of observables as samplers have learned them, beside those that they should be.

A point of channel i stands for w / N_i of the cross section, which gives the true distribution,
whatever the sampler. A sampler that has learned everything has equal weights, the integral I_i of
the channel: counting I_i / N_i for each point that has passed the cuts gives what it has learned,
Fig. 5.11 of the MadNIS thesis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from madnis_py.arrays import Array
from madnis_py.devices.device import CPU
from madnis_py.events.histograms.automatic_bins import WeightedValues, binnings
from madnis_py.events.histograms.histogram import Binning
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.sampled_states import LivePoints, Parts, SampledStates
from madnis_py.physics.observables.observable import Observable, usual_observables
from madnis_py.run.diagnostics.channel_groups import ChannelGroup
from madnis_py.run.diagnostics.rounding import rounded
from madnis_py.run.stages.record_part import Edges, RecordPart
from madnis_py.run.stages.results import SampledPoints

STACKED = 5
"""Groups of channels that are told apart, those of the largest shares."""

_MOST_POINTS = 100_000
"""Points of a sampler that are used."""


class LearnedContent(RecordPart):
    """An observable in the points of one sampler; pb per bin."""

    true: tuple[float, ...] = Field(description="Cross section of each bin.")
    true_errors: tuple[float, ...] = Field(description="Their standard errors.")
    learned: tuple[float, ...] = Field(description="The same as the sampler draws its points.")
    channels: tuple[tuple[float, ...], ...] = Field(
        description="Parts of `learned` by the channels of `LearnedDistribution.channels`."
    )


class LearnedDistribution(RecordPart):
    """An observable, as samplers have learned it."""

    observable: str = Field(description="As a card calls it.")
    label: str = Field(description="As it is set in print, in mathtext.")
    unit: str = Field(description='"GeV", or "" without a unit.')
    edges: Edges = Field(description="Ends of the bins, ascending.")
    channels: tuple[str, ...] = Field(description="Groups of channels told apart; others last.")
    samplers: dict[SamplerName, LearnedContent] = Field(description="Contents by sampler.")

    @model_validator(mode="after")
    def _has_a_number_per_bin(self) -> Self:
        bins = len(self.edges) - 1
        for content in self.samplers.values():
            columns = (content.true, content.true_errors, content.learned, *content.channels)
            if any(len(column) != bins for column in columns):
                raise ValueError(f"samplers: expected {bins} numbers for {bins} bins; got others")
            if len(content.channels) != len(self.channels):
                expected = f"samplers: expected {len(self.channels)} channels"
                raise ValueError(f"{expected}; got {len(content.channels)}")
        if "vegas" not in self.samplers:
            raise ValueError("samplers: expected vegas; got none")
        return self


def learned_distributions(
    cross_section: CrossSection,
    sampled: Mapping[SamplerName, SampledPoints],
    groups: Sequence[ChannelGroup],
) -> tuple[LearnedDistribution, ...]:
    """Distributions of the usual observables, and of those that the card asks for.

    Args:
        cross_section: of the process, on the CPU.
        sampled: points of each sampler.
        groups: of channels, that of the largest share first.
    """
    process = cross_section.process
    finals = [legs[process.definition.n_incoming :] for legs in process.flavours]
    usual = usual_observables(finals, process.model)
    asked = [
        (Observable.parse(text, process.model), table)
        for text, table in process.card.histograms.items()
    ]
    observables = [*usual, *(observable for observable, _ in asked)]
    classes = [codes for one in observables for codes in one.classes]
    states = SampledStates(cross_section, classes)
    points = {
        name: _PointsOfSampler.of(one, states, cross_section.n_channels)
        for name, one in sampled.items()
    }
    first = points["vegas"].live
    values = [WeightedValues.of(one, first.parts, points["vegas"].true) for one in observables]
    kept = groups if len(groups) <= STACKED + 1 else groups[:STACKED]
    names = [group.name for group in kept]
    if others := len(process.channels) - sum(len(group.members) for group in kept):
        names.append(f"{others} others")
    return tuple(
        LearnedDistribution(
            observable=str(binning.observable),
            label=binning.observable.symbol,
            unit=binning.observable.unit,
            edges=rounded(binning.edges, 8),
            channels=tuple(names),
            samplers={name: one.content(binning, kept) for name, one in points.items()},
        )
        for binning in binnings(usual, asked, values)
    )


class _PointsOfSampler:
    """Points of a sampler with what they stand for.

    Attributes:
        live: points that have passed the cuts.
        true: their parts w / N_i of the cross section in pb, without the signs of flavours,
            float64, shape (n,).
        learned: I_i / N_i with the accepted points N_i, float64, shape (n,).
    """

    def __init__(self, live: LivePoints, true: Array, n_channels: int) -> None:
        self.live, self.true, self._n_channels = live, true, n_channels
        accepted = np.bincount(live.channel, minlength=n_channels)
        integrals = np.bincount(live.channel, true * live.share, minlength=n_channels)
        self.learned = (integrals / np.maximum(accepted, 1))[live.channel]

    @classmethod
    def of(cls, points: SampledPoints, states: SampledStates, n_channels: int) -> _PointsOfSampler:
        samples = points.first
        if len(samples) > _MOST_POINTS:
            step = -(-len(samples) // _MOST_POINTS)
            samples = samples.select(samples.channel.new_tensor(range(0, len(samples), step)))
        samples = samples.to(CPU)
        counts = np.bincount(samples.channel.numpy(), minlength=n_channels)
        live = states.of_live(samples)
        return cls(live, live.magnitude / counts[live.channel], n_channels)

    def content(self, binning: Binning, kept: Sequence[ChannelGroup]) -> LearnedContent:
        """An observable in these points, with the parts of some groups and of all others."""
        shapes = binning.entries(self._shapes, np.ones(len(self.true)))[:, 1:-2]
        true = self.true * self.live.share
        parts = [
            shapes.T @ np.where(np.isin(self.live.channel, group.members), self.learned, 0.0)
            for group in kept
        ]
        learned = shapes.T @ self.learned
        if sum(len(group.members) for group in kept) < self._n_channels:
            parts.append(learned - np.sum(parts, axis=0))
        return LearnedContent(
            true=rounded(shapes.T @ true),
            true_errors=rounded(np.sqrt(shapes.power(2).T @ true**2)),
            learned=rounded(learned),
            channels=tuple(rounded(part) for part in parts),
        )

    @cached_property
    def _shapes(self) -> Parts:
        """Final states whose parts add up to 1 in every point, whatever the signs of flavours."""
        whole = np.sum([share for _, share in self.live.parts], axis=0)
        safe = np.where(whole == 0, 1.0, whole)
        return [(final, share / safe) for final, share in self.live.parts]
