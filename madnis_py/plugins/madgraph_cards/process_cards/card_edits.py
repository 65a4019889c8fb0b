"""Edits of cards: the lines `set ...` behind `launch`, or in a file of customised cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import DECAY, Parameter
from madnis_py.physics.model.slha import SlhaScan, parse_scan
from madnis_py.physics.model.text_lines import shortened
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import DEFAULTS, NEUTRAL, UNCUT
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.process_cards.command_lines import Command
from madnis_py.plugins.madgraph_cards.process_cards.model_restrictions import titled

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

_COMPUTED = (
    "MadGraph has computed widths before it, from another value",
    "put compute_widths behind it",
)
"""What a parameter means that is set too late, and what to do."""

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
        model: with its defaults.
        fixed: parameters that the restriction of the model fixes, with their values.
        card: takes what was done, and what cannot be translated.

    Attributes:
        run: entries of the run card -> text.
        parameters: of the model -> value, "auto" for a width that is computed.
        scans: parameter -> its list of values; all of one group, or none of any.
    """

    model: Model
    fixed: Mapping[str, float]
    card: ImportedCard
    run: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, float | str] = field(default_factory=dict)
    scans: dict[str, SlhaScan] = field(default_factory=dict)
    _computed: bool = field(default=False, init=False)

    def apply(self, commands: Iterable[Command]) -> None:
        """Make the edits of some commands; of two for one entry the last one counts."""
        for command in commands:
            words = command.text.replace("=", " = ").split()
            match [word.lower() for word in words]:
                case ["set", _, *_]:
                    self._set(command)
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

    def _set(self, command: Command) -> None:
        name, *values = _words_of_set(command)
        card = name.lower() if name.lower() in ("run_card", "param_card") and values else ""
        if card:
            name, *values = values
        name, text = name.lower(), " ".join(values)
        if name in _LATER_CARDS or name in ("qcut", "showerkt"):
            self.card.neutral.append(command.text)
            return
        entries = self._entries(name, text) if card != "param_card" else None
        if "default" in (name, *(one.lower() for one in values[-1:])):
            meaning = "it is what MadGraph wrote into the card, which is not read here"
            self._refuse(command, meaning, "give the value")
        elif entries is not None:
            self.run |= entries
            self.card.taken.append(command.text)
        elif card == "run_card":
            self.run[name] = text
        elif values:
            self._set_parameter(command, [name, *text.lower().split()])
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
        return _colliders(name, _number(value)) if _NUMBER.fullmatch(value) else None

    def _set_parameter(self, command: Command, words: list[str]) -> None:
        """A parameter: "mass 6 172.5", "decay 6 auto", "mt scan:[170, 175]"; in small letters."""
        place, text = _place_and_value(words)
        found = _meant(place, self.model.tables.parameters)
        scan = parse_scan(text)
        if scan is not None:
            self._scan(command, found, scan)
        elif text.startswith("auto"):
            self._set_automatic(command, found, text)
        elif not _NUMBER.fullmatch(text):
            self._refuse(command, "its value is no number", "give one")
        elif found:
            self._set_numbers(command, found, _number(text), place[-1] == "all")
        else:
            self._set_unknown(command, place, _number(text))

    def _set_automatic(self, command: Command, found: Sequence[Parameter], text: str) -> None:
        if text != "auto":
            meaning = "widths are computed at lowest order here"
            self._refuse(command, meaning, "write auto, or give the width in GeV")
        elif not found or any(one.block != "DECAY" for one in found):
            self._refuse(command, "only widths of the model are computed", "give a number")
        else:
            self._compute(command, [one.name for one in found])

    def _compute(self, command: Command, widths: Sequence[str]) -> None:
        if fixed := [name for name in widths if name in self.fixed]:
            self._refuse_fixed(command, fixed[0])
        else:
            self._put(command, dict.fromkeys(widths, "auto"))

    def _refuse_fixed(self, command: Command, name: str) -> None:
        meaning = f"{name} is {self.fixed[name]:g} in this restriction of the model"
        self._refuse(command, meaning, "import another restriction, or leave it out")

    def _scan(self, command: Command, found: Sequence[Parameter], scan: SlhaScan) -> None:
        """Keep a list of values; [scan] has lists that go by themselves, or all together."""
        alike = all(one.group == scan.group for one in self.scans.values())
        lengths = {len(one.values) for one in (*self.scans.values(), scan)}
        if not scan.values:
            meaning, way_out = "it is no list of numbers", "write scan:[170, 172.5]"
        elif self._computed:
            meaning, way_out = _COMPUTED
        elif len(found) != 1 or found[0].name in self.fixed:
            meaning, way_out = "it is not one parameter of the model", "leave it out"
        elif not alike or (scan.group and len(lengths) > 1):
            meaning = "of several lists all go together, or each goes by itself"
            way_out = "write scan: everywhere, or scan1: and lists of one length"
        else:
            self._put(command, {})
            self.scans[found[0].name] = scan
            return
        self._refuse(command, meaning, way_out)

    def _set_numbers(
        self, command: Command, found: Sequence[Parameter], value: float, every: bool
    ) -> None:
        """Set parameters; of all of a block MadGraph leaves those that the model fixes."""
        free = [one.name for one in found if self.fixed.get(one.name, value) == value]
        fixed = [one.name for one in found if one.name not in free]
        changed = [name for name in free if self.parameters.get(name) != value]
        moves = any(one.block != "DECAY" and one.name in changed for one in found)
        if fixed and not every:
            self._refuse_fixed(command, fixed[0])
        elif moves and self._computed:
            self._refuse(command, *_COMPUTED)
        else:
            self._put(command, dict.fromkeys(free, value))

    def _put(self, command: Command, values: Mapping[str, float | str]) -> None:
        """Take values of parameters, in place of lists of them."""
        self.parameters |= values
        for name in values:
            self.scans.pop(name, None)
        self.card.taken.append(command.text)

    def _set_unknown(self, command: Command, place: Sequence[str], value: float) -> None:
        """A parameter that the model does not have is neutral where it is 0, or follows."""
        block = place[0]
        is_entry = len(place) == 2 and place[1].isdecimal()
        is_zero = value == 0 and block in ("mass", "decay", "yukawa")
        if is_entry and (is_zero or tuple(place) in _FOLLOWING):
            self.card.neutral.append(command.text)
        else:
            meaning = f"{titled(self.model)} has no such parameter"
            self._refuse(command, meaning, "leave it out")

    def _compute_widths(self, command: Command) -> None:
        listed = self.model.tables.parameters
        widths = {one.code[0]: one.name for one in listed if one.block == DECAY}
        codes = {name: abs(pdg) for name, pdg in self.model.pdg_of.items()}
        chosen: list[str] = []
        for word in (one.lower() for one in command.words[1:]):
            code = int(word) if word.isdecimal() else codes.get(word)
            if word.startswith("--"):
                self._refuse(command, "its options are not known here", "leave them out")
                return
            if word != "all" and code not in widths:
                meaning = f"{titled(self.model)} has no width of {shortened(word)}"
                self._refuse(command, meaning, "leave it out")
                return
            chosen += widths.values() if word == "all" else [widths[code or 0]]
        self._computed = True
        self._compute(command, chosen)

    def _refuse(self, command: Command, meaning: str, way_out: str) -> None:
        self.card.refuse("process", command.text, meaning, way_out)


