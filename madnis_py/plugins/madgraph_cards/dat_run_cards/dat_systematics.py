"""Weights of systematics that a run_card.dat asks for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.systematics_weights import (
    Pair,
    put_scale_pairs,
    put_sets,
    without_weights,
)

_NAMES = ("start_id", "weight_format", "weight_info")
"""Arguments about how weights are called."""


def translate_systematics(run: RunCard, card: ImportedCard) -> None:
    """Translate `use_syst`, `systematics_program` and `systematics_arguments`.

    Args:
        run: the run card.
        card: with its beams; takes the table [systematics], and what cannot be translated.
    """
    program = run.text("systematics_program").lower()
    if not run.flag("use_syst") or program == "none":
        without_weights(card)
        return
    if program not in ("systematics", "auto"):
        entry, meaning = run.shown("systematics_program"), "weights of another program"
        card.refuse("systematics", entry, meaning, "set use_syst = F")
        return
    arguments = _Arguments(run.items("systematics_arguments"))
    if reason := arguments.refusal():
        meaning, way_out = reason
        card.refuse("systematics", run.shown("systematics_arguments"), meaning, way_out)
        return
    put_scale_pairs(arguments.pairs, card)
    emissions = [factor for factor in _factors(arguments["alps"]) if factor != 1.0]
    if emissions and run.whole("ickkw") == 1:  # without merging it has no effect
        card.put("systematics", "emission_factors", emissions)
    put_sets(arguments["pdf"], card, run.shown("systematics_arguments"))
    if "dyn" not in arguments.names:
        card.taken.append(
            "without --dyn MadGraph adds weights of four other dynamical scales, left out here"
        )


class _Arguments:
    """Arguments "--mur=0.5,1,2" of MadGraph's systematics, and its defaults.

    Args:
        texts: one for each.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._given: dict[str, list[str]] = {}
        self._together: list[list[str]] = []
        for text in texts:
            name, _, value = text.partition("=")
            values = [one.strip() for one in value.strip().strip("'\"").split(",")]
            name = name.replace("-", "").strip().lower()
            if name == "together":
                self._together.append([one.lower() for one in values])
            else:
                self._given.setdefault(name, []).extend(values)

    @property
    def names(self) -> set[str]:
        """Names of those that are given."""
        return set(self._given)

    def __getitem__(self, name: str) -> list[str]:
        """The values of an argument, or its default; of --dyn that of the sample alone."""
        defaults = {"alps": ["1"], "dyn": ["-1"], "pdf": ["errorset"], "only_beam": ["0"]}
        return self._given.get(name, defaults.get(name, ["0.5", "1", "2"]))

    @property
    def pairs(self) -> list[Pair]:
        """Factors of mu_R and mu_F of the weights, (1, 1) too; those not together by themselves."""
        mu_r, mu_f = (_factors(self[name]) for name in ("mur", "muf"))
        blocks = self._together or [["mur", "muf", "dyn"]]
        found: list[Pair] = []
        for block in blocks:
            found += product(mu_r if "mur" in block else [1.0], mu_f if "muf" in block else [1.0])
        if not any("mur" in block for block in blocks):
            found += ((mu, 1.0) for mu in mu_r)
        if not any("muf" in block for block in blocks):
            found += ((1.0, mu) for mu in mu_f)
        return found

    def refusal(self) -> tuple[str, str] | None:
        """What cannot be translated: its meaning, and what to do; None if there is nothing."""
        known = ("mur", "muf", "alps", "dyn", "pdf", "only_beam", *_NAMES)
        if others := [name for name in self._given if name not in known]:
            return f"--{others[0]} is not known here", "leave it out"
        if not all(_factors(self[name]) for name in ("mur", "muf", "alps")):
            return "its factors are no numbers > 0", "write --mur=0.5,1,2"
        if self["dyn"] != ["-1"]:
            return "weights of other dynamical scales", "leave --dyn out, or set it to -1"
        if self["only_beam"] != ["0"]:
            return "other densities for one beam alone", "leave --only_beam out"
        for name, alone in (("pdf", ["central"]), ("alps", ["1"])):
            joined = any(name in block and len(block) > 1 for block in self._together)
            if joined and self[name] != alone:
                return f"--{name} and others at once", f"leave {name} out of --together"
        return None


def _factors(texts: Sequence[str]) -> list[float]:
    """Factors; none where they are no positive numbers."""
    try:
        factors = [float(one) for one in texts]
    except ValueError:
        return []
    return factors if all(0 < factor < math.inf for factor in factors) else []
