"""What to cite, beside the parton densities and programs that a run has used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Publication:
    """A publication, as CITATION.cff of the package has it.

    Attributes:
        authors: family names.
        title: of it.
        published: where and when.
        arxiv: its number, if it has one.
    """

    authors: str
    title: str
    published: str
    arxiv: str = ""

    def __str__(self) -> str:
        number = f", arXiv:{self.arxiv}" if self.arxiv else ""
        return f"{self.authors}: {self.title}, {self.published}{number}"


_RELOADED = "Heimel, Huetsch, Maltoni, Mattelaer, Plehn, Winterhalder"

REFERENCES: Sequence[Publication] = (
    Publication(
        "Heimel, Winterhalder, Butter, Isaacson, Krause, Maltoni, Mattelaer, Plehn",
        "MadNIS - Neural multi-channel importance sampling",
        "SciPost Physics 15, 141 (2023)",
        "2212.06172",
    ),
    Publication(_RELOADED, "The MadNIS Reloaded", "2023", "2311.01548"),
    Publication(
        "Heimel, Mattelaer, Plehn, Winterhalder", "Differentiable MadNIS-Lite", "2024", "2408.01486"
    ),
    Publication(
        "Heimel",
        "The Flow of LHC Events: Generative models for LHC simulations and inference",
        "PhD thesis, Heidelberg University, 2024",
    ),
)
"""The papers of the method."""
