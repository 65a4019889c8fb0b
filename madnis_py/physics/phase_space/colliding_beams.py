"""Beams as maps of phase space see them: energies, masses, and which share a parton carries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from madnis_py import _core

Share = Literal["whole", "smooth", "peaked"]
"""Of a beam: all of it, a share whose density is smooth, or one with a density that has a peak at
1."""


@dataclass(frozen=True)
class CollidingBeam:
    """A beam and the parton that it brings.

    Attributes:
        energy: of a parton that carries all of it, in GeV.
        share: which share a parton carries.
        mass: of the parton in GeV; 0 where its share varies.
        power: of the peak (1 - x)^(power - 1) of the density of shares.
    """

    energy: float
    share: Share
    mass: float = 0.0
    power: float = 1.0

    @property
    def momentum(self) -> float:
        """Of a parton that carries all of it, in GeV."""
        return math.sqrt((self.energy - self.mass) * (self.energy + self.mass))

    @property
    def described(self) -> _core.Beam:
        """The same for kernels."""
        share = _core.ShareKind[self.share]
        return _core.Beam(energy=self.energy, mass=self.mass, share=share, power=self.power)


@dataclass(frozen=True)
class CollidingBeams:
    """Two beams, the first along +z and the second along -z.

    Attributes:
        first: along +z.
        second: along -z.
    """

    first: CollidingBeam
    second: CollidingBeam

    @classmethod
    def hadrons(cls, energies: Sequence[float]) -> CollidingBeams:
        """Beams of massless hadrons with these energies in GeV."""
        first, second = (CollidingBeam(energy, "smooth") for energy in energies)
        return cls(first, second)

    @classmethod
    def partons(
        cls, energies: Sequence[float], masses: Sequence[float] = (0.0, 0.0)
    ) -> CollidingBeams:
        """Beams of partons with these energies and masses in GeV."""
        first, second = (
            CollidingBeam(energy, "whole", mass)
            for energy, mass in zip(energies, masses, strict=True)
        )
        return cls(first, second)

    @property
    def both(self) -> tuple[CollidingBeam, CollidingBeam]:
        """The beams in their order."""
        return self.first, self.second

    @property
    def energies(self) -> tuple[float, float]:
        """Of partons that carry all of their beams, in GeV."""
        return self.first.energy, self.second.energy

    @property
    def masses(self) -> tuple[float, float]:
        """Of the partons in GeV."""
        return self.first.mass, self.second.mass

    @property
    def shares(self) -> tuple[Share, Share]:
        """Which shares the partons carry."""
        return self.first.share, self.second.share

    @property
    def partonic(self) -> bool:
        """Whether both beams are their partons."""
        return self.shares == ("whole", "whole")

    @property
    def dim(self) -> int:
        """Number of shares that vary."""
        return sum(share != "whole" for share in self.shares)

    @property
    def s(self) -> float:
        """Largest energy squared of the partons in GeV^2."""
        (first, second), masses = self.both, sum(mass**2 for mass in self.masses)
        product = first.energy * second.energy + first.momentum * second.momentum
        return masses + 2 * product
