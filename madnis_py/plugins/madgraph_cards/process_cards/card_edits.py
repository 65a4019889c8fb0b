"""Edits of cards: the lines `set ...` behind `launch`, or in a file of customised cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.particles import Parameter
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import DEFAULTS, NEUTRAL, UNCUT
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.process_cards.command_lines import Command

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")

_LATER_CARDS = (
    "delphes_card",
    "madanalysis5_hadron_card",
    "madanalysis5_parton_card",
    "pythia8_card",
    "pythia_card",
    "shower_card",
)
"""Cards of programs that take the events."""

_FOLLOWING = (
    ("mass", "24"),
    *(("mass", code) for code in ("250", "251")),
    *(("decay", code) for code in ("250", "251")),
)
"""Entries that MadGraph computes from other parameters: mass of the W, and Goldstone bosons."""

_LEAD = {"proton": "82", "neutron": "126", "mass": "195.0820996698"}
_PROTON = {"proton": "1", "neutron": "0", "mass": "-1"}


def _nuclei(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Entries of a run card for two nuclei."""
    entries = {"lpp1": "1", "lpp2": "1"}
    for beam, kind in (("1", first), ("2", second)):
        entries[f"nb_proton{beam}"] = kind["proton"]
        entries[f"nb_neutron{beam}"] = kind["neutron"]
        entries[f"mass_ion{beam}"] = kind["mass"]
    return entries


_SHORT: Mapping[str, Mapping[str, str]] = {
    "no_parton_cut": UNCUT,
    "pp": _nuclei(_PROTON, _PROTON),
    "pbp": _nuclei(_LEAD, _PROTON),
    "pbpb": _nuclei(_LEAD, _LEAD),
}
"""Words that stand for several entries of a run card."""


def _colliders(name: str, value: float) -> dict[str, str] | None:
    """Entries that a word with a number stands for; None if it is no such word."""
    text, in_tev, in_gev = f"{value:.12g}", f"{value * 500:.12g}", f"{value / 2:.12g}"
    match name:
        case "ebeam":
            return {"ebeam1": text, "ebeam2": text}
        case "lpp":
            return {"lpp1": text, "lpp2": text}
        case "lhc" | "lcc":
            return {"lpp1": "1", "lpp2": "1", "ebeam1": in_tev, "ebeam2": in_tev}
        case "lep" | "ilc":
            return {"lpp1": "0", "lpp2": "0", "ebeam1": in_gev, "ebeam2": in_gev}
        case "fixed_scale":
            scales = dict.fromkeys(("scale", "dsqrt_q2fact1", "dsqrt_q2fact2"), text)
            return {"fixed_ren_scale": "T", "fixed_fac_scale": "T", **scales}
        case _:
            return None


