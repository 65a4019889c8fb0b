"""Reaction: definite particles that come in and out, their polarisations, and how they decay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from madnis_py.physics.diagrams.coupling_orders import OrderLimit
from madnis_py.physics.diagrams.polarisation import Polarisation
from madnis_py.physics.diagrams.restrictions import UNRESTRICTED, Restrictions
from madnis_py.physics.diagrams.trees import PropagatorKey


@dataclass(frozen=True)
class Branch:
    """An outgoing particle of a reaction, and how it decays.

    Attributes:
        pdg: PDG code.
        decay: its decay, the particle being the incoming one; None for a particle of the final
            state.
        polarisation: that it is restricted to; of its propagator if it decays.
    """

    pdg: int
    decay: Reaction | None = None
    polarisation: Polarisation = ()

    @property
    def content(self) -> object:
        """Key equal for the same particle in the same states, decaying alike; see `Reaction`."""
        return self.pdg, self.polarisation, None if self.decay is None else self.decay.content


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
        polarisations: of the incoming particles; () where none is restricted.
    """

    incoming: tuple[int, ...]
    outgoing: tuple[Branch, ...]
    orders: tuple[OrderLimit, ...] = ()
    restrictions: Restrictions = UNRESTRICTED
    polarisations: tuple[Polarisation, ...] = ()

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

    @property
    def decay_products(self) -> frozenset[int]:
        """Positions of the legs that come from a decay."""
        return frozenset(leg for decay in self.decays for leg in decay.legs)

    @cached_property
    def content(self) -> object:
        """Key equal for the same particles, outgoing ones and decay products in any order.

        Coupling orders and restrictions are not in it: such reactions have the same events.
        """
        outgoing = frozenset(Counter(branch.content for branch in self.outgoing).items())
        return self.incoming, self.polarisations, outgoing

    @property
    def leg_polarisations(self) -> tuple[Polarisation, ...]:
        """The polarisation of every external leg, in the order of `legs`."""
        return (*(self.polarisations or ((),) * len(self.incoming)), *self._final_polarisations)

    @property
    def _final_polarisations(self) -> tuple[Polarisation, ...]:
        parts = [
            (branch.polarisation,) if branch.decay is None else branch.decay._final_polarisations
            for branch in self.outgoing
        ]
        return tuple(one for part in parts for one in part)

    @property
    def polarised_lines(self) -> dict[PropagatorKey, Polarisation]:
        """Propagator -> its states, for particles of definite polarisation that decay."""
        return _polarised_lines(self, len(self.incoming))


def _polarised_lines(reaction: Reaction, first: int) -> dict[PropagatorKey, Polarisation]:
    """Those of a reaction whose final legs are counted from `first` on."""
    lines: dict[PropagatorKey, Polarisation] = {}
    for branch in reaction.outgoing:
        if branch.decay is None:
            first += 1
            continue
        after = first + len(branch.decay.final)
        if branch.polarisation:
            lines[abs(branch.pdg), (1 << after) - (1 << first)] = branch.polarisation
        lines |= _polarised_lines(branch.decay, first)
        first = after
    return lines


def reaction_of(incoming: Sequence[int], outgoing: Sequence[int], *orders: OrderLimit) -> Reaction:
    """A reaction without decays."""
    return Reaction(tuple(incoming), tuple(Branch(pdg) for pdg in outgoing), orders)
