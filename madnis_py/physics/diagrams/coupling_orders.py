"""Powers of couplings of an amplitude, and coupling orders: what a definition asks of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import add
from typing import Literal

from madnis_py.physics.model.particles import CouplingOrder

Powers = tuple[int, ...]
"""Power of g_s, and in the other columns those of coupling orders, see `CouplingOrder.column`."""

SquaredOrders = tuple[int, ...]
"""Powers in |M|^2 of coupling orders that are named elsewhere."""

WEIGHTED = "WEIGHTED"
"""Name of the weighted sum of all coupling orders."""

Relation = Literal["<=", "==", ">"]


def added(a: Powers, b: Powers) -> Powers:
    """Powers of a product."""
    return tuple(map(add, a, b))


def no_powers(orders: Sequence[CouplingOrder]) -> Powers:
    """Powers of an amplitude without vertices."""
    return (0,) * (1 + max((order.column for order in orders), default=0))


def weighted(powers: Powers, orders: Sequence[CouplingOrder]) -> int:
    """WEIGHTED, which MadGraph keeps as low as possible if no order is named.

    It is the sum of all orders with their hierarchies, QCD + 2 QED in the Standard Model.
    """
    return sum(order.hierarchy * powers[order.column] for order in orders)


def of_names(
    powers: Powers, names: Sequence[str], orders: Sequence[CouplingOrder]
) -> SquaredOrders:
    """The powers of some coupling orders, in the order of their names."""
    found = by_name(powers, orders)
    return tuple(found[name] for name in names)


def lowest(found: Collection[Powers], orders: Sequence[CouplingOrder]) -> frozenset[Powers]:
    """Those of the lowest WEIGHTED."""
    least = min((weighted(powers, orders) for powers in found), default=0)
    return frozenset(powers for powers in found if weighted(powers, orders) == least)


def by_name(powers: Powers, orders: Sequence[CouplingOrder]) -> dict[str, int]:
    """Name of a coupling order -> its power."""
    return {order.name: powers[order.column] for order in orders}


@dataclass(frozen=True)
class OrderLimit:
    """One coupling order of a definition, `QCD<=2` or `QED^2==4`.

    Attributes:
        coupling: whose power: the name of a coupling order of the model, or WEIGHTED.
        power: that it is compared with.
        relation: that has to hold.
        squared: whether it is about |M|^2, a sum of products of two amplitudes, instead of about
            the amplitude.
    """

    coupling: str
    power: int
    relation: Relation = "<="
    squared: bool = False

    def __str__(self) -> str:
        return f"{self.coupling}{'^2' * self.squared}{self.relation}{self.power}"

    def allows(self, powers: Powers, orders: Sequence[CouplingOrder]) -> bool:
        """Whether an amplitude, or a product of two if `squared`, of these powers is kept."""
        power = self.power_of(powers, orders)
        if self.relation == "==":
            return power == self.power
        return power > self.power if self.relation == ">" else power <= self.power

    def allows_inside(
        self, powers: Powers, orders: Sequence[CouplingOrder], outside: float = 0
    ) -> bool:
        """Whether a part of an amplitude may have these powers.

        Args:
            powers: of the part.
            orders: of the model.
            outside: the least that all others add to `power_of`.
        """
        return self.relation == ">" or self.power_of(powers, orders) + outside <= self.power

    def power_of(self, powers: Powers, orders: Sequence[CouplingOrder]) -> int:
        """The power that is limited."""
        if self.coupling == WEIGHTED:
            return weighted(powers, orders)
        return next(powers[order.column] for order in orders if order.name == self.coupling)


def squared_limits(names: Sequence[str], powers: SquaredOrders) -> tuple[OrderLimit, ...]:
    """What selects the products of amplitudes with some powers: NP^2==1, QED^2==4."""
    return tuple(
        OrderLimit(name, power, "==", squared=True)
        for name, power in zip(names, powers, strict=True)
    )


ALL_ORDERS = OrderLimit(WEIGHTED, 9999)
"""A limit that no amplitude reaches: all powers that a model allows, not the lowest WEIGHTED."""
