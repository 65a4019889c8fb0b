"""Models whose widths follow from their other parameters, where a card asks for that."""

from __future__ import annotations

from collections.abc import Iterable

from madnis_py.card.card import Card
from madnis_py.physics.decays.partial_widths import decay_table
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.card_model import model_from_card


def model_of(card: Card) -> Model:
    """The model of a card, with the widths that it leaves to be computed.

    Raises:
        CardError: as `model_from_card`.
    """
    model = model_from_card(card)
    return with_widths(model) if model.automatic else model


def with_widths(model: Model) -> Model:
    """The model with its `automatic` widths at lowest order and real masses.

    Decays to three particles take the widths of those between from decays to two.
    """
    first = model.with_values(_totals(model.automatic, model, two_body=True))
    return model.with_values(_totals(model.automatic, first, two_body=False))


def _totals(names: Iterable[str], model: Model, two_body: bool) -> dict[str, float]:
    """Names of widths -> total widths in GeV."""
    return {
        name: decay_table(model.parameters[name].code[0], model, two_body=two_body).total
        for name in names
    }
