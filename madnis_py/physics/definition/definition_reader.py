"""Reader of process definitions: the text of a card becomes steps of definite alternatives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product

from madnis_py.card.card import Card
from madnis_py.card.sentences import closest
from madnis_py.errors import CardError, InputError
from madnis_py.physics.definition.conserved_numbers import ConservedNumbers
from madnis_py.physics.definition.definition import Definition, Leg, Step
from madnis_py.physics.definition.notation import (
    ChainText,
    Label,
    RestrictionText,
    StepText,
    parse_notation,
)
from madnis_py.physics.definition.particle_labels import ParticleLabels
from madnis_py.physics.diagrams.coupling_orders import ALL_ORDERS, WEIGHTED, OrderLimit
from madnis_py.physics.diagrams.polarisation import helicity_states
from madnis_py.physics.diagrams.restrictions import Restrictions
from madnis_py.physics.model.model import Model

_MOST_OUTGOING, _MOST_FINAL, _MOST_CHOICES, _MOST_COMBINATIONS = 8, 20, 1_000_000, 1_000_000
"""Limits of a definition, above what can be computed: outgoing particles of a step, final
particles, choices of incoming or outgoing particles of a step, and choices of both that conserve
charge and fermions."""


def definition_of(card: Card, model: Model) -> Definition:
    """Read the only definition of a card.

    Raises:
        CardError: an unknown particle or coupling, a step without ">" or without any choice of
            flavours that conserves electric charge, a decay of what is not there, or syntax that is
            not supported; names it.
    """
    return _Reader(card, model).read()


class _Reader:
    """Reads the definition of a card.

    Args:
        card: whose definition and whose errors.
        model: knows the particles.
    """

    def __init__(self, card: Card, model: Model) -> None:
        self._card, self._model = card, model

    def read(self) -> Definition:
        """The definition with its decays."""
        text = self._card.definition
        try:
            words = parse_notation(text)
            core = _with_all_orders_of_a_decay(self._chain(words.chain))
            definition = Definition(text, core, words.number, self._card.process.masses)
            self._check_polarisations(definition.core)
        except CardError:
            raise
        except InputError as error:
            raise self._error(str(error)) from None
        self._check_size("final particles", len(definition.core.final), _MOST_FINAL)
        return definition

    @cached_property
    def _numbers(self) -> ConservedNumbers:
        return ConservedNumbers(self._model)

    @cached_property
    def _labels(self) -> ParticleLabels:
        try:
            return ParticleLabels(self._model, self._card.process.multiparticles)
        except InputError as error:
            raise self._card.error("process.multiparticles", str(error)) from None

    def _check_polarisations(self, step: Step) -> None:
        """Refuse states that a particle does not have, and those of z{T} z.

        Such particles are neither identical nor different: the second may be transverse, too.
        """
        for leg in step.incoming:
            self._states(leg)
        known: list[tuple[str, Mapping[int, set[int]]]] = []
        for leg in step.outgoing:
            label = leg.label if leg.polarisation is None else f"{leg.label}{{{leg.polarisation}}}"
            states = self._states(leg)
            for other, earlier in known:
                for pdg in states.keys() & earlier.keys():
                    if states[pdg] != earlier[pdg] and states[pdg] & earlier[pdg]:
                        expected = (
                            "expected the same polarisation of equal particles, or other ones"
                        )
                        raise self._error(f"{expected}; got {other} {label}")
            known.append((label, states))
            if leg.decay is not None:
                self._check_polarisations(leg.decay)

    def _states(self, leg: Leg) -> dict[int, set[int]]:
        """The states that a leg leaves to each of its alternatives."""
        return {
            pdg: set(leg.states_of(pdg, self._model) or helicity_states(self._model, pdg))
            for pdg in leg.alternatives
        }

    def _error(self, sentence: str) -> CardError:
        return self._card.error("process.definition", sentence)

    def _check_size(self, what: str, got: int, most: int) -> None:
        if got > most:
            raise self._error(f"expected at most {most:,} {what}; got {got:,}")

    def _chain(self, text: ChainText) -> Step:
        """A step with its decays, restricted by what stands behind their brackets."""
        step = self._decayed(self._step(text.step), [self._chain(one) for one in text.decays])
        return step.restricted(self._restrictions(text.behind))

    def _step(self, text: StepText) -> Step:
        restrictions = replace(
            self._restrictions(text.restrictions), required=self._required(text.required)
        )
        self._check_orders(text.orders)
        incoming, outgoing = self._legs(text.incoming), self._legs(text.outgoing)
        step = Step(incoming, outgoing, text.orders, restrictions)
        self._check_size("outgoing particles of a step", len(step.outgoing), _MOST_OUTGOING)
        if len(step.incoming) > 2:
            raise self._error(f'expected one or two incoming particles; got "{text.text}"')
        if len(step.incoming) == len(step.outgoing) == 1:
            raise self._error(f'expected a decay into two particles or more; got "{text.text}"')
        sides = [[leg.alternatives for leg in side] for side in (step.incoming, step.outgoing)]
        for side in sides:
            self._check_size("choices of particles", math.prod(map(len, side)), _MOST_CHOICES)
        combinations = self._numbers.count(*sides)
        self._check_size("combinations of flavours", combinations, _MOST_COMBINATIONS)
        if not self._charges(step.incoming) & self._charges(step.outgoing):
            expected = "expected a process that conserves electric charge"
            raise self._error(f'{expected}; got "{text.text}"')
        return step

    def _check_orders(self, limits: Sequence[OrderLimit]) -> None:
        """Refuse coupling orders that the model does not have, or is not meant for."""
        known = {order.name: order for order in self._model.orders}
        for limit in limits:
            if limit.coupling == WEIGHTED:
                continue
            if limit.coupling not in known:
                hint = closest(limit.coupling, [*known, WEIGHTED])
                raise self._error(f'unknown coupling order "{limit.coupling}"{hint}')
            most = known[limit.coupling].expansion
            above = limit.relation != ">" and limit.power > most and not limit.squared
            if above and known[limit.coupling].is_limited:
                expected = f"expected {limit.coupling} <= {most}, as far as the model goes"
                raise self._error(f"{expected}; got {limit}")

    def _legs(self, labels: Sequence[Label]) -> tuple[Leg, ...]:
        """The legs of labels; "3j" is three of them."""
        legs: list[Leg] = []
        for label in labels:
            name, times = label.name, 1
            if name not in self._labels and name[0].isdigit() and name[1:] in self._labels:
                name, times = name[1:], int(name[0])
            legs += [Leg(name.lower(), self._labels[name], label.polarisation)] * times
        return tuple(legs)

    def _required(self, alternatives: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...]:
        """Every choice of definite particles of every alternative."""
        return tuple(
            dict.fromkeys(
                tuple(dict.fromkeys(choice))
                for labels in alternatives
                for choice in product(*(self._labels[label] for label in labels))
            )
        )

    def _restrictions(self, text: RestrictionText) -> Restrictions:
        return Restrictions(
            excluded=tuple(dict.fromkeys(map(abs, self._codes(text.excluded)))),
            forbidden=self._codes(text.forbidden),
            off_shell=self._codes(text.off_shell),
        )

    def _codes(self, labels: Sequence[str]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(pdg for label in labels for pdg in self._labels[label]))

    def _charges(self, legs: Sequence[Leg]) -> set[int]:
        """The charges that a state can have, in thirds of the positron's if they are conserved."""
        totals = {0}
        for leg in legs:
            charges = {self._numbers.charges[pdg] for pdg in leg.alternatives}
            totals = {total + charge for total in totals for charge in charges}
        return totals

    def _decayed(self, step: Step, decays: Sequence[Step]) -> Step:
        """The step with its decays: one serves all equal particles, several go by their order."""
        for decay in decays:
            if len(decay.incoming) != 1:
                labels = " ".join(leg.label for leg in decay.incoming)
                raise self._error(
                    f'expected the decay of one particle after a comma; got that of "{labels}"'
                )
            if any(order.squared for order in decay.orders):
                orders = ", ".join(str(order) for order in decay.orders)
                raise self._error(
                    "expected orders of the squared amplitude at the core process alone; got "
                    f"{orders} in a decay"
                )
            if decay.incoming[0].polarisation is not None:
                label, braces = decay.incoming[0].label, f"{{{decay.incoming[0].polarisation}}}"
                expected = f"expected the polarisation of {label} where it is produced"
                raise self._error(f"{expected}; got {label}{braces} in its decay")
        outgoing = list(step.outgoing)
        for (parent,) in dict.fromkeys(decay.incoming for decay in decays):
            listed = [decay for decay in decays if decay.incoming == (parent,)]
            places = [
                place
                for place, leg in enumerate(outgoing)
                if leg.alternatives == parent.alternatives
            ]
            self._check_decays(parent, len(listed), len(places), step)
            for place, decay in zip(places, listed * (len(places) // len(listed)), strict=True):
                outgoing[place] = replace(outgoing[place], decay=decay)
        return replace(step, outgoing=tuple(outgoing))

    def _check_decays(self, parent: Leg, listed: int, present: int, step: Step) -> None:
        if present == 0:
            final = ", ".join(dict.fromkeys(leg.label for leg in step.outgoing))
            raise self._error(
                f"expected a decay of {final}; got one of {parent.label} (decays of decay products "
                "stand in brackets, p p > t t~, (t > b w+, w+ > e+ ve))"
            )
        if listed not in (1, present):
            wanted = "one decay" if present == 1 else f"one decay or {present}"
            raise self._error(f"expected {wanted} for {present} {parent.label}; got {listed}")


def _with_all_orders_of_a_decay(core: Step) -> Step:
    """The core, which has all coupling orders if it is a decay without a chain that names none.

    So MadGraph has it, while decays of a chain have the lowest orders.
    """
    in_chain = any(leg.decay is not None for leg in core.outgoing)
    if len(core.incoming) == 2 or in_chain or core.orders:
        return core
    return replace(core, orders=(ALL_ORDERS,))
