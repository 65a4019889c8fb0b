"""Matrix elements of processes whose definition keeps particles off their mass shell, "$ z".

MadEvent integrates each diagram by itself with the weight |M|^2 |M_i|^2 / sum_j |M_j|^2 and drops
events in which a forbidden particle of diagram i is on its mass shell. In all this is |M|^2 times
the share of the diagrams without such a particle, sum_ok |M_i|^2 / sum_j |M_j|^2, of each event.
Diagrams in which more lines meet than in others have no channel there and do not count.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.matrix_element import MatrixElement, Weights
from madnis_py.physics.diagrams.coupling_orders import SquaredOrders
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.model.model import Model

_BROAD = 0.1
"""Width over mass from which on a particle is never on its mass shell, as in MadEvent."""

_LEAST_WIDTH = 1e-6
"""Least width over mass of a particle that has a width, as in MadEvent."""


@dataclass(frozen=True)
class ForbiddenPole:
    """A mass shell where a line of a diagram must not be.

    Attributes:
        legs: positions of the particles that the line decays to.
        mass: in GeV.
        reach: distance from the mass in GeV that still is on the shell.
    """

    legs: tuple[int, ...]
    mass: float
    reach: float


class OffShell(MatrixElement):
    """|M|^2 without the diagrams that have a forbidden particle on its mass shell.

    Args:
        element: |M|^2 without this restriction.
        diagrams: in the order of its single-diagram parts.
        model: masses and widths.
        widths: distance from its mass, in widths, within which a particle is on its mass shell.
    """

    def __init__(
        self, element: MatrixElement, diagrams: Sequence[Diagram], model: Model, widths: float
    ) -> None:
        self.element = element
        self.n_diagrams, self.n_particles = element.n_diagrams, element.n_particles
        self.flows, self.helicities = element.flows, element.helicities
        powers = {diagram.powers[0] for diagram in diagrams}
        self.alpha_s_power = element.alpha_s_power if len(powers) == 1 else None
        least = min(diagram.max_vertex for diagram in diagrams)
        self._counted = np.array([diagram.max_vertex == least for diagram in diagrams])
        self._poles = tuple(_poles(diagram, model, widths) for diagram in diagrams)

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """See `MatrixElement.evaluate`; parts of diagrams that do not count in an event are 0."""
        me2, squares = self.element.evaluate(p, alpha_s)
        on_shell = self._on_shell(p)
        share = self._share(squares, on_shell)
        left = np.where(on_shell & (share > 0)[:, None], 0.0, squares)
        return me2 * share, left

    def squared(self, p: Array, alpha_s: Array | float) -> Array:
        """See `MatrixElement.squared`."""
        if not self._on_shell(p).any():
            return self.element.squared(p, alpha_s)
        return self.evaluate(p, alpha_s)[0]

    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        """See `MatrixElement.weights`."""
        weights = self.element.weights(p, alpha_s)
        _, squares = self.element.evaluate(p, alpha_s)
        share = self._share(squares, self._on_shell(p))
        return Weights(weights.me2 * share, weights.flows, weights.helicities * share[:, None])

    def parts(self, p: Array, alpha_s: Array | float) -> dict[SquaredOrders, Array]:
        """See `MatrixElement.parts`; diagrams that are left out are a share of every part."""
        _, squares = self.element.evaluate(p, alpha_s)
        share = self._share(squares, self._on_shell(p))
        parts = self.element.parts(p, alpha_s)
        return {powers: part * share for powers, part in parts.items()}

    @property
    def identity(self) -> Hashable:
        """See `MatrixElement.identity`."""
        return "off shell", self.element.identity, self._poles, self._counted.tobytes()

    def _share(self, squares: Array, on_shell: NDArray[np.bool_]) -> Array:
        """Part of the single-diagram parts without a forbidden particle on its shell, (n,)."""
        counted = np.where(self._counted, squares, 0.0)
        left, whole = np.where(on_shell, 0.0, counted).sum(axis=1), counted.sum(axis=1)
        return np.asarray(np.divide(left, whole, out=np.zeros_like(whole), where=whole > 0))

    def _on_shell(self, p: Array) -> NDArray[np.bool_]:
        """Which diagrams have a forbidden particle on its mass shell, (n, n_diagrams)."""
        near = {
            pole: np.abs(_mass(p, pole.legs) - pole.mass) < pole.reach
            for pole in dict.fromkeys(pole for poles in self._poles for pole in poles)
        }
        columns = np.zeros((self.n_diagrams, len(p)), bool)
        for column, poles in zip(columns, self._poles, strict=True):
            for pole in poles:
                column |= near[pole]
        return columns.T


def _poles(diagram: Diagram, model: Model, widths: float) -> tuple[ForbiddenPole, ...]:
    return tuple(
        ForbiddenPole(legs, mass, widths * max(width, _LEAST_WIDTH * mass))
        for pdg, legs in diagram.off_shell
        for mass, width in [(model.mass(pdg), model.width(pdg))]
        if 0 < width < _BROAD * mass
    )


def _mass(p: Array, legs: Sequence[int]) -> Array:
    """Invariant mass of final particles in GeV, (n,)."""
    total = p[:, list(legs)].sum(axis=1)
    square = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(square, 0.0)))
