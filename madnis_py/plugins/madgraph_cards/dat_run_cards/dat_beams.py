"""Beams of a run_card.dat: kinds, energies and parton densities."""

from __future__ import annotations

import re

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.lhapdf_numbers import BUILT_IN, set_of_number


def translate_beams(run: RunCard, card: ImportedCard) -> bool:
    """Translate the beams.

    Args:
        run: the run card.
        card: takes the beams, and what cannot be translated.

    Returns:
        whether they have parton densities.
    """
    card.put("beams", "energy", [run.number("ebeam1"), run.number("ebeam2")])
    kinds = (run.whole("lpp1"), run.whole("lpp2"))
    if kinds not in ((0, 0), (1, 1)):
        entry = f"{run.shown('lpp1')}, {run.shown('lpp2')}"
        others = "beams other than two protons (1) or two particles without parton densities"
        card.refuse("beams", entry, f"{others} (0)", "set both to 0 or both to 1")
    if kinds == (0, 0):
        card.put("beams", "pdf", "none")
        return False
    names = (card.pdf,) if card.pdf else _densities(run, card)
    card.put("beams", "pdf", names[0])
    if names[1:] and run.flag("use_syst"):
        card.put("systematics", "pdf_sets", list(names[1:]))
    return True


def _densities(run: RunCard, card: ImportedCard) -> tuple[str, ...]:
    """Names of the sets of pdlabel and lhaid, the central one first."""
    given = [name for name in run.names if name in ("pdlabel", "pdlabel1", "pdlabel2")]
    by_beam = given and given[-1] != "pdlabel"  # of pdlabel and those of each beam the last counts
    labels = ["pdlabel1", "pdlabel2"] if by_beam else ["pdlabel"]
    texts = {run.text(name).lower() for name in labels}
    shown = ", ".join(map(run.shown, labels))
    if len(texts) != 1:
        return (_without_set(card, shown, "each beam has its own densities"),)
    label = texts.pop()
    if label in BUILT_IN:
        return (_numbered(card, str(BUILT_IN[label]), shown),)
    if label != "lhapdf":
        return (_without_set(card, shown, "this set is not known here"),)
    numbers = re.findall(r"[^\s,'\"\[\]()]+", run.text("lhaid"))
    if not numbers:
        return (_without_set(card, run.shown("lhaid"), "it names no set"),)
    return tuple(_numbered(card, number, run.shown("lhaid")) for number in numbers)


def _numbered(card: ImportedCard, text: str, shown: str) -> str:
    """The set with a number of LHAPDF, also "306000@0" for a member."""
    found = re.fullmatch(r"(\d{1,9})(?:@(\d{1,4}))?", text)
    if found is None:
        return _without_set(card, shown, "this is no number of LHAPDF")
    name = set_of_number(int(found[1]) + int(found[2] or 0))
    if name is None:
        meaning = "no set of LHAPDF's index, and none that is installed, has this number"
        return _without_set(card, f"lhaid = {found[1]}", meaning)
    return name


def _without_set(card: ImportedCard, entry: str, meaning: str) -> str:
    """Refuse an entry; returns the name of a set that there is not."""
    way_out = "name the set with --pdf, or set pdlabel = lhapdf and lhaid"
    card.refuse("beams", entry, meaning, way_out)
    return "unknown"
