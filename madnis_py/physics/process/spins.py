"""Spins of a process: the frame that defines helicities, and how far the beams are polarised."""

from __future__ import annotations

from collections.abc import Iterator

from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.tapes.helicities import Spins
from madnis_py.physics.definition.definition import Definition, Leg, Step
from madnis_py.physics.diagrams.polarisation import helicity_states
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.model.model import Model


def spins_of(reaction: Reaction, card: Card, model: Model) -> Spins:
    """The spins of a reaction by [process] me_frame and [beams] polarization of a card.

    Helicities of massive particles depend on the frame: where a definition selects some of them,
    that is the rest frame of the incoming particles, unless the card names another one.

    Raises:
        CardError: no such frame, or a beam that cannot be polarised so; names the key.
    """
    beams = _beams(reaction, card, model)
    if card.process.me_frame is not None:
        return Spins(_frame(reaction, card.process.me_frame, card, model), beams)
    incoming = tuple(range(len(reaction.incoming)))
    return Spins(incoming if _depends_on_frame(reaction, beams, model) else (), beams)


def is_polarised(reaction: Reaction, card: Card) -> bool:
    """Whether |M|^2 is not that of all helicities with equal weights."""
    selected = any(reaction.leg_polarisations) or bool(reaction.polarised_lines)
    return selected or any(card.beams.polarization or ())


def _beams(reaction: Reaction, card: Card, model: Model) -> tuple[float, ...]:
    degrees = card.beams.polarization
    if degrees is None or not any(degrees):
        return ()
    if len(reaction.incoming) != 2:
        raise card.error("beams.polarization", f"expected two beams; got {list(degrees)}")
    return tuple(
        _degree(degree, beam, reaction, card, model) for beam, degree in enumerate(degrees)
    )


def _degree(degree: float, beam: int, reaction: Reaction, card: Card, model: Model) -> float:
    """Degree of polarisation of a beam, 0 for neutrinos, which have one helicity by themselves."""
    pdg = reaction.incoming[beam]
    name, place = model.particle_name(pdg), f"beams.polarization[{beam}]"
    if degree == 0:
        return 0.0
    if card.beams.pdfs[beam] not in ("none", "isr"):  # radiation along the beam keeps helicities
        expected = 'expected 0 for a beam with parton densities, other than "none" and "isr"'
        raise card.error(place, f"{expected}; got {degree:g}")
    if helicity_states(model, pdg) != (-1, 1):
        raise card.error(place, f"expected 0 for {name}; got {degree:g}")
    if model.is_left_handed(pdg):
        natural = -1.0 if pdg > 0 else 1.0
        if degree != natural:
            raise card.error(
                place, f"expected {natural:g} for {name}, or 0 for the same; got {degree:g}"
            )
        return 0.0
    states = reaction.leg_polarisations[beam] or (-1, 1)
    if all(1 + state * degree <= 0 for state in states):
        raise card.error(place, f"expected a share of the helicity of {name}; got {degree:g}")
    return degree


def _depends_on_frame(reaction: Reaction, beams: tuple[float, ...], model: Model) -> bool:
    """Whether a massive particle has a definite polarisation."""
    in_beams = any(
        degree and model.mass(pdg) > 0
        for degree, pdg in zip(beams, reaction.incoming, strict=False)
    )
    selected = zip(reaction.legs, reaction.leg_polarisations, strict=True)
    external = any(states and model.mass(pdg) > 0 for pdg, states in selected)
    return in_beams or external or bool(reaction.polarised_lines)


def _frame(reaction: Reaction, legs: tuple[int, ...], card: Card, model: Model) -> tuple[int, ...]:
    """Positions of the legs of a frame, in which what is polarised moves."""

    def refused(expected: str) -> Exception:
        return card.error("process.me_frame", f"expected {expected}; got {list(legs)}")

    frame, n_incoming = tuple(sorted(leg - 1 for leg in legs)), len(reaction.incoming)
    if frame[-1] >= len(reaction.legs):
        raise refused(f"legs from 1 to {len(reaction.legs)}")
    incoming = tuple(range(n_incoming))
    if 0 < sum(leg < n_incoming for leg in frame) < n_incoming:
        raise refused("both incoming legs or none")
    if len(frame) == 1 and model.mass(reaction.legs[frame[0]]) == 0:
        raise refused("legs that have a rest frame")
    polarised = [(leg,) for leg, states in enumerate(reaction.leg_polarisations) if states] + [
        positions(mask) for _, mask in reaction.polarised_lines
    ]
    if frame != incoming and frame in map(tuple, polarised):
        raise refused("a frame in which polarised particles move")
    return frame


def spin_caveats(definition: Definition, model: Model) -> tuple[str, ...]:
    """Sentences on letters that mean something else than many expect."""
    left_handed = dict.fromkeys(
        f"{leg.label}{{{leg.polarisation}}}"
        for leg in _legs(definition.core)
        if leg.polarisation is not None
        and "L" in leg.polarisation.upper()
        and 0 in helicity_states(model, leg.alternatives[0])
    )
    return tuple(
        f"polarisation: {name} is left-handed, of helicity -1; {{0}} is longitudinal"
        for name in left_handed
    )


def _legs(step: Step) -> Iterator[Leg]:
    for leg in (*step.incoming, *step.outgoing):
        yield leg
        if leg.decay is not None:
            yield from _legs(leg.decay)
