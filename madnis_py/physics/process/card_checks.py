"""Checks of a card against its process, once all of it has been parsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from madnis_py.card.card import Card
from madnis_py.card.choices import CLUSTERING
from madnis_py.card.sentences import closest, shown
from madnis_py.errors import InputError
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import vertex_table
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.observable import Observable
from madnis_py.physics.process.beams import beams_of
from madnis_py.physics.process.flavour_groups import FlavourGroup
from madnis_py.physics.process.spins import is_polarised, spins_of


def parsed_histograms(card: Card, model: Model) -> dict[str, Observable]:
    """The observables of the table [histograms], by what the card calls them.

    Raises:
        CardError: an observable, or a particle, is unknown.
    """
    try:
        return {text: Observable.parse(text, model) for text in card.histograms}
    except InputError as error:
        raise card.error("histograms", str(error)) from None


def check_card(
    card: Card,
    model: Model,
    definition: Definition,
    groups: Sequence[FlavourGroup],
    histograms: Mapping[str, Observable],
) -> None:
    """Refuse a card whose tables do not fit its process.

    Raises:
        CardError: names the place in the card.
    """
    for legs in (group.reaction.legs for group in groups):
        if len(legs) == 3 and not any(model.mass(pdg) for pdg in legs):
            # three massless particles meet only in parallel, where all invariants are 0
            expected = "expected a mass among three particles"
            raise card.error("process.definition", f'{expected}; got "{definition.text}"')
    _check_scales(card, definition, groups)
    _check_beams(card, model, definition)
    _check_merging(card)
    _check_provider(card)
    _check_spins(card, model, definition, groups)
    _check_order_weights(card, model, groups)
    finals = {legs[definition.n_incoming :] for group in groups for legs in group.flavours}
    for text, observable in histograms.items():
        if not observable.measurable(finals):
            expected = f'expected particles that "{definition.text}" has'
            raise card.error(f'histograms."{text}"', f"{expected}; got others")


def _check_parent(card: Card, model: Model, definition: Definition) -> None:
    """What decays is one particle with a mass."""
    (parents,) = definition.incoming
    if len(parents) > 1 or model.mass(parents[0]) == 0:
        expected = "expected the decay of one particle with a mass"
        raise card.error("process.definition", f'{expected}; got "{definition.text}"')


def _check_scales(card: Card, definition: Definition, groups: Sequence[FlavourGroup]) -> None:
    """A single particle has no transverse momentum: scales made of transverse momenta are 0."""
    if definition.n_incoming == 1:
        _check_scales_of_decay(card)
    if definition.n_incoming != 2 or len(groups[0].reaction.legs) > 3:
        return
    for name, scale in (
        *(("factorization", scale) for scale in card.scales.factorizations),
        ("renormalization", card.scales.renormalization),
    ):
        if str(scale).startswith(("ht", "sum_et")):
            expected = (
                'expected GeV, "sum_mt" or "sqrt_s" for a single final particle, which has no p_T'
            )
            raise card.error(f"scales.{name}", f'{expected}; got "{scale}"')


def _check_merging(card: Card) -> None:
    """The keys of [merging] that belong to one scheme exclude those of another.

    Emissions have scales to vary in samples for MLM alone.
    """
    merging = card.merging
    if card.systematics.emission_factors and card.for_merging.scheme != "mlm":
        expected = 'expected them for samples for MLM, merging.scheme = "mlm"'
        got = f"got {list(card.systematics.emission_factors)} for other events"
        raise card.error("systematics.emission_factors", f"{expected}; {got}")
    if merging is None:
        return
    cuts = {name: getattr(merging, name) for name in ("xqcut", "ktdurham", "ptlund")}
    given = [f"{name} = {least:g}" for name, least in cuts.items() if least > 0]
    if len(given) > 1:
        expected = "expected xqcut (MLM), ktdurham (CKKW-L) or ptlund (CKKW-L, UMEPS)"
        raise card.error("merging", f"{expected}; got {' and '.join(given)}")
    if "none" in card.beams.pdfs and given:
        expected = "expected beams with parton densities for xqcut, ktdurham and ptlund"
        raise card.error("merging", f'{expected}; got pdf = "none"')
    if merging.scheme == "mlm":
        if not merging.xqcut > 0:
            raise card.error("merging.xqcut", f"expected GeV > 0 for mlm; got {merging.xqcut:g}")
        for key in ("factorization", "renormalization"):
            chosen = getattr(card.scales, key)
            if chosen != CLUSTERING:
                expected = f'expected "{CLUSTERING}" for merging.scheme = "mlm"'
                raise card.error(f"scales.{key}", f"{expected}; got {chosen}")


def _check_provider(card: Card) -> None:
    """Other programs have couplings of their own."""
    if card.process.complex_mass and card.process.matrix_element is not None:
        expected = "expected false for matrix elements of a provider, whose couplings are its own"
        raise card.error("process.complex_mass", f"{expected}; got true")


def _check_spins(
    card: Card, model: Model, definition: Definition, groups: Sequence[FlavourGroup]
) -> None:
    """Frames and polarised beams that there are; other programs give |M|^2 of all helicities."""
    for group in groups:
        spins_of(group.reaction, card, model)
        if card.process.matrix_element is not None and is_polarised(group.reaction, card):
            expected = "expected no polarised particles and beams for a provider"
            raise card.error("process.matrix_element", f'{expected}; got "{definition.text}"')


def _check_order_weights(card: Card, model: Model, groups: Sequence[FlavourGroup]) -> None:
    """Weights are by the orders of the whole |M|^2, which decays of a chain must not change."""
    names, key = card.events.order_weights, "events.order_weights"
    if names is None:
        return
    known = [order.name for order in model.orders]
    for name in names:
        if name not in known:
            expected = f"expected coupling orders of model {model.name}, {', '.join(known)}"
            raise card.error(key, f"{expected}; got {shown(name)}{closest(name, known)}")
    if len({*names}) < len(names) or not names:
        raise card.error(key, f"expected different coupling orders; got {[*names]}")
    if card.process.matrix_element is not None:
        expected = "expected none where another program computes |M|^2"
        raise card.error(key, f"{expected}; got {[*names]}")
    for group in groups:
        inside = recursion_of(group.reaction, vertex_table(model)).powers_of_decays(names)
        if any(map(any, inside)):
            expected = "expected coupling orders that the decays of the chain do not have"
            reaction = model.reaction_name(group.reaction.legs, len(group.reaction.incoming))
            raise card.error(key, f"{expected}; got {[*names]} for {reaction}")


def _check_scales_of_decay(card: Card) -> None:
    """The scale of a decay is fixed: by default the mass of the particle."""
    for name, scale in (
        *(("factorization", scale) for scale in card.scales.factorizations),
        ("renormalization", card.scales.renormalization),
    ):
        if isinstance(scale, str):
            raise card.error(
                f"scales.{name}", f'expected GeV for the decay of one particle; got "{scale}"'
            )


def _check_beams(card: Card, model: Model, definition: Definition) -> None:
    """Beams without densities are one parton each; all have more energy than mass, or rest."""
    if definition.n_incoming == 1:
        _check_parent(card, model, definition)
        return
    for partons, pdf in zip(definition.incoming, card.beams.pdfs, strict=False):
        if len(partons) > 1 and pdf in ("none", "isr"):
            expected = f'expected single partons in the beams for "{pdf}"'
            raise card.error("beams.pdf", f'{expected}; got "{definition.text}"')
    for pdf, table in zip(card.beams.pdfs, card.beams.tables, strict=True):
        if table != "none" and pdf not in ("none", "isr"):
            expected = 'expected beams of leptons, with pdf = "none" or "isr", for a table'
            raise card.error("beams.beamstrahlung", f"{expected}; got {pdf or 'none'}")
    beams = beams_of(definition, card, model)
    for beam, (pdg, energy, mass) in enumerate(
        zip(beams.pdg, beams.energies, beams.masses, strict=True)
    ):
        if energy == 0:
            expected = "expected GeV > 0 for a particle without mass"
            raise card.error(f"beams.energy[{beam}]", f"{expected}; got 0")
        if energy < mass or (energy == mass and card.beams.energy[beam] > 0):
            hadron = beams.shares[beam] == "smooth"
            name = "a nucleon" if hadron else model.particle_name(pdg)
            expected = f"expected more than the mass {mass:g} GeV of {name}"
            raise card.error(f"beams.energy[{beam}]", f"{expected}; got {energy:g}")
