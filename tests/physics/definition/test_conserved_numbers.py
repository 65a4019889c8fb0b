"""Conserved numbers leave out combinations of particles without diagrams, and no others."""

from __future__ import annotations

from itertools import product

import pytest

from madnis_py.card.card import Card
from madnis_py.physics.definition.conserved_numbers import ConservedNumbers
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.diagrams.coupling_orders import OrderLimit
from madnis_py.physics.diagrams.reactions import reaction_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model_search.card_model import model_from_card

LABELS = ("u d~ s c~ t w+", "g a z h u d", "e+ ve vm~ mu- w- z", "b t~ ta+ vt w- h")


@pytest.mark.parametrize("lam", [0.0, 0.22])
@pytest.mark.parametrize("label", LABELS)
def test_all_that_has_diagrams_is_kept(label: str, lam: float) -> None:
    process = {"definition": "x x > x x", "multiparticles": {"x": label}}
    card = Card.parse({"process": process, "parameters": {"lamWS": lam}})
    model = model_from_card(card)
    vertices, codes = VertexTable(model), [model.pdg_of[name] for name in label.split()]
    kept = [reaction.legs for reaction in definition_of(card, model).reactions(model)]
    every = OrderLimit("WEIGHTED", 99)
    with_diagrams = [
        legs
        for legs in product(codes, repeat=4)
        if recursion_of(reaction_of(legs[:2], legs[2:], every), vertices).goals
    ]
    assert set(with_diagrams) <= set(kept)
    assert len(kept) == ConservedNumbers(model).count([codes] * 2, [codes] * 2)
    assert len(with_diagrams) > 0.2 * len(kept)