def _number(text: str) -> float:
    """A number as Python or Fortran writes it."""
    return float(re.sub("[dD]", "e", text))


def _words_of_set(command: Command) -> list[str]:
    """What stands behind `set`: "mt=172.5", "run_card ptj = 30", without its "="."""
    words = command.words[1:]
    if len(words) == 1:
        return [word for word in words[0].split("=", 1) if word] or words
    if "=" in words[:-1]:
        words.remove("=")
    return words


def _place_and_value(words: Sequence[str]) -> tuple[Sequence[str], str]:
    """A block and a code, or a name, and the value: the last word, or a list in brackets."""
    last = len(words) - 1
    first = next((place for place in range(1, last) if words[place].startswith("scan")), last)
    place, value = list(words[:first]), " ".join(words[first:])
    if place[0] == "width":
        place[0] = "decay"
    return place, value


def _meant(place: Sequence[str], known: Iterable[Parameter]) -> list[Parameter]:
    """The parameters that a block and codes ("all" for each), or a name alone, mean."""
    block, codes = (None, place) if len(place) == 1 else (place[0], place[1:])
    code = " ".join(codes)
    return [
        one
        for one in known
        if (block is None and one.name.lower() == code)
        or (
            one.block.lower() == block
            and code in ("all", " ".join(map(str, one.code)), one.name.lower())
        )
    ]
