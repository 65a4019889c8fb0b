"""Parts of |M|^2 by squared coupling orders: the products of amplitudes with the same powers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from madnis_py import _core
from madnis_py.arrays import Array, array_digest
from madnis_py.physics.amplitudes.tapes.tape_tables import Arrays
from madnis_py.physics.diagrams.coupling_orders import SquaredOrders, squared_limits
from madnis_py.physics.diagrams.recursion import Recursion


class OrderParts:
    """A tape for each of the powers that some couplings have in |M|^2.

    Args:
        recursion: of the reaction.
        names: of the coupling orders that are told apart.
        tape: recursion -> tape of its |M|^2 with the values of the model.
        average: factor of |M|^2.
    """

    def __init__(
        self,
        recursion: Recursion,
        names: Sequence[str],
        tape: Callable[[Recursion], Arrays],
        average: float,
    ) -> None:
        self._arrays = {
            powers: tape(recursion.selecting(squared_limits(names, powers)))
            for powers in recursion.powers_of_products(names)
        }
        self._kernels = {
            powers: _core.AmplitudeTape(arrays, average) for powers, arrays in self._arrays.items()
        }

    def evaluate(self, p: Array, alpha_s: Array) -> dict[SquaredOrders, Array]:
        """Powers of the couplings -> part of |M|^2, float64 (n,).

        Args:
            p: momenta in GeV, event-fastest float64 (n, n_legs, 4).
            alpha_s: float64 (n,).
        """
        return {
            powers: kernel.evaluate(p, alpha_s, None, False, False, False)[0]
            for powers, kernel in self._kernels.items()
        }

    @property
    def identity(self) -> Hashable:
        """Key equal for the same parts to the bit."""
        return tuple(
            (powers, array_digest("", arrays).tobytes()) for powers, arrays in self._arrays.items()
        )
