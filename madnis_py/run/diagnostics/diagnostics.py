"""Diagnostics of a run: diagnostics.json, what is kept of the points of the integrate stage.

Figures are in run.json; this is what pictures are drawn from. It can be made again by another
integrate stage, and nothing that a run computes depends on it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field

from madnis_py.card.documents import parse_document, read_file
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.output_file import write_file
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.run.diagnostics.channel_diagrams import ChannelDiagram, channel_diagrams
from madnis_py.run.diagnostics.channel_groups import channel_groups
from madnis_py.run.diagnostics.correlations import Correlation, strongest_correlation
from madnis_py.run.diagnostics.learned_distributions import (
    LearnedDistribution,
    learned_distributions,
)
from madnis_py.run.diagnostics.weight_spectrum import WeightSpectrum
from madnis_py.run.stages.integration import Integration
from madnis_py.run.stages.record_part import RecordPart

DIAGNOSTICS = "diagnostics.json"
"""Name of the file."""


class Diagnostics(RecordPart):
    """What is kept of the points of the integrate stage."""

    groups: tuple[int, ...] = Field(
        description="Symmetry group of each channel: those of one are alike and share a density."
    )
    weights: Annotated[dict[SamplerName, WeightSpectrum], Field(min_length=1)] = Field(
        description="Distribution of the weights of each sampler."
    )
    distributions: tuple[LearnedDistribution, ...] = Field(
        description="Distributions of the usual observables, as they are and as they were learned."
    )
    correlation: Correlation | None = Field(
        None, description="The strongest correlation that grids cannot follow; none in 1 dimension."
    )
    diagrams: tuple[ChannelDiagram, ...] = Field(
        description="Diagrams of the channels that contribute most, these first."
    )

    @classmethod
    def of(cls, cross_section: CrossSection, found: Integration) -> Diagnostics:
        """What is kept of points.

        Args:
            cross_section: the integrand, on the CPU.
            found: by the integrate stage.
        """
        sampled, results = found.sampled, found.results
        numbers = tuple(cross_section.groups or range(cross_section.n_channels))
        best = results.get("madnis", results["vegas"])
        groups = channel_groups(numbers, best.channels)
        return cls(
            groups=numbers,
            weights={
                name: WeightSpectrum.of(points.trials.merged(), results[name].maxima)
                for name, points in sampled.items()
            },
            distributions=learned_distributions(cross_section, sampled, groups),
            correlation=strongest_correlation(
                {name: points.first for name, points in sampled.items()},
                cross_section.channel_names,
                numbers,
            ),
            diagrams=channel_diagrams(cross_section.process, groups),
        )

    @classmethod
    def read(cls, directory: Path) -> Diagnostics | None:
        """Those of a run; None where none were kept.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = directory / DIAGNOSTICS
        return parse_document(read_file(path), cls, str(path)) if path.exists() else None

    def write(self, directory: Path) -> None:
        """Write the file.

        Raises:
            OutputError: the file system refuses.
        """
        content = json.dumps(self.model_dump(mode="json"), separators=(",", ":")) + "\n"
        write_file(directory / DIAGNOSTICS, content.encode())
