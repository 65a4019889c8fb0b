"""Bias of a run_card.dat: events that are made more often than by the cross section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_cuts import CutEntries
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard

_PTJ: Mapping[str, float] = {"ptj_bias_target_ptj": 1000.0, "ptj_bias_enhancement_power": 4.0}
"""Parameters of `ptj_bias` -> their defaults."""


def is_unbiased(run: RunCard) -> bool:
    """Whether the run card has no bias."""
    return run.text("bias_module").lower() in ("", "none", "dummy")


def translate_bias(run: RunCard, finals: Sequence[CutEntries], card: ImportedCard) -> None:
    """Translate `bias_module`: of MadGraph's own ones `ptj_bias`, of the hardest jet.

    Args:
        run: the run card.
        finals: of each process its final state, and what is a jet there.
        card: takes the bias, and what cannot be translated.
    """
    if is_unbiased(run):
        return
    if run.text("bias_module").rpartition("/")[2] != "ptj_bias":
        meaning = "events are biased by a function in Fortran"
        way_out = 'set None, and write it into the card: [events] bias = "pt(jet[1])**2"'
        card.refuse("events", run.shown("bias_module"), meaning, way_out)
        return
    given = run.of_names("bias_parameters")
    target, power = (given.get(name, default) for name, default in _PTJ.items())
    biases = {_of_hardest_jet(final, target, power) for final in finals}
    if None in biases or len(biases) > 1 or target <= 0:
        meaning = "it needs the same jets in all processes, one for sure, and a p_T > 0"
        card.refuse("events", run.shown("bias_module"), meaning, "set bias_module = None")
    elif bias := biases.pop():
        card.put("events", "bias", bias)


def _of_hardest_jet(final: CutEntries, target: float, power: float) -> str | None:
    """(p_T / target)^power; empty without jets, None where only some events have one."""
    codes = final.codes["jet"]
    least, most = final.final.count(codes)
    name = final.final.one_name("jet", final.final.places(codes))
    if most == 0:
        return ""
    return f"(pt({name}[1])/{target:.12g})**{power:.12g}" if least and name else None
