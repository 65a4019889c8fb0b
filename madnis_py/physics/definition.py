"""The definition of a process in MadGraph's notation: "p p > e+ e- QCD=0"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from madnis_py.card import Card, closest
from madnis_py.physics.model import Model

_GROUPS = ("jet", "bottom", "lepton", "photon", "missing")


@dataclass(frozen=True)
class Definition:
    """External legs and coupling orders of a process.

    Attributes:
        text: as written in the card.
        legs: alternatives of each leg as PDG codes, incoming first.
        n_incoming: how many legs come in.
        orders: coupling -> highest power of it in the amplitude, for those that the card names.
    """

    text: str
    legs: tuple[tuple[int, ...], ...]
    n_incoming: int
    orders: dict[str, int]

    @classmethod
    def parse(cls, card: Card, model: Model) -> Definition:
        """Read `process.definition` of a card.

        Raises:
            CardError: an unknown particle, or something that is not "incoming > outgoing [orders]".
        """
        text = card.process.definition
        words = text.split()
        orders = {word: match for word in words if (match := re.fullmatch(r"(QCD|QED)(?:<?=)(\d+)", word))}
        labels = [word for word in words if word not in orders]
        unsupported = next((word for word in labels if re.search(r"[\[\]@$/,=]", word)), None)
        if unsupported is not None or labels.count(">") != 1 or ">" in (labels[0], labels[-1]):
            got = text if unsupported is None else unsupported
            raise card.error("process.definition", f'expected "incoming > outgoing QCD=n QED=n"; got "{got}"')
        n_incoming = labels.index(">")
        legs = tuple(_alternatives(label, card, model) for label in labels if label != ">")
        return cls(text, legs, n_incoming, {match[1]: int(match[2]) for match in orders.values()})

    @property
    def incoming(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the incoming legs."""
        return self.legs[: self.n_incoming]

    @property
    def outgoing(self) -> tuple[tuple[int, ...], ...]:
        """Alternatives of the outgoing legs."""
        return self.legs[self.n_incoming :]

    def outgoing_legs(self, name: str, card: Card, model: Model, path: str) -> list[int]:
        """Positions of the outgoing legs that a class or a particle name means.

        Args:
            name: "jet", "bottom", "lepton", "photon", "missing" or a particle of the model.
            card: whose error it is if the name means nothing.
            model: knows the particles.
            path: place in the card where the name stands.

        Raises:
            CardError: the name is unknown, names no particle of the final state, or only some alternatives of a leg.
        """
        meant = _meaning(name, model)
        if not meant:
            raise card.error(path, f'unknown particle or class "{name}"{closest(name, [*model.pdg_of, *_GROUPS])}')
        positions = []
        for position, alternatives in enumerate(self.outgoing, start=self.n_incoming):
            inside = [pdg in meant for pdg in alternatives]
            if any(inside) and not all(inside):
                raise card.error(path, f'expected "{name}" to mean all alternatives of a final particle; it means some')
            if all(inside):
                positions.append(position)
        if not positions and name not in _GROUPS:
            final = ", ".join(model.particle_name(pdg) for alternatives in self.outgoing for pdg in alternatives)
            raise card.error(path, f'expected a class or one of the final particles {final}; got "{name}"')
        return positions


def _alternatives(label: str, card: Card, model: Model) -> tuple[int, ...]:
    names: Sequence[str] = model.multiparticles.get(label.lower(), (label.lower(),))
    unknown = next((name for name in names if name not in model.pdg_of), None)
    if unknown is not None:
        hint = closest(label, [*model.pdg_of, *model.multiparticles])
        raise card.error("process.definition", f'unknown particle "{label}" of model {model.name}{hint}')
    return tuple(model.pdg_of[name] for name in names)


def _meaning(name: str, model: Model) -> set[int]:
    """The PDG codes that a class or a particle name stands for."""
    if name in _GROUPS:
        return {sign * particle.pdg for particle in model.particles if particle.group == name for sign in (1, -1)}
    return {model.pdg_of[name]} if name in model.pdg_of else set()
