"""Events of the hard scattering: flavours, colour flow, helicities and resonances drawn at given momenta."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.cross_section.resonances import Resonances, ResonanceTable
from madnis_py.physics.observables.momenta import select

if TYPE_CHECKING:
    from madnis_py.physics.process.process import Process

Rows = NDArray[np.intp]

DRAWS = 4
"""Random numbers of an event: for its flavours, colour flow, helicities and diagram."""


@dataclass(frozen=True)
class PartonicEvents:
    """Events of the hard scattering with flavours; n events, P particles, incoming first.

    Attributes:
        momenta: (E, px, py, pz) in GeV, float64, shape (n, P, 4).
        sign: of the cross section of the flavours, +1 or -1, float64, shape (n,).
        pdg: PDG codes, int32, shape (n, P).
        colour: colour and anticolour numbers of the Les Houches format, int32, shape (n, P, 2).
        helicity: twice its value for fermions, int8, shape (n, P).
        mass: masses in GeV, float64, shape (n, P).
        resonances: the particles in between.
        scale: factorisation scale in GeV, float64, shape (n,).
        renormalization_scale: in GeV, float64, shape (n,).
        alpha_s: strong coupling at the renormalisation scale, float64, shape (n,).
        alpha_qed: electromagnetic coupling, float64, shape (n,).
        variations: weights at other scales and parton densities over those of the event, float64,
            shape (n, W).
    """

    momenta: Array
    sign: Array
    pdg: NDArray[np.int32]
    colour: NDArray[np.int32]
    helicity: NDArray[np.int8]
    mass: Array
    resonances: Resonances
    scale: Array
    renormalization_scale: Array
    alpha_s: Array
    alpha_qed: Array
    variations: Array


@dataclass(frozen=True)
class Drawn:
    """What was drawn for n events.

    Attributes:
        flavour: row among the flavours of the process, shape (n,).
        sign: of the cross section of these flavours, +1 or -1, float64, shape (n,).
        flow: colour flow of the matrix element of these flavours, shape (n,).
        helicity: of every leg, int8, shape (n, P).
        diagram: diagram of the matrix element of these flavours, shape (n,).
    """

    flavour: Rows
    sign: Array
    flow: Rows
    helicity: NDArray[np.int8]
    diagram: Rows


class ServedFlavours:
    """The different matrix elements, each with the flavours that it serves.

    Args:
        elements: with the rows of their flavours among those of the process.
    """

    def __init__(self, elements: Sequence[tuple[MatrixElement, Rows]]) -> None:
        self._elements = tuple(elements)

    def split(self, flavour: Rows) -> Iterator[tuple[MatrixElement, Rows]]:
        """The matrix elements that events with these flavours need, each with the positions of its events."""
        for element, served in self._elements:
            rows = np.flatnonzero(np.isin(flavour, served))
            if len(rows):
                yield element, rows

    def change(self, p: Array, before: Array, after: Array, flavour: Rows) -> Array:
        """How |M|^2 of the flavours of every event changes with the strong coupling, float64 (n,)."""
        ratio = np.empty(len(p))
        for element, rows in self.split(flavour):
            ratio[rows] = _change(element, select(p, rows), before[rows], after[rows])
        return ratio


def _change(element: MatrixElement, p: Array, before: Array, after: Array) -> Array:
    if element.alpha_s_power is not None:
        return np.asarray((after / before) ** element.alpha_s_power)
    return element.squared(p, after) / element.squared(p, before)


class EventDetails:
    """Draws what the momenta of events leave open, each with the probability of the amplitude.

    Flavours in proportion to the size of PDF x |M|^2, whose sign the event gets; a colour flow in
    proportion to |J_k|^2, summed over helicities, without interference between flows; helicities in
    proportion to their part of |M|^2; a diagram, which tells the resonances, in proportion to
    |M_i|^2.

    Args:
        process: what scatters.
        served: its matrix elements.
    """

    def __init__(self, process: Process, served: ServedFlavours) -> None:
        self._served = served
        elements = process.matrix_elements
        self._flavours = np.array(process.flavours, np.int32)
        self._mass = np.array(
            [[process.model.mass(int(pdg)) for pdg in legs] for legs in self._flavours]
        )
        self._colour = np.concatenate([np.array(element.flows, np.int32) for element in elements])
        counts = [len(element.flows) for element in elements]
        sizes = [len(group.flavours) for group in process.groups]
        self._first_flow = np.repeat(np.cumsum(counts) - counts, sizes)
        self._resonances = ResonanceTable(process, process.card.events.resonance_widths)

    def draw(self, p: Array, alpha_s: Array, flavours: Array, uniform: Array) -> Drawn:
        """Draw the details of events.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            alpha_s: strong coupling, float64 (n,).
            flavours: PDF x |M|^2 of all flavours, of either sign, float64 (n, n_flavours).
            uniform: numbers in [0, 1), float64 (n, DRAWS).

        Raises:
            GenerationError: no flavours contribute to one of the events.
        """
        flavour = drawn_columns(np.abs(flavours), uniform[:, 0])
        sign = np.sign(flavours[np.arange(len(p)), flavour])
        flow, diagram = np.zeros(len(p), np.intp), np.zeros(len(p), np.intp)
        helicity = np.zeros(p.shape[:2], np.int8)
        for element, rows in self._served.split(flavour):
            of_element, coupling, numbers = select(p, rows), alpha_s[rows], uniform[rows]
            weights = element.weights(of_element, coupling)
            flow[rows] = drawn_columns(weights.flows, numbers[:, 1])
            helicity[rows] = element.helicities[drawn_columns(weights.helicities, numbers[:, 2])]
            if self._resonances.most:
                diagram[rows] = drawn_columns(
                    element.evaluate(of_element, coupling)[1], numbers[:, 3]
                )
        return Drawn(flavour, sign, flow, helicity, diagram)

    def pdg(self, drawn: Drawn) -> NDArray[np.int32]:
        """PDG codes of the legs, int32 (n, P)."""
        return np.asarray(self._flavours[drawn.flavour])

    def mass(self, drawn: Drawn) -> Array:
        """Masses of the legs in GeV, float64 (n, P)."""
        return np.asarray(self._mass[drawn.flavour])

    def colour(self, drawn: Drawn) -> NDArray[np.int32]:
        """Colour and anticolour numbers of the legs, int32 (n, P, 2)."""
        return np.asarray(self._colour[self._first_flow[drawn.flavour] + drawn.flow])

    def resonances(self, p: Array, drawn: Drawn) -> Resonances:
        """The particles between the collision and the final state."""
        return self._resonances.find(p, self.colour(drawn), drawn.flavour, drawn.diagram)


def drawn_columns(weights: Array, uniform: Array) -> Rows:
    """Draw a column for every row, each with its share of the row; negative weights count as 0.

    Args:
        weights: float64 (n, n_columns).
        uniform: numbers in [0, 1), float64 (n,).

    Raises:
        GenerationError: a row without weight.
    """
    edges = np.cumsum(np.maximum(weights, 0.0), axis=1)
    total = edges[:, -1]
    if not (total > 0).all():
        raise GenerationError(
            f"events: expected points with a cross section; got none at point {np.argmin(total > 0)}"
        )
    below = (edges <= (uniform * total)[:, None]).sum(axis=1)
    return np.asarray(np.minimum(below, _last_positive(weights)))


def _last_positive(weights: Array) -> Rows:
    """The last column of each row that may be drawn, against rounding at the upper end."""
    return np.asarray(weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1))
