"""A proc_card_mg5.dat: model, definitions of processes, and the answers behind `launch`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from madnis_py.card.sentences import closest
from madnis_py.errors import CardError, InputError
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.model_library import named_tables
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.process_cards.command_lines import Command
from madnis_py.plugins.madgraph_cards.process_cards.model_restrictions import (
    MODELS,
    fixed,
    restricted,
    titled,
)

_SILENT = frozenset({
    "check", "display", "exit", "help", "history", "install", "open", "output", "quit", "save",
    "tutorial",
})  # fmt: skip
"""Commands that change no process."""

_NEUTRAL_SETTINGS = frozenset({
    "acknowledged_v3.1_syntax", "auto_convert_model", "auto_update", "automatic_html_opening",
    "cluster_local_path", "cluster_memory", "cluster_nb_retry", "cluster_queue",
    "cluster_retry_wait", "cluster_size", "cluster_status_update", "cluster_temp_path",
    "cluster_time", "cluster_type", "collier", "crash_on_error", "delphes_path", "eps_viewer",
    "exrootanalysis_path", "f2py_compiler", "fastjet", "fks_mode", "fortran_compiler",
    "cpp_compiler", "gauge", "golem", "group_subprocesses", "hepmc_path", "hwpp_path", "lhapdf",
    "lhapdf_py3", "loop_color_flows", "loop_optimized_output", "low_mem_multicore_nlo_generation",
    "madanalysis5_path", "madanalysis_path", "max_npoint_for_channel", "max_t_for_channel",
    "nb_core", "ninja", "nlo_mixed_expansion", "notification_center", "olp", "output_dependencies",
    "pjfry", "pythia-pgs_path", "pythia8_path", "run_mode", "samurai", "stdout_level",
    "syscalc_path", "td_path", "text_editor", "timeout", "web_browser",
})  # fmt: skip
"""Options of `set` about how MadGraph works."""

_OFF: Mapping[str, str] = {
    "ignore_six_quark_processes": "subprocesses with many quarks are left out",
    "include_lepton_initiated_processes": "leptons are partons of the proton",
}
"""Options of `set` that change the process unless they are off -> what they mean."""


@dataclass
class ProcessCard:
    """What a proc_card_mg5.dat says.

    Attributes:
        known: the model with its defaults.
        model: parameters of the Standard Model that its restriction changes, by name.
        fixed: parameters that a param_card cannot change, by name.
        definitions: of processes, as MadGraph writes them.
        labels: multiparticle label -> names of its particles.
        answers: commands behind `launch`.
        t_channel_widths: whether propagators in t-channels have widths.
        complex_mass: whether unstable particles have complex masses.
    """

    known: Model = field(default_factory=lambda: Model("sm"))
    model: dict[str, float] = field(default_factory=dict)
    fixed: dict[str, float] = field(default_factory=dict)
    definitions: list[Command] = field(default_factory=list)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answers: list[Command] = field(default_factory=list)
    t_channel_widths: bool = False
    complex_mass: bool = False


class ProcessCardReader:
    """Reads the commands of a proc_card_mg5.dat one by one.

    Args:
        card: takes what cannot be translated.
    """

    def __init__(self, card: ImportedCard) -> None:
        self._card, self._read = card, ProcessCard(fixed=fixed({}))
        self._particles = self._read.known

    def read(self, commands: Iterable[Command]) -> ProcessCard:
        """The process card.

        Raises:
            CardError: a model that is not found, an unknown particle in a label, or no process.
        """
        launched = False
        for command in commands:
            if launched and command.words[0] not in ("launch", "generate", "output", "import"):
                self._read.answers.append(command)
            elif launched:
                self._refuse(command, "a second run of one script", "import it by itself")
            else:
                self._take(command)
                launched = command.words[0] == "launch"
        if not self._read.definitions:
            raise CardError("proc_card_mg5.dat: expected a process, generate p p > t t~; got none")
        return self._read

    def _take(self, command: Command) -> None:
        match command.words:
            case ["import", kind, *_]:
                self._import(command, kind)
            case ["define", *_]:
                self._define(command)
            case ["generate", *_]:
                self._read.definitions.clear()
                self._add(command, command.behind(1))
            case ["add", "process", *_]:
                self._add(command, command.behind(2))
            case ["set", name, *values]:
                self._set(command, name.lower(), " ".join(values))
            case [("launch"), *_]:
                self._card.taken.append(command.text)
            case [name, *_] if name in _SILENT:
                self._card.neutral.append(command.text)
            case _:
                self._refuse(command, "this command is not known here", "leave it out")

    def _import(self, command: Command, kind: str) -> None:
        name = next((word for word in command.words[2:] if not word.startswith("-")), "")
        model, _, restriction = name.rpartition("/")[2].partition("-")
        if kind != "model":
            raise command.error("expected import model")
        if model in MODELS:
            values = restricted(restriction)
            if values is None:
                raise command.error(f'unknown restriction "{restriction}" of the Standard Model')
            known = Model("sm")
            self._read = self._after_import(known, values, fixed(values))
            self._particles = Model("sm", values)
        else:
            known = self._found(command, name)
            self._read = self._after_import(known, {}, {})
            self._particles = known
        self._card.taken.append(command.text)

    def _after_import(
        self, known: Model, values: dict[str, float], fixed: dict[str, float]
    ) -> ProcessCard:
        """A card without processes; labels and options stay."""
        return replace(
            self._read, known=known, model=values, fixed=fixed, definitions=[], answers=[]
        )

    def _found(self, command: Command, name: str) -> Model:
        """Another model, by its path or in the search path."""
        try:
            return Model(name, {}, named_tables(name))
        except (InputError, ValueError) as error:
            raise command.error(str(error)) from None

    def _define(self, command: Command) -> None:
        """A label: "define l+ = e+ mu+", the "=" may lack; particles behind "/" are left out."""
        text = re.sub(r"([=/])", r" \1 ", command.behind(1).lower())
        label, *words = text.split()
        words = words[1:] if words[:1] == ["="] else words
        slash = words.index("/") if "/" in words else len(words)
        without = self._names(command, words[slash + 1 :])
        names = [name for name in self._names(command, words[:slash]) if name not in without]
        if not names:
            raise command.error("expected particles behind the label")
        self._read.labels[label] = tuple(dict.fromkeys(names))
        self._card.taken.append(command.text)

    def _names(self, command: Command, words: Iterable[str]) -> list[str]:
        """Names of particles, also those that labels and PDG codes stand for."""
        model = self._particles
        labels = model.multiparticles | self._read.labels
        codes = {str(pdg): name for name, pdg in model.pdg_of.items()}
        found: list[str] = []
        for word in words:
            name = codes.get(word, word)
            if name not in labels and name not in model.pdg_of:
                hint = closest(word, [*labels, *model.pdg_of])
                raise command.error(f'unknown particle "{word}" of {titled(model)}{hint}')
            found += labels.get(name, (name,))
        return found

    def _add(self, command: Command, text: str) -> None:
        flags = re.findall(r"(?<!\S)--\S+", text)
        if any("no_warning" not in flag for flag in flags):
            self._refuse(command, f"{flags[0]} chooses among diagrams", "leave it out")
        if "[" in text:
            raise command.error(
                "expected a process at leading order; [ ] asks for loops, which are not computed "
                "here"
            )
        for flag in flags:
            text = text.replace(flag, "")
        self._read.definitions.append(Command(" ".join(text.split()), command.place))
        self._card.taken.append(command.text)

    def _set(self, command: Command, name: str, value: str) -> None:
        off = value.lower() in ("false", "f", "0", "none", "off")
        if name == "zerowidth_tchannel":
            self._read.t_channel_widths = off
            self._card.taken.append(command.text)
        elif name == "complex_mass_scheme":
            self._read.complex_mass = not off
            self._card.taken.append(command.text)
        elif name in _NEUTRAL_SETTINGS or (name in _OFF and off):
            self._card.neutral.append(command.text)
        else:
            meaning = _OFF.get(name, "it is not known, what it changes neither")
            self._refuse(command, meaning, "leave it out")

    def _refuse(self, command: Command, meaning: str, way_out: str) -> None:
        self._card.refuse("process", command.text, meaning, way_out)