@dataclass
class CardEdits:
    """Edits of the run card and of the parameters, in their order.

    Args:
        fixed: parameters that the restriction of the model fixes, with their values.
        card: takes what was done, and what cannot be translated.

    Attributes:
        run: entries of the run card -> text.
        parameters: of the model -> value, "auto" for a width that is computed.
    """

    fixed: Mapping[str, float]
    card: ImportedCard
    run: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, float | str] = field(default_factory=dict)

    def apply(self, commands: Iterable[Command]) -> None:
        """Make the edits of some commands; of two for one entry the last one counts."""
        for command in commands:
            words = command.text.replace("=", " = ").split()
            match [word.lower() for word in words]:
                case ["set", _, *_]:
                    self._set(command, [word for word in words[1:] if word != "="])
                case ["compute_widths", *_]:
                    self._compute_widths(command)
                case ["done"] | ["0"] | ["display" | "update" | "print", *_]:
                    self.card.neutral.append(command.text)
                case ["shower" | "detector" | "analysis" | "fixed_order", "=", _]:
                    self.card.neutral.append(command.text)
                case ["madspin" | "reweight", "=", "off" | "none"]:
                    self.card.neutral.append(command.text)
                case ["madspin", "=", *_]:
                    meaning = "another program decays the particles of the events"
                    way_out = "write the decays into the process, t > b w+, w+ > l+ vl"
                    self._refuse(command, meaning, way_out)
                case ["reweight", "=", *_]:
                    meaning = "another program reweights the events"
                    self._refuse(command, meaning, "leave it out, and reweight them afterwards")
                case _:
                    meaning = "it is not known, what it changes neither"
                    self._refuse(command, meaning, "leave it out")

    def _set(self, command: Command, words: list[str]) -> None:
        name, *values = [word.lower() for word in words]
        if name in ("run_card", "param_card") and values:
            card, (name, *values) = name, values
            words = words[1:]
        else:
            card = ""
        if name in _LATER_CARDS or name in ("qcut", "showerkt"):
            self.card.neutral.append(command.text)
            return
        entries = self._entries(name, " ".join(words[1:])) if card != "param_card" else None
        if entries is not None:
            self.run |= entries
            self.card.taken.append(command.text)
        elif card == "run_card":
            self.run[name] = " ".join(words[1:])
        elif len(values) >= 1:
            self._set_parameter(command, [name, *values])
        else:
            self._refuse(command, "it is not known, what it changes neither", "leave it out")

    def _entries(self, name: str, value: str) -> dict[str, str] | None:
        """Entries of the run card that a word stands for; None if it stands for none."""
        if name in _SHORT:
            return dict(_SHORT[name])
        if name in DEFAULTS or name in NEUTRAL:
            return {name: value}
        if name in ("nocut", "no_cut"):
            return dict(UNCUT)
        return _colliders(name, float(value)) if _NUMBER.fullmatch(value) else None

    def _set_parameter(self, command: Command, words: list[str]) -> None:
        """A parameter: "mass 6 172.5", "decay 6 auto", "mt 172.5"; words in small letters."""
        *place, text = words
        block = {"width": "decay"}.get(place[0], place[0])
        code = place[-1]
        found = [one for one in MODELS["sm"].parameters if _is_meant(one, block, code)]
        if len(found) > 1 or (len(place) > 2):
            found = []
        if text.startswith("auto") and found and found[0].block == "DECAY":
            self.parameters[found[0].name] = "auto"
        elif not _NUMBER.fullmatch(text):
            self._refuse(command, "its value is no number", "give one")
            return
        elif not found:
            self._set_unknown(command, block, code, float(text.replace("d", "e")))
            return
        else:
            self._set_number(command, found[0], float(text.replace("d", "e")))
        self.card.taken.append(command.text)

    def _set_number(self, command: Command, parameter: Parameter, value: float) -> None:
        name = parameter.name
        if self.fixed.get(name, value) == value:
            self.parameters[name] = value
        else:
            meaning = f"{name} is {self.fixed[name]:g} in this restriction of the model"
            self._refuse(command, meaning, "import another restriction, or leave it out")

    def _set_unknown(self, command: Command, block: str, code: str, value: float) -> None:
        """A parameter that the model does not have is neutral where it is 0, or follows."""
        follows = (block, code) in _FOLLOWING
        if follows or (value == 0 and block in ("mass", "decay", "yukawa")):
            self.card.neutral.append(command.text)
        else:
            meaning = "the Standard Model has no such parameter"
            self._refuse(command, meaning, "leave it out")

    def _compute_widths(self, command: Command) -> None:
        widths = {
            name: one.name
            for one in MODELS["sm"].parameters
            if one.block == "DECAY"
            for name in (str(one.code), {6: "t", 23: "z", 24: "w+", 25: "h"}[one.code])
        }
        words = [word for word in command.words[1:] if not word.startswith("--")]
        if len(words) < len(command.words) - 1:
            self._refuse(command, "its options are not known here", "leave them out")
            return
        for word in words:
            chosen = widths.values() if word == "all" else [widths.get(word.lower())]
            for name in chosen:
                if name is not None:
                    self.parameters[name] = "auto"
        self.card.taken.append(command.text)

    def _refuse(self, command: Command, meaning: str, way_out: str) -> None:
        self.card.refuse("process", command.text, meaning, way_out)


def _is_meant(parameter: Parameter, block: str, code: str) -> bool:
    """Whether "block code" in small letters, or the name alone, is a parameter."""
    if block == code:
        return parameter.name.lower() == code
    names = (str(parameter.code), parameter.name.lower())
    return parameter.block.lower() == block and code in names
