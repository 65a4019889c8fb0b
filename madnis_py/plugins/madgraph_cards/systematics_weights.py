"""Weights of systematics as MadGraph asks for them: pairs of factors of the scales, and sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product

from madnis_py.card.values import as_list
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.lhapdf_numbers import set_of_number

Pair = tuple[float, float]
"""Factors of mu_R and mu_F."""


def without_weights(card: ImportedCard) -> None:
    """Ask for no weights."""
    card.put("systematics", "scale_factors", [])
    card.put("systematics", "pdf_members", False)


def put_scale_pairs(pairs: Iterable[Pair], card: ImportedCard) -> None:
    """Put weights for factors of (mu_R, mu_F); of (1, 1) there is none."""
    card.put("systematics", "scale_factors", _shortened(list(dict.fromkeys(pairs))))


def _shortened(pairs: Sequence[Pair]) -> list[float] | list[list[float]]:
    """Factors whose pairs these are, or the pairs themselves."""
    factors = list(dict.fromkeys(mu_r for mu_r, _ in pairs))
    if set(pairs) | {(1.0, 1.0)} == set(product(factors, factors)) | {(1.0, 1.0)}:
        return factors
    return [list(pair) for pair in pairs if pair != (1.0, 1.0)]


def put_sets(names: Iterable[str], card: ImportedCard, shown: str) -> None:
    """Put weights of other members and of other sets.

    Args:
        names: "errorset", "central", "SET" or a number for all members, "SET@0" for one.
        card: with its beams.
        shown: the entry for a message.
    """
    nominal = str(as_list(card.tables["beams"]["pdf"])[0])
    others, members = list(card.tables.get("systematics", {}).get("pdf_sets", [])), False
    for name in names:
        if name.lower() in ("central", "errorset"):
            members |= name.lower() == "errorset"
            continue
        found = _named(name)
        if found is None:
            meaning = f"{name} is no set of LHAPDF's index, and none that is installed"
            card.refuse("systematics", shown, meaning, "leave it out")
        elif found == f"{nominal}/*":
            members = True
        elif found != nominal:
            others.append(found)
    card.put("systematics", "pdf_members", members)
    if others:
        card.put("systematics", "pdf_sets", list(dict.fromkeys(others)))


def _named(text: str) -> str | None:
    """Our name: "SET/*" for "SET" or a number, which mean all members, "SET/3" for "SET@3"."""
    name, at, member = text.partition("@")
    if name.isdecimal():
        number = int(name) + (int(member) if member.isdecimal() else 0)
        found = set_of_number(number) if len(name) < 10 else None
        return found if found is None or at else f"{found.partition('/')[0]}/*"
    if not re.fullmatch(r"[\w.+-]+", name) or (at and not member.isdecimal()):
        return None
    if at:
        return f"{name}/{int(member)}" if int(member) else name
    return f"{name}/*"
