"""Definition of a process: legs that stand for several particles, orders, restrictions, decays.

`definition_reader` reads it from a card; its reactions are choices of definite particles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from madnis_py.physics.definition.conserved_numbers import ConservedNumbers
from madnis_py.physics.diagrams.coupling_orders import OrderLimit
from madnis_py.physics.diagrams.polarisation import Polarisation, polarisation_of
from madnis_py.physics.diagrams.reactions import Branch, Reaction
from madnis_py.physics.diagrams.restrictions import UNRESTRICTED, Restrictions
from madnis_py.physics.model.model import Model


@dataclass(frozen=True)
class Leg:
    """A label of a definition with its particles.

    Attributes:
        label: as on the card, in small letters.
        alternatives: the PDG codes that it stands for.
        polarisation: the text inside braces behind the label, "0" of "w+{0}"; None without braces.
        decay: of all of them; None if they do not decay.
    """

    label: str
    alternatives: tuple[int, ...]
    polarisation: str | None = None
    decay: Step | None = None

    def states_of(self, pdg: int, model: Model) -> Polarisation:
        """The states that the braces leave to one of the alternatives.

        Raises:
            InputError: it has no such states.
        """
        if self.polarisation is None:
            return ()
        return polarisation_of(self.polarisation, pdg, self.decay is not None, model)


@dataclass(frozen=True)
class Step:
    """The core process of a definition, or one of its decays.

    Attributes:
        incoming: labels before ">".
        outgoing: labels behind it, with their decays.
        orders: as in `Reaction`.
        restrictions: as in `Reaction`.
    """

    incoming: tuple[Leg, ...]
    outgoing: tuple[Leg, ...]
    orders: tuple[OrderLimit, ...] = ()
    restrictions: Restrictions = UNRESTRICTED

    @property
    def final(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the final state, decay products in the place of their parent."""
        parts = [
            (leg.alternatives,) if leg.decay is None else leg.decay.final for leg in self.outgoing
        ]
        return tuple(alternatives for part in parts for alternatives in part)

    def restricted(self, restrictions: Restrictions) -> Step:
        """The step and its decays with more restrictions, none of which requires anything."""
        outgoing = tuple(
            replace(leg, decay=leg.decay and leg.decay.restricted(restrictions))
            for leg in self.outgoing
        )
        joined = self.restrictions.joined(restrictions)
        return replace(self, outgoing=outgoing, restrictions=joined)

    def reactions(self, numbers: ConservedNumbers) -> Iterator[Reaction]:
        """Every choice of alternatives that conserves these numbers here and in the decays.

        Of choices that differ in the order of decay products alone there is the first only; in this
        step all stay.
        """
        outgoing: dict[int, list[tuple[Branch, ...]]] = defaultdict(list)
        for branches in product(*(_branches(leg, numbers) for leg in self.outgoing)):
            outgoing[numbers.total(branch.pdg for branch in branches)].append(branches)
        for incoming in product(*(leg.alternatives for leg in self.incoming)):
            polarisations = self._incoming_states(incoming, numbers.model)
            for branches in outgoing.get(numbers.total(incoming), ()):
                yield Reaction(incoming, branches, self.orders, self.restrictions, polarisations)

    def _incoming_states(self, particles: Sequence[int], model: Model) -> tuple[Polarisation, ...]:
        """The states of the incoming particles, () if none is polarised."""
        states = tuple(
            leg.states_of(pdg, model) for leg, pdg in zip(self.incoming, particles, strict=True)
        )
        return states if any(states) else ()


def _branches(leg: Leg, numbers: ConservedNumbers) -> list[Branch]:
    """Every particle of a leg with every decay; of decays that differ in order alone, the first."""
    if leg.decay is None:
        return [
            Branch(pdg, polarisation=leg.states_of(pdg, numbers.model)) for pdg in leg.alternatives
        ]
    decays: dict[object, Reaction] = {}
    for reaction in leg.decay.reactions(numbers):
        decays.setdefault(reaction.content, reaction)
    return [
        Branch(pdg, decay, leg.states_of(pdg, numbers.model))
        for pdg in leg.alternatives
        for decay in decays.values()
        if decay.incoming == (pdg,)
    ]


@dataclass(frozen=True)
class Definition:
    """External legs and coupling orders of a process.

    Attributes:
        text: as written in the card.
        core: the process before its decays.
        number: of the process, behind "@"; None without it.
        masses: of the external legs in GeV, of the processes that are meant; None for any.
    """

    text: str
    core: Step
    number: int | None = None
    masses: tuple[float, ...] | None = None

    @cached_property
    def legs(self) -> tuple[tuple[int, ...], ...]:
        """PDG codes that each external leg may have, incoming first, then as `Step.final`."""
        return (*(leg.alternatives for leg in self.core.incoming), *self.core.final)

    @property
    def title(self) -> str:
        """The text, with the masses of what comes out where they tell it from others."""
        if self.masses is None:
            return self.text
        masses = " ".join(f"{mass:.4g}" for mass in self.masses[self.n_incoming :])
        return f"{self.text} ({masses} GeV)"

    @property
    def n_incoming(self) -> int:
        """Number of incoming legs."""
        return len(self.core.incoming)

    @property
    def selects_products(self) -> bool:
        """Whether |M|^2 has some products of amplitudes and not others: it may be negative."""
        return any(order.squared for order in self.core.orders)

    @property
    def incoming(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the incoming legs."""
        return self.legs[: self.n_incoming]

    @property
    def outgoing(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the outgoing legs."""
        return self.legs[self.n_incoming :]

    def reactions(self, model: Model) -> tuple[Reaction, ...]:
        """Every combination of flavours that conserves charge and fermions, also in each decay.

        Neither masses, colour nor the existence of a diagram are asked for. Equal combinations in
        another order stay in the core process; of decays there is one order each.

        Args:
            model: the one that the definition was read with.

        Returns:
            The combinations in the order of `itertools.product` over the alternatives.
        """
        return tuple(self.core.reactions(ConservedNumbers(model)))
