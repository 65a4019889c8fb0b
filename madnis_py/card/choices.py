"""Words that a user chooses from, in cards and on the command line; imports nothing heavy."""

from __future__ import annotations

from typing import Literal

Method = Literal["madnis", "vegas", "auto"]
"""How points are sampled: by a flow, by VEGAS grids with the same channels, or the cheaper one."""

Preset = Literal["quick", "standard", "paper"]
"""Size of networks and training."""

DEVICE_NAME = r"cpu|cuda(:[0-9]+)?|emulated"
"""Where a run computes, as a regular expression: the processor, a GPU, or a GPU emulated on the
processor."""

PriorName = Literal["auto", "diagram", "propagator", "density", "flat"]
"""Channel weights before the training."""

DYNAMICAL_SCALES = ("ht", "sum_et", "sum_mt", "sqrt_s")
"""Scales that follow from the momenta of an event; cards may ask for parts of them, "ht/3"."""

CLUSTERING = "clustering"
"""The scale that follows from the kT clustering of an event along the diagrams of its process."""

PictureFormat = Literal["svg", "png", "pdf"]
"""Formats of pictures of histograms."""

Kept = Literal["nothing", "helicities", "colours"]
"""What of an event a reweighting keeps, where it does not sum over everything."""
