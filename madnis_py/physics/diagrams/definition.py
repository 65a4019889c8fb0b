"""Definition of a process in MadGraph's notation.

For example "p p > t t~ j QED=0 / h, (t > b w+, w+ > e+ ve), t~ > b~ w-": labels that stand for
several particles, coupling orders, excluded particles, decay chains. `reactions` are its choices of
definite particles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from madnis_py.card.card import Card
from madnis_py.card.sentences import closest
from madnis_py.errors import CardError
from madnis_py.physics.diagrams.reactions import Branch, Reaction
from madnis_py.physics.model.model import Model

_ORDERS = ("QCD", "QED", "WEIGHTED")
_ORDER = re.compile(r"(?<!\S)([^\s<>=!]+)\s*(?:<=|=(?!=))\s*(\d{1,4})(?!\S)")

_MOST_LEVELS, _MOST_OUTGOING, _MOST_FINAL, _MOST_COMBINATIONS = 20, 8, 20, 5_000_000
"""Limits of a definition, above what can be computed: levels of brackets, outgoing particles of a
step, final particles, combinations of flavours of a step."""

_UNSUPPORTED = {
    r"\$\$": "$$ (forbidden s-channel particles)",
    r"\$": "$ (forbidden on-shell particles)",
    r"[\[\]]": "[ ] (loops)",
    r"@": "@ (process numbers)",
    r"\^": "^2 (orders of the squared amplitude)",
    r"[{}]": "{ } (polarised particles)",
    r"\|": "| (alternative s-channel particles)",
    r"==|>=|!=|=>|<(?!=)|\w\s*>\s*\d": "orders other than QCD=2 or QCD<=2 "
    "(exact, lowest or excluded powers)",
    r">[^,()]*>": "> ... > (required s-channel particles)",
}
"""Notation of MadGraph that is not supported: pattern -> its name in messages, the first counts."""


@dataclass(frozen=True)
class Leg:
    """A label of a definition with its particles.

    Attributes:
        label: as on the card, in small letters.
        alternatives: the PDG codes that it stands for.
        decay: of all of them; None if they do not decay.
    """

    label: str
    alternatives: tuple[int, ...]
    decay: Step | None = None


@dataclass(frozen=True)
class Step:
    """The core process of a definition, or one of its decays.

    Attributes:
        incoming: labels before ">".
        outgoing: labels behind it, with their decays.
        orders: as in `Reaction`.
        excluded: as in `Reaction`.
    """

    incoming: tuple[Leg, ...]
    outgoing: tuple[Leg, ...]
    orders: tuple[tuple[str, int], ...] = ()
    excluded: tuple[int, ...] = ()

    @property
    def final(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the final state, decay products in the place of their parent."""
        parts = [
            (leg.alternatives,) if leg.decay is None else leg.decay.final for leg in self.outgoing
        ]
        return tuple(alternatives for part in parts for alternatives in part)

    def excluding(self, particles: tuple[int, ...]) -> Step:
        """The step and its decays with more excluded particles, PDG codes without sign."""
        outgoing = tuple(
            replace(leg, decay=leg.decay and leg.decay.excluding(particles))
            for leg in self.outgoing
        )
        excluded = tuple(dict.fromkeys(self.excluded + particles))
        return replace(self, outgoing=outgoing, excluded=excluded)

    def reactions(self, model: Model) -> Iterator[Reaction]:
        """Every choice of alternatives that conserves electric charge here and in the decays.

        Of choices that differ in the order of decay products alone there is the first only; in this
        step all stay.
        """
        outgoing = [
            (_charge((branch.pdg for branch in branches), model), branches)
            for branches in product(*(_branches(leg, model) for leg in self.outgoing))
        ]
        for incoming in product(*(leg.alternatives for leg in self.incoming)):
            charge = _charge(incoming, model)
            for total, branches in outgoing:
                if total == charge:
                    yield Reaction(incoming, branches, self.orders, self.excluded)


