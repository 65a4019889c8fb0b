"""Import of MadGraph's cards of a process: they become one card of ours.

An entry that changes the results and has no counterpart is an error, never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.model.slha import read_slha
from madnis_py.physics.model.text_lines import read_lines
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard, read_run_card
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_translation import DatTranslation
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.process_cards.card_edits import CardEdits
from madnis_py.plugins.madgraph_cards.process_cards.card_files import MadGraphCards
from madnis_py.plugins.madgraph_cards.process_cards.command_lines import Command, read_commands
from madnis_py.plugins.madgraph_cards.process_cards.process_card import (
    ProcessCard,
    ProcessCardReader,
)
from madnis_py.plugins.madgraph_cards.process_cards.process_defaults import default_entries
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_translation import translate_toml


def import_cards(
    files: MadGraphCards, pdf: str | None = None, force: bool = False
) -> tuple[Card, ImportedCard]:
    """Translate the cards of a process of MadGraph.

    Args:
        files: the cards.
        pdf: parton densities in place of those of the run card.
        force: translate the rest where something cannot be translated.

    Returns:
        the card, and what else the cards said.

    Raises:
        CardError: a file cannot be read, an entry is no value of its kind, the model is not the
            Standard Model, a process is beyond leading order; or, unless forced, something that
            changes the results cannot be translated: names every such entry, what it does and what
            to do instead.
    """
    imported = ImportedCard(pdf=pdf)
    process = _process(files, imported)
    edits = CardEdits(process.known, process.fixed, imported)
    edits.apply(process.answers)
    edits.apply(_commands(files.edits, "file of edits") if files.edits else [])
    for name, meaning in files.others.items():
        way_out = "take the card out of the folder if this is not wanted"
        imported.refuse("process", name, meaning, way_out)
    _put_process(process, imported)
    _put_parameters(process, edits, files.parameters, imported)
    _translate_run_card(files, edits.run, imported)
    _put_scans(edits, imported)
    if imported.untranslated and not force:
        reasons = ". ".join(map(str, imported.untranslated))
        raise CardError(f"{files.source}: {reasons}. --force writes a card with all the rest")
    return Card.parse(imported.tables, files.source), imported


def _process(files: MadGraphCards, imported: ImportedCard) -> ProcessCard:
    if files.process is not None:
        return ProcessCardReader(imported).read(_commands(files.process, "process card"))
    return ProcessCard(definitions=[Command(files.definition or "", "definition")])


def _commands(path: Path, what: str) -> list[Command]:
    return read_commands(read_lines(path, what), path.name)


def _put_process(process: ProcessCard, imported: ImportedCard) -> None:
    texts = [one.text for one in process.definitions]
    imported.put("process", "definition", texts if len(texts) > 1 else texts[0])
    imported.put("process", "t_channel_widths", process.t_channel_widths)
    if process.complex_mass:
        imported.put("process", "complex_mass", True)
    if process.known.name != "sm":
        imported.put("process", "model", process.known.name)


def _put_parameters(
    process: ProcessCard, edits: CardEdits, param_card: Path | None, imported: ImportedCard
) -> None:
    """Put the parameters, and the labels that would stand for other particles by default."""
    if param_card is not None:
        imported.put("parameters", "param_card", str(param_card))
        _refuse_other_values(param_card, process, imported)
    fixed_here = process.fixed if param_card is not None else {}
    values = fixed_here | process.model | edits.parameters
    known = process.known
    for name, value in values.items():
        if param_card is not None or value != known[name]:
            imported.put("parameters", name, value)
    labels = known.with_values(process.model).multiparticles | process.labels
    numbers = {name: value for name, value in values.items() if isinstance(value, float)}
    try:
        default_labels = known.with_values(numbers).multiparticles
    except ValueError as error:
        raise CardError(f"parameters: {error}") from None
    text = " ".join(one.text.lower() for one in process.definitions)
    used = set(re.findall(r"[^\s(),>/$|{}]+", text))
    for label in sorted(used & set(labels)):
        if set(labels[label]) != set(default_labels.get(label, ())):
            table = imported.tables["process"].setdefault("multiparticles", {})
            table[label] = " ".join(labels[label])


def _refuse_other_values(param_card: Path, process: ProcessCard, imported: ImportedCard) -> None:
    """Refuse a param_card that contradicts the restriction of the model."""
    slha = read_slha(param_card)
    for name, value in process.fixed.items():
        parameter = process.known.parameters[name]
        given = slha.value(parameter.block, *parameter.code)
        if given not in (None, value):
            entry = f"{name} = {given:g} of {param_card.name}"
            meaning = f"it is {value:g} in this restriction of the model"
            imported.refuse("parameters", entry, meaning, "import another restriction")


def _put_scans(edits: CardEdits, imported: ImportedCard) -> None:
    """Put lists of values, which make each combination of them a run of its own."""
    for name, scan in edits.scans.items():
        imported.put("scan", f"parameters.{name}", list(scan.values))
        if scan.group:
            imported.put("scan", "combine", "zip")


def _definitions(imported: ImportedCard, source: str) -> list[Definition]:
    card = Card.parse({**imported.tables, "beams": {"pdf": "none"}}, source)
    model = model_from_card(card)
    return [definition_of(card.of_process(text), model) for text in card.process.definitions]


def _translate_run_card(
    files: MadGraphCards, entries: Mapping[str, str], imported: ImportedCard
) -> None:
    """Translate the run card of either format, or MadGraph's own for the process."""
    if files.run is None:
        entries = {**default_entries(_definitions(imported, files.source)), **entries}
        DatTranslation(RunCard(entries, files.source), imported).translate()
        return
    lines = read_lines(files.run, "run card")
    if files.run.suffix != ".toml":
        run = read_run_card(lines, files.run.name).updated(entries)
        DatTranslation(run, imported).translate()
        return
    for name, value in entries.items():
        entry = f"set {name} {value}"
        meaning = f"{files.run.name} does not know the entries of run_card.dat"
        imported.refuse("process", entry, meaning, "edit it instead")
    translate_toml("\n".join(lines), files.run.name, imported)
