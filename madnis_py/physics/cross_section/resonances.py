"""Resonances of an event: particles whose mass a shower has to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array, Integers
from madnis_py.physics.colour.colour_vertices import representation_of
from madnis_py.physics.colour.open_lines import open_lines
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process


@dataclass(frozen=True)
class ResonanceLine:
    """An unstable particle that a diagram has in the s channel.

    Attributes:
        pdg: PDG code, with the sign of what decays.
        legs: bit mask over the positions of the legs that it decays to.
    """

    pdg: int
    legs: int


def resonance_lines(
    diagram: Diagram, model: Model, n_incoming: int = 2
) -> tuple[ResonanceLine, ...]:
    """The unstable lines of a diagram that decay to final particles, mothers before daughters.

    A particle that radiates and goes on, such as t > t g, is no resonance, nor is what comes in.
    """
    incoming = (1 << n_incoming) - 1
    inside = [
        tree
        for tree in diagram.tree.subtrees()
        if tree.children
        and not tree.legs & incoming
        and not (n_incoming == 1 and tree is diagram.tree)
    ]
    unstable = [
        tree
        for tree in inside
        if model.width(tree.pdg) > 0
        and not any(abs(child.pdg) == abs(tree.pdg) for child in tree.children)
    ]
    ordered = sorted(unstable, key=lambda tree: (-tree.n_legs, tree.legs))
    return tuple(ResonanceLine(model.anti(tree.pdg), tree.legs) for tree in ordered)


@dataclass(frozen=True)
class Resonances:
    """Intermediate particles of n events, at most R in each, mothers before daughters.

    Attributes:
        pdg: PDG codes, 0 where there is none, int32, shape (n, R).
        legs: bit masks over the positions of the legs that they decay to, int64, shape (n, R).
        colour: colour and anticolour numbers, int32, shape (n, R, 2).
    """

    pdg: Integers
    legs: NDArray[np.int64]
    colour: Integers


class ResonanceTable:
    """Table of the intermediate particles of events, by flavours, diagram and momenta.

    A particle is written where its mass is within some widths of the pole and the colours of its
    decay products add up to its own.

    Args:
        process: whose diagrams.
        window: distance from the pole in widths.

    Attributes:
        most: largest number of them in an event.
    """

    def __init__(self, process: Process, window: float) -> None:
        model = process.model
        lines = [
            resonance_lines(diagram, model, process.definition.n_incoming)
            for group in process.groups
            for diagram in process.diagrams(group)
        ]
        self.most = max(map(len, lines), default=0)
        self._pdg = np.zeros((len(lines), self.most), np.int32)
        self._legs = np.zeros((len(lines), self.most), np.int64)
        for row, found in enumerate(lines):
            self._pdg[row, : len(found)] = [line.pdg for line in found]
            self._legs[row, : len(found)] = [line.legs for line in found]
        self._mass = _looked_up(self._pdg, model.mass)
        self._reach = window * _looked_up(self._pdg, model.width)
        self._n_incoming = process.definition.n_incoming
        self._representation = _looked_up(
            self._pdg, lambda pdg: representation_of(model, pdg)
        ).astype(np.int32)
        sizes = [len(group.flavours) for group in process.groups]
        self._first = np.repeat(process.diagram_offsets[:-1], sizes)

    def find(
        self, p: Array, colour: Integers, flavour: NDArray[np.intp], diagram: NDArray[np.intp]
    ) -> Resonances:
        """The intermediate particles of events.

        Args:
            p: momenta in GeV, float64 (n, P, 4).
            colour: colour and anticolour numbers of the legs, int32 (n, P, 2).
            flavour: row of each event among the flavours of the process, (n,).
            diagram: one of the diagrams of these flavours, (n,).
        """
        row = self._first[flavour] + diagram
        pdg, legs = self._pdg[row], self._legs[row]
        members = _members(legs, p.shape[1])
        near = np.abs(_masses(p, members) - self._mass[row]) <= self._reach[row]
        own, fits = open_lines(colour, members, self._representation[row], self._n_incoming)
        return Resonances(np.where(near & fits & (pdg != 0), pdg, 0).astype(np.int32), legs, own)


def _looked_up(pdg: Integers, value: Callable[[int], float]) -> Array:
    """A property of the particles of a table; 0 where there is none."""
    known = {int(code): float(value(int(code))) for code in np.unique(pdg) if code}
    return np.array([known.get(int(code), 0.0) for code in pdg.ravel()]).reshape(pdg.shape)


def _members(legs: NDArray[np.int64], n_legs: int) -> NDArray[np.bool_]:
    """Which legs belong to each mask, bool (n, R, P)."""
    return np.asarray(legs[..., None] >> np.arange(n_legs) & 1, bool)


def _masses(p: Array, members: NDArray[np.bool_]) -> Array:
    """Invariant masses in GeV, float64 (n, R)."""
    q = np.einsum("nrk,nkm->nrm", members, p)
    return np.asarray(np.sqrt(np.maximum(q[..., 0] ** 2 - np.square(q[..., 1:]).sum(axis=-1), 0.0)))
