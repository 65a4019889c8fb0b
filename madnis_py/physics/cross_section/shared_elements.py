"""The different matrix elements of a process, each with the groups of flavours that it serves."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.process.process import Process

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class GroupColumns:
    """The columns of a group of flavours in the arrays of the integrand.

    Attributes:
        flavours: among all combinations of flavours.
        diagrams: among all diagrams, see `Process.diagram_offsets`.
    """

    flavours: slice
    diagrams: slice


class SharedElements:
    """Matrix elements that differ, in the order of the groups of flavours.

    Groups whose matrix elements are the same bit by bit share one.

    Args:
        process: whose matrix elements.

    Attributes:
        n_diagrams: Feynman diagrams of all groups.
        flavours: rows of each matrix element among all combinations of flavours.
    """

    def __init__(self, process: Process) -> None:
        self.n_diagrams = process.diagram_offsets[-1]
        served: dict[Hashable, tuple[MatrixElement, list[GroupColumns]]] = {}
        flavour = diagram = 0
        for group, element in zip(process.groups, process.matrix_elements, strict=True):
            flavours = slice(flavour, flavour := flavour + len(group.flavours))
            diagrams = slice(diagram, diagram := diagram + element.n_diagrams)
            _, columns = served.setdefault(element.identity, (element, []))
            columns.append(GroupColumns(flavours, diagrams))
        self._served = tuple(served.values())
        rows, self._orders = np.arange(flavour), process.squared_orders
        self.flavours = [
            np.concatenate([rows[one.flavours] for one in columns]) for _, columns in self._served
        ]

    def __iter__(self) -> Iterator[tuple[MatrixElement, list[GroupColumns]]]:
        """The matrix elements, each with the columns of its groups."""
        return iter(self._served)

    @property
    def depend_on_alpha_s(self) -> bool:
        """Whether one of them depends on the strong coupling."""
        return any(element.alpha_s_power != 0 for element, _ in self._served)

    def of_events(self, flavour: Rows) -> Iterator[tuple[MatrixElement, Rows]]:
        """The matrix elements that events need, each with the positions of its events.

        Args:
            flavour: row of each event among all combinations of flavours, shape (n,).
        """
        for (element, _), served in zip(self._served, self.flavours, strict=True):
            rows = np.flatnonzero(np.isin(flavour, served))
            if len(rows):
                yield element, rows

    def coupling_ratio(self, p: Array, before: Array, after: Array, flavour: Rows) -> Array:
        """|M|^2 of the flavours of every event with another strong coupling, over that before.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            before: strong coupling of the denominator, float64 (n,).
            after: strong coupling of the numerator, float64 (n,).
            flavour: row of each event among all combinations of flavours, shape (n,).

        Returns:
            float64 (n,).
        """
        ratio = np.empty(len(p))
        for element, rows in self.of_events(flavour):
            if element.alpha_s_power is not None:
                ratio[rows] = (after[rows] / before[rows]) ** element.alpha_s_power
            else:
                of_element = select(p, rows)
                ratio[rows] = element.squared(of_element, after[rows]) / element.squared(
                    of_element, before[rows]
                )
        return ratio

    def order_shares(self, p: Array, alpha_s: Array, flavour: Rows) -> Array:
        """Parts of |M|^2 by squared orders of the flavours of every event, over the whole of it.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            alpha_s: strong coupling, float64 (n,).
            flavour: row of each event among all combinations of flavours, shape (n,).

        Returns:
            float64 (n, n_squared_orders), see `Process.squared_orders`; rows add up to 1, or are 0
            where |M|^2 is.
        """
        shares = np.zeros((len(p), len(self._orders)))
        for element, rows in self.of_events(flavour):
            of_element, coupling = select(p, rows), alpha_s[rows]
            whole = element.squared(of_element, coupling)
            for powers, part in element.parts(of_element, coupling).items():
                share = np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
                shares[rows, self._orders.index(powers)] = share
        return shares