def _branches(leg: Leg, model: Model) -> list[Branch]:
    """Every particle of a leg with every decay; of decays that differ in order alone, the first."""
    if leg.decay is None:
        return [Branch(pdg) for pdg in leg.alternatives]
    decays: dict[object, Reaction] = {}
    for reaction in leg.decay.reactions(model):
        decays.setdefault(reaction.content, reaction)
    return [
        Branch(pdg, decay)
        for pdg in leg.alternatives
        for decay in decays.values()
        if decay.incoming == (pdg,)
    ]


def _charge(particles: Iterable[int], model: Model) -> int:
    """Electric charge of a state in thirds of the positron's."""
    return round(3 * sum(model.charge(pdg) for pdg in particles))


@dataclass(frozen=True)
class Definition:
    """External legs and coupling orders of a process.

    Attributes:
        text: as written in the card.
        core: the process before its decays.
    """

    text: str
    core: Step

    @classmethod
    def parse(cls, card: Card, model: Model) -> Definition:
        """Read `process.definition` of a card.

        Raises:
            CardError: an unknown particle or coupling, a step without ">" or without any choice of
                flavours that conserves electric charge, a decay of what is not there, or syntax
                that is not supported; names it.
        """
        return cls(card.definition, _Reader(card, model).read())

    @cached_property
    def legs(self) -> tuple[tuple[int, ...], ...]:
        """PDG codes that each external leg may have, incoming first, then as `Step.final`."""
        return (*(leg.alternatives for leg in self.core.incoming), *self.core.final)

    @property
    def n_incoming(self) -> int:
        """Number of incoming legs."""
        return len(self.core.incoming)

    @property
    def orders(self) -> dict[str, int]:
        """Coupling -> highest power in the amplitude of the core process, if the card names it."""
        return dict(self.core.orders)

    @property
    def incoming(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the incoming legs."""
        return self.legs[: self.n_incoming]

    @property
    def outgoing(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the outgoing legs."""
        return self.legs[self.n_incoming :]

    def reactions(self, model: Model) -> tuple[Reaction, ...]:
        """Every combination of flavours that conserves electric charge, also in each decay.

        Neither colour nor the existence of a diagram is asked for. Equal combinations in another
        order stay in the core process; of decays there is one order each.

        Args:
            model: the one that the definition was read with.

        Returns:
            The combinations in the order of `itertools.product` over the alternatives.
        """
        return tuple(self.core.reactions(model))


class _Reader:
    """Reads the definition of a card.

    Args:
        card: whose definition and whose errors.
        model: knows the particles.
    """

    def __init__(self, card: Card, model: Model) -> None:
        self._text, self._card, self._model = card.definition, card, model

    def read(self) -> Step:
        """The core process with its decays."""
        for pattern, name in _UNSUPPORTED.items():
            if re.search(pattern, self._text):
                raise self._error(
                    f'expected a definition without {name}, not supported here; got "{self._text}"'
                )
        step = self._chain(self._text)
        self._check_size("final particles", len(step.final), _MOST_FINAL)
        return step

    def _check_size(self, what: str, got: int, most: int) -> None:
        if got > most:
            raise self._error(f"expected at most {most:,} {what}; got {got:,}")

    def _error(self, sentence: str) -> CardError:
        return self._card.error("process.definition", sentence)

    def _chain(self, text: str) -> Step:
        """A process and its decays, after commas; a decay in brackets is a chain of its own."""
        core, *decays = self._parts(text)
        return self._decayed(self._step(core), [self._decay(decay) for decay in decays])

    def _decay(self, text: str) -> Step:
        """A decay: a process, or a chain in brackets.

        Particles excluded behind the brackets are excluded in all steps inside.
        """
        brackets = re.fullmatch(r"\((.*)\)([^()]*)", text)
        if brackets is None:
            return self._chain(text)
        chain, behind = self._chain(brackets[1]), brackets[2].strip()
        if not behind:
            return chain
        if not behind.startswith("/") or _ORDER.search(behind):
            raise self._error(f'expected "/ excluded" alone behind brackets; got "{text}"')
        return chain.excluding(self._excluded(behind.removeprefix("/"), text))

    def _parts(self, text: str) -> list[str]:
        """The parts of a text between commas outside of brackets."""
        parts, depth = [""], 0
        for character in text:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth > _MOST_LEVELS:
                raise self._error(
                    f"expected at most {_MOST_LEVELS} brackets in each other; got more"
                )
            if depth < 0:
                break
            if character == "," and depth == 0:
                parts.append("")
            else:
                parts[-1] += character
        if depth != 0:
            raise self._error(f'expected brackets in pairs; got "{text}"')
        return [part.strip() for part in parts]

    def _step(self, text: str) -> Step:
        process, slash, after = _ORDER.sub(" ", text).partition("/")
        incoming, _, outgoing = (side.split() for side in process.partition(">"))
        if not incoming or not outgoing or re.search("[()]", text):
            raise self._error(
                f'expected "incoming > outgoing QCD=n QED=n / excluded"; got "{text or self._text}"'
            )
        excluded = self._excluded(after, text) if slash else ()
        step = Step(self._legs(incoming), self._legs(outgoing), self._orders(text), excluded)
        self._check_size("outgoing particles of a step", len(outgoing), _MOST_OUTGOING)
        if len(incoming) > 2:
            raise self._error(f'expected one or two incoming particles; got "{text}"')
        if len(incoming) == len(outgoing) == 1:
            raise self._error(f'expected a decay into two particles or more; got "{text}"')
        combinations = math.prod(len(leg.alternatives) for leg in (*step.incoming, *step.outgoing))
        self._check_size("combinations of flavours", combinations, _MOST_COMBINATIONS)
        if not self._charges(step.incoming) & self._charges(step.outgoing):
            raise self._error(f'expected a process that conserves electric charge; got "{text}"')
        return step

    def _orders(self, text: str) -> tuple[tuple[str, int], ...]:
        orders = [(name.upper(), int(power)) for name, power in _ORDER.findall(text)]
        names = [name for name, _ in orders]
        unknown = next((name for name in names if name not in _ORDERS), None)
        if unknown is not None:
            raise self._error(f'unknown coupling order "{unknown}"{closest(unknown, _ORDERS)}')
        if len(set(names)) < len(names):
            raise self._error(f'expected every coupling order once; got "{text}"')
        return tuple(orders)

    def _legs(self, labels: Sequence[str]) -> tuple[Leg, ...]:
        return tuple(Leg(label.lower(), self._alternatives(label)) for label in labels)

    def _excluded(self, labels: str, text: str) -> tuple[int, ...]:
        """The particles after a "/" of a text."""
        if not labels.split():
            raise self._error(f'expected particles after "/"; got "{text}"')
        return tuple(
            dict.fromkeys(abs(pdg) for label in labels.split() for pdg in self._alternatives(label))
        )

    def _alternatives(self, label: str) -> tuple[int, ...]:
        if "=" in label:
            raise self._error(f'expected a coupling order as QCD=2 or QCD<=2; got "{label}"')
        names = self._model.multiparticles.get(label.lower(), (label.lower(),))
        if any(name not in self._model.pdg_of for name in names):
            hint = closest(label, [*self._model.pdg_of, *self._model.multiparticles])
            raise self._error(f'unknown particle "{label}" of model {self._model.name}{hint}')
        return tuple(self._model.pdg_of[name] for name in names)

    def _charges(self, legs: Sequence[Leg]) -> set[int]:
        """The charges that a state can have."""
        totals = {0}
        for leg in legs:
            charges = {_charge((pdg,), self._model) for pdg in leg.alternatives}
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
