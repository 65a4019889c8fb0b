"""Reaction: definite particles that come in and out, and how they decay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from madnis_py.physics.diagrams.coupling_orders import OrderLimit
from madnis_py.physics.diagrams.restrictions import UNRESTRICTED, Restrictions


@dataclass(frozen=True)
class Branch:
    """An outgoing particle of a reaction, and how it decays.

    Attributes:
        pdg: PDG code.
        decay: its decay, the particle being the incoming one; None for a particle of the final
            state.
    """

    pdg: int
    decay: Reaction | None = None

    @property
    def content(self) -> object:
        """Key equal for the same particle with the same decay; see `Reaction.content`."""
        return self.pdg, None if self.decay is None else self.decay.content


@dataclass(frozen=True)
class Decay:
    """A particle of a reaction that decays.

    Attributes:
        pdg: PDG code.
        legs: positions of all final particles that it becomes among the legs of the reaction.
    """

    pdg: int
    legs: tuple[int, ...]


@dataclass(frozen=True)
class Reaction:
    """One process, or one decay of a chain, with definite particles.

    Attributes:
        incoming: PDG codes, one or two.
        outgoing: what comes out, with its decays.
        orders: what the definition asks of the powers of couplings of this step.
        restrictions: on the propagators of this step.
    """

    incoming: tuple[int, ...]
    outgoing: tuple[Branch, ...]
    orders: tuple[OrderLimit, ...] = ()
    restrictions: Restrictions = UNRESTRICTED

    @property
    def legs(self) -> tuple[int, ...]:
        """PDG codes of all external legs, incoming first, then as `final`."""
        return self.incoming + self.final

    @property
    def final(self) -> tuple[int, ...]:
        """PDG codes of the final state, decay products in the place of their parent."""
        parts = [
            (branch.pdg,) if branch.decay is None else branch.decay.final
            for branch in self.outgoing
        ]
        return tuple(pdg for part in parts for pdg in part)

    @property
    def decays(self) -> Iterator[Decay]:
        """Every particle that decays, parents before those that they decay to."""
        return self._decays(len(self.incoming))

    def _decays(self, first: int) -> Iterator[Decay]:
        """The same, the legs of the final state counted from `first` on."""
        for branch in self.outgoing:
            size = 1 if branch.decay is None else len(branch.decay.final)
            if branch.decay is not None:
                yield Decay(branch.pdg, tuple(range(first, first + size)))
                yield from branch.decay._decays(first)
            first += size

    @cached_property
    def content(self) -> object:
        """Key equal for the same particles, outgoing ones and decay products in any order.

        Coupling orders and restrictions are not in it: such reactions have the same events.
        """
        return self.incoming, frozenset(Counter(branch.content for branch in self.outgoing).items())


def reaction_of(incoming: Sequence[int], outgoing: Sequence[int], *orders: OrderLimit) -> Reaction:
    """A reaction without decays."""
    return Reaction(tuple(incoming), tuple(Branch(pdg) for pdg in outgoing), orders)
