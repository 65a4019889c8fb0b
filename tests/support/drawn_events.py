"""Partonic events of a process, drawn from points of its integrand."""

from __future__ import annotations

from typing import Any

import torch

from madnis_py.card.card import Card
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import (
    DRAWS,
    PartonicEvents,
    PartonicEventSampler,
)
from madnis_py.physics.process.process import Process

PARTONS = {"pdf": "none", "energy": [400.0, 400.0]}


def process(text: str, **tables: Any) -> Process:
    beams = {"pdf": "toy"} if text.startswith("p ") else PARTONS
    return Process.from_card(
        Card.parse({"process": {"definition": text}, "beams": beams, **tables})
    )


def points(one: CrossSection, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.rand(n, one.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    channel = torch.zeros(n, dtype=torch.int64)
    inside = one.evaluate(x, channel).value > 0
    return x[inside], channel[inside]


def drawn(one: CrossSection, x: torch.Tensor, channel: torch.Tensor) -> PartonicEvents:
    uniform = torch.rand(
        len(x), DRAWS, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    return PartonicEventSampler(one).sample(x, channel, uniform)
