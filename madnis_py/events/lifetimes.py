"""Lifetimes of unstable particles in events, drawn from their widths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from madnis_py.events.event_batch import EventBatch
from madnis_py.parallel.random_streams import RandomStream
from madnis_py.physics.model.model import Model

HBAR_C = 1.973269804e-13
"""GeV mm, from the exact values of the SI."""


@dataclass(frozen=True)
class Lifetimes:
    """Draws c tau from an exponential distribution with the mean hbar c / width.

    Attributes:
        widths: |PDG code| -> total width in GeV, > 0.
        least: c tau in mm; what does not exceed it is 0.
    """

    widths: Mapping[int, float]
    least: float

    @classmethod
    def of_model(cls, model: Model, least: float) -> Lifetimes:
        """Lifetimes of all unstable particles of a model; `least` as above."""
        widths = {particle.pdg: model.width(particle.pdg) for particle in model.particles}
        return cls({pdg: width for pdg, width in widths.items() if width > 0}, least)

    def drawn(self, events: EventBatch, numbers: RandomStream) -> EventBatch:
        """The events with a c tau of every unstable particle, intermediate ones too."""
        mean = np.zeros(events.pdg.shape)
        for pdg, width in self.widths.items():
            mean[events.used & (np.abs(events.pdg) == pdg)] = HBAR_C / width
        length = -np.log1p(-numbers.uniform(*mean.shape).numpy()) * mean
        return replace(events, lifetime=np.where(length > self.least, length, 0.0))
