"""Powers of couplings of an amplitude, and coupling orders: what a definition asks of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Powers = tuple[int, int]
"""Powers of the strong and of the electroweak coupling."""

Coupling = Literal["QCD", "QED", "WEIGHTED"]
Relation = Literal["<=", "==", ">"]


def added(a: Powers, b: Powers) -> Powers:
    """Powers of a product."""
    return a[0] + b[0], a[1] + b[1]


def weighted(powers: Powers) -> int:
    """WEIGHTED = QCD + 2 QED, which MadGraph keeps as low as possible if no order is named."""
    return powers[0] + 2 * powers[1]


@dataclass(frozen=True)
class OrderLimit:
    """One coupling order of a definition, `QCD<=2` or `QED^2==4`.

    Attributes:
        coupling: whose power; WEIGHTED is QCD + 2 QED.
        power: that it is compared with.
        relation: that has to hold.
        squared: whether it is about |M|^2, a sum of products of two amplitudes, instead of about
            the amplitude.
    """

    coupling: Coupling
    power: int
    relation: Relation = "<="
    squared: bool = False

    def __str__(self) -> str:
        return f"{self.coupling}{'^2' * self.squared}{self.relation}{self.power}"

    def allows(self, powers: Powers) -> bool:
        """Whether an amplitude, or a product of two if `squared`, of these powers is kept."""
        power = self._power(powers)
        if self.relation == "==":
            return power == self.power
        return power > self.power if self.relation == ">" else power <= self.power

    def allows_inside(self, powers: Powers) -> bool:
        """Whether a part of an amplitude may have these powers, all others being added to them."""
        return self.relation == ">" or self._power(powers) <= self.power

    def _power(self, powers: Powers) -> int:
        return {"QCD": powers[0], "QED": powers[1], "WEIGHTED": weighted(powers)}[self.coupling]
