"""Details of events that momenta leave open: flavours, colour flow, helicities and a diagram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError
from madnis_py.physics.cross_section.resonances import Resonances, ResonanceTable
from madnis_py.physics.cross_section.scattering import EventScales, Scattering
from madnis_py.physics.cross_section.shared_elements import Rows, SharedElements
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.process.process import Process


@dataclass(frozen=True)
class DrawnDetails:
    """Flavours, colour flow, helicities and diagram that were drawn for n events.

    Attributes:
        flavour: row among the flavours of the process, shape (n,).
        sign: of the cross section of these flavours, +1 or -1, float64, shape (n,).
        scales: of these flavours.
        flow: colour flow of the matrix element of these flavours, shape (n,).
        helicity: of every leg, int8, shape (n, P).
        diagram: diagram of the matrix element of these flavours, shape (n,).
    """

    flavour: Rows
    sign: Array
    scales: EventScales
    flow: Rows
    helicity: NDArray[np.int8]
    diagram: Rows


class EventDetails:
    """Draws the details of events, each with the probability that the amplitude gives it.

    Flavours in proportion to the size of PDF x |M|^2, whose sign the event gets; a colour flow in
    proportion to |J_k|^2, summed over helicities, without interference between flows; helicities in
    proportion to their part of |M|^2, of those that have its sign; a diagram, which has the
    resonances, in proportion to |M_i|^2.

    Args:
        process: what scatters.
        elements: its matrix elements.
    """

    def __init__(self, process: Process, elements: SharedElements) -> None:
        self._elements = elements
        all_flows = [element.flows for element in process.matrix_elements]
        self._flavours = np.array(process.flavours, np.int32)
        self._mass = np.array(
            [[process.model.mass(int(pdg)) for pdg in legs] for legs in self._flavours]
        )
        self._colour = np.concatenate([np.array(flows, np.int32) for flows in all_flows])
        counts = [len(flows) for flows in all_flows]
        sizes = [len(group.flavours) for group in process.groups]
        self._first_flow = np.repeat(np.cumsum(counts) - counts, sizes)
        self._resonances = ResonanceTable(process, process.card.resonance_widths)

    def draw(self, p: Array, scattering: Scattering, uniform: Array) -> DrawnDetails:
        """Draw the details of events.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            scattering: at these momenta.
            uniform: numbers in [0, 1), float64 (n, DRAWS).

        Raises:
            GenerationError: no flavours contribute to one of the events.
        """
        flavour = drawn_columns(np.abs(scattering.flavours), uniform[:, 0])
        sign = np.sign(scattering.flavours[np.arange(len(p)), flavour])
        scales = scattering.event_scales(flavour)
        flow, diagram = np.zeros(len(p), np.intp), np.zeros(len(p), np.intp)
        helicity = np.zeros(p.shape[:2], np.int8)
        for element, rows in self._elements.of_events(flavour):
            of_element, coupling = select(p, rows), scales.alpha_s[rows]
            numbers = uniform[rows]
            weights = element.weights(of_element, coupling)
            flow[rows] = drawn_columns(weights.flows, numbers[:, 1])
            parts = weights.helicities * np.sign(weights.me2)[:, None]
            helicity[rows] = element.helicities[drawn_columns(parts, numbers[:, 2])]
            if self._resonances.most:
                diagram[rows] = drawn_columns(
                    element.evaluate(of_element, coupling)[1], numbers[:, 3]
                )
        return DrawnDetails(flavour, sign, scales, flow, helicity, diagram)

    def pdg(self, drawn: DrawnDetails) -> NDArray[np.int32]:
        """PDG codes of the legs, int32 (n, P)."""
        return np.asarray(self._flavours[drawn.flavour])

    def mass(self, drawn: DrawnDetails) -> Array:
        """Masses of the legs in GeV, float64 (n, P)."""
        return np.asarray(self._mass[drawn.flavour])

    def colour(self, drawn: DrawnDetails) -> NDArray[np.int32]:
        """Colour and anticolour numbers of the legs, int32 (n, P, 2)."""
        return np.asarray(self._colour[self._first_flow[drawn.flavour] + drawn.flow])

    def resonances(self, p: Array, drawn: DrawnDetails) -> Resonances:
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
            "events: expected points with a cross section; "
            f"got none at point {np.argmin(total > 0)}"
        )
    below = (edges <= (uniform * total)[:, None]).sum(axis=1)
    last_positive = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    return np.asarray(np.minimum(below, last_positive))  # against rounding at the upper end
