"""Masses of the particles of beams, those of the Particle Data Group."""

from __future__ import annotations

from types import MappingProxyType

PROTON = 2212
"""PDG code of the proton."""

MASSES: MappingProxyType[int, float] = MappingProxyType(
    {11: 0.51099895e-3, 13: 0.1056583755, PROTON: 0.938272}
)
"""PDG code of a particle -> its mass in GeV."""
