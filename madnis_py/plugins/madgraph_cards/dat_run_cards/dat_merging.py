"""Samples for merging in a run_card.dat, MLM or CKKW-L, and the jets of its clustering."""

from __future__ import annotations

from collections.abc import Sequence

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.final_particles import FinalParticles
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard


def translate_merging(run: RunCard, card: ImportedCard) -> RunCard:
    """Translate the entries of MLM merging, and the largest quark of jets in a clustering.

    Args:
        run: the run card.
        card: with its scales; takes the table [merging].

    Returns:
        the run card with the cuts that MadGraph leaves to merging switched off.
    """
    merges, least = run.whole("ickkw") == 1, run.number("xqcut")
    if "clustering" in str(card.tables.get("scales", {})) or merges or least > 0:
        card.put("merging", "maxjetflavor", run.whole("maxjetflavor", 1, 6))
    if not merges and least <= 0:
        return run
    if merges:
        card.put("merging", "scheme", "mlm")
        _put_couplings(run, card)
    card.put("merging", "xqcut", least)
    card.put("merging", "auto_ptj_mjj", run.flag("auto_ptj_mjj") and not _off(run))
    return run.updated(_cuts_left(run))


def _off(run: RunCard) -> list[str]:
    """Cuts on jets below 0, which stay off beside xqcut."""
    return [name for name in ("ptj", "mmjj") if run.number(name) < 0]


def put_cuts_between_jets(
    run: RunCard, finals: Sequence[FinalParticles], hadronic: bool, card: ImportedCard
) -> None:
    """Translate the cuts of samples for CKKW-L, ktdurham and ptlund.

    Args:
        run: the run card.
        finals: the final state of each process.
        hadronic: whether both beams have parton densities.
        card: takes the keys of [merging].
    """
    given = [name for name in ("ktdurham", "ptlund") if run.number(name) > 0]
    for name in given:
        card.put("merging", name, run.number(name))
        if not hadronic:
            meaning = "the cut is that of two beams with parton densities"
            card.refuse("merging", run.shown(name), meaning, "set it to 0")
    if "ktdurham" in given:
        card.put("merging", "dparameter", run.number("dparameter"))
    if given:
        card.put("merging", "maxjetflavor", run.whole("maxjetflavor", 1, 6))
        _refuse_other_particles(run, finals, card)
    if len(given) + (run.number("xqcut") > 0) > 1:
        meaning = "a sample is cut by one of xqcut, ktdurham and ptlund here"
        card.refuse("merging", run.shown(given[0]), meaning, "leave one of them")


def _refuse_other_particles(
    run: RunCard, finals: Sequence[FinalParticles], card: ImportedCard
) -> None:
    """MadGraph lists the particles that are cut on, top quarks among them; here they are jets."""
    listed = run.codes("pdgs_for_merging_cut")
    jets = {21, *range(1, run.whole("maxjetflavor", 1, 6) + 1)}
    named = {
        final.name(pdg)
        for final in finals
        for _, pdg in final.places({*listed, *jets, *(-one for one in {*listed, *jets})}, False)
        if (abs(pdg) in listed) != (abs(pdg) in jets)
    }
    if named:
        meaning = f"jets up to maxjetflavor are cut on here; {', '.join(sorted(named))} differ"
        expected = f"set it to {sorted(jets)}"
        card.refuse("merging", run.shown("pdgs_for_merging_cut"), meaning, expected)


def _put_couplings(run: RunCard, card: ImportedCard) -> None:
    """Put what alpha_s and the parton densities of the nodes depend on."""
    flavours = [run.whole(name, 1, 6) for name in ("asrwgtflavor", "maxjetflavor")]
    card.put("merging", "asrwgtflavor", max(flavours))
    card.put("merging", "pdfwgt", run.flag("pdfwgt"))
    if not run.flag("use_syst"):  # with weights of systematics MadGraph takes 1
        card.put("merging", "alpsfact", run.number("alpsfact"))


def _cuts_left(run: RunCard) -> dict[str, str]:
    """Cuts on jets beside xqcut: distances are off, p_T and masses that are larger than it, too.

    Automatic ones are equal to it, which for jets of the sample is part of [merging] if both are.
    """
    off, automatic = _off(run), run.flag("auto_ptj_mjj")
    equal = run.text("xqcut") if off or run.flag("cut_decays") else "0"
    entries = {"drjj": "0", "drjl": "0"} | dict.fromkeys(off, "0")
    for name in ("ptj", "mmjj"):
        if automatic and name not in off:
            entries[name] = equal
        elif run.number(name) > run.number("xqcut"):
            entries[name] = "0"
    return entries
