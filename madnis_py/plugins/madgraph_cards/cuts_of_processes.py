"""Cuts for several processes of one card, put together from the cuts for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from madnis_py.card.card import Card
from madnis_py.card.values import as_list
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.particle_names import ParticleName
from madnis_py.plugins.madgraph_cards.final_particles import FinalParticles, is_alone
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard

_OF_ALL = ("ht", "system", "pt_sum", "isolation")
"""Beginnings of the keys of cuts that hold for decay products, too."""


def final_states(card: Card, model: Model) -> list[FinalParticles]:
    """The final state of each process of a card."""
    return [
        FinalParticles(definition_of(card.of_process(text), model), model)
        for text in card.process.definitions
    ]


def put_cuts_together(
    parts: Sequence[tuple[FinalParticles, ImportedCard]],
    model: Model,
    card: ImportedCard,
    cut_decays: bool,
) -> None:
    """Put the cuts for each process into one card, whose cuts hold for all processes.

    A cut that is needed for one process has to be needed for the others too, or they have to have
    no particles that it is on. Processes without any event that passes are left out, unless all
    are.

    Args:
        parts: of each process the final state, and a card with its cuts alone.
        model: of all processes.
        card: takes the cuts, and what cannot be translated.
        cut_decays: whether cuts on single particles and pairs hold for decay products.
    """
    parts = _with_events(parts, card)
    refused = [one for _, part in parts for one in part.untranslated]
    card.untranslated += list(dict.fromkeys(refused))
    tables = [part.tables.get("cuts", {}) for _, part in parts]
    for names in dict.fromkeys(name for table in tables for name in table):
        needed = {key: value for table in tables for key, value in table.get(names, {}).items()}
        for (final, _), (key, value) in product(parts, needed.items()):
            own = tables[[one for one, _ in parts].index(final)].get(names, {})
            decayed = cut_decays or "[" in names or key.startswith(_OF_ALL)
            if own.get(key) != value and _has(final, names, model, decayed):
                entry = f"the cut on {key} of {names}"
                meaning = "some of the processes need it, others must not have it"
                card.refuse("cuts", entry, meaning, "import the processes one by one")
        for key, value in needed.items():
            card.cut(names, key, value)


def _with_events(
    parts: Sequence[tuple[FinalParticles, ImportedCard]], card: ImportedCard
) -> Sequence[tuple[FinalParticles, ImportedCard]]:
    """The processes that have events, which the card is left with; all if none has."""
    definitions = as_list(card.tables["process"]["definition"])
    left = [place for place, (_, part) in enumerate(parts) if not part.impossible]
    if not left or len(left) == len(parts):
        return parts
    for definition, (_, part) in zip(definitions, parts, strict=True):
        if part.impossible:
            card.taken.append(f"{definition}: no event passes {part.impossible[0]}, left out")
    kept = [definitions[place] for place in left]
    card.put("process", "definition", kept if len(kept) > 1 else kept[0])
    return [parts[place] for place in left]


def _has(final: FinalParticles, names: str, model: Model, decayed: bool) -> bool:
    """Whether a final state has the particles that a cut is on, decay products or not."""
    if names == "event":
        return True
    words = [ParticleName.parse(word.strip(), model) for word in names.split(",")]
    places = [final.places(word.codes, decayed) for word in words]
    if not all(places) or any(final.count(word.codes)[1] < (word.rank or 0) for word in words):
        return False
    return not (len(places) > 1 and places[0] == places[1] and is_alone(places[0]))
