"""A phase-space map for any process, flat and slow: for tests of integrands without real maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.channel import Channel
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.process.process import Process


class FlatMapping(ChannelMapping):
    """Isotropic decays, one particle after the other; squared masses and fractions are uniform."""

    def __init__(self, process: Process) -> None:
        legs = process.flavours[0]
        self.masses = [process.model.mass(pdg) for pdg in legs[2:]]
        self.beams, self.hadronic = (
            np.array(process.beams.momenta),
            process.card.beams.pdf != "none",
        )
        self.n_particles = len(legs)
        self.dim = 3 * len(self.masses) - 4 + 2 * self.hadronic

    def forward(self, x: Array) -> tuple[Array, Array]:
        columns = iter(x.T)
        shares = [next(columns) if self.hadronic else np.ones(len(x)) for _ in (0, 1)]
        incoming = [share[:, None] * beam for share, beam in zip(shares, self.beams, strict=True)]
        rest, jacobian = incoming[0] + incoming[1], np.ones(len(x))
        outgoing: list[Array] = []
        for number in range(len(self.masses) - 1, 0, -1):
            last, others = self.masses[number], sum(self.masses[:number])
            s = square(rest)
            inside = s > (last + others) ** 2
            s = np.where(inside, s, (last + others + 1.0) ** 2)
            low, high = others**2, (np.sqrt(s) - last) ** 2
            below = low + (high - low) * next(columns) if number > 1 else np.full(len(x), low)
            jacobian = jacobian * inside * ((high - low) / (2 * np.pi) if number > 1 else 1.0)
            root = np.sqrt(np.maximum((s - last**2 - below) ** 2 - 4 * last**2 * below, 0.0))
            jacobian = jacobian * root / (8 * np.pi * s)
            leaving = boosted(
                isotropic(root / (2 * np.sqrt(s)), last, next(columns), next(columns)),
                rest,
                np.sqrt(s),
            )
            outgoing.insert(0, leaving)
            rest = rest - leaving
        return as_momenta(np.stack([*incoming, rest, *outgoing], axis=1)), jacobian

    def inverse(self, p: Array) -> tuple[Array, Array]:
        raise NotImplementedError


def square(p: Array) -> Array:
    result: Array = p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1)
    return result


def isotropic(momentum: Array, mass: float, x: Array, y: Array) -> Array:
    cos, phi = 2 * x - 1, 2 * np.pi * y
    sin = np.sqrt(1 - cos**2)
    energy = np.sqrt(momentum**2 + mass**2)
    return np.stack(
        [energy, *(momentum * one for one in (sin * np.cos(phi), sin * np.sin(phi), cos))], axis=1
    )


def boosted(p: Array, system: Array, mass: Array) -> Array:
    """From the rest frame of a system to where it has this momentum."""
    along = (p[:, 1:] * system[:, 1:]).sum(axis=1)
    energy = (p[:, 0] * system[:, 0] + along) / mass
    factor = (p[:, 0] + energy) / (mass + system[:, 0])
    return np.column_stack([energy, p[:, 1:] + factor[:, None] * system[:, 1:]])


def with_channels(process: Process, *diagrams: tuple[int, ...]) -> Process:
    """The process with a flat channel for each set of columns, of all diagrams by default."""
    sets = diagrams or (tuple(range(process.diagram_offsets[-1])),)
    copy = replace(process)
    mapping = FlatMapping(process)
    copy.__dict__["channels"] = tuple(
        Channel(f"flat {number}", mapping, columns, (), number)
        for number, columns in enumerate(sets)
    )
    return copy


def flat_integrand(process: Process, *diagrams: tuple[int, ...]) -> CrossSection:
    """The integrand with flat channels."""
    return CrossSection(with_channels(process, *diagrams))
