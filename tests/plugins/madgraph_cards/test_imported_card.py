"""Cards that are made entry by entry."""

from __future__ import annotations

from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard


def test_of_two_cuts_on_one_observable_the_stricter_one_stays() -> None:
    card = ImportedCard()
    for value in (30.0, 40.0, 35.0):
        card.cut("jet[1]", "pt_min", value)
        card.cut("jet", "eta_max", value)
    assert card.tables["cuts"] == {"jet[1]": {"pt_min": 40.0}, "jet": {"eta_max": 30.0}}
