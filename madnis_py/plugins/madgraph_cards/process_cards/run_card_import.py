"""Import of MadGraph's run cards: run_card.dat of MG5aMC and run_card.toml of MG7 become cards.

An entry that changes the results and has no counterpart is an error, never left out in silence.
"""

from __future__ import annotations

from pathlib import Path

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.model.text_lines import read_lines
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import read_run_card
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_translation import DatTranslation
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_translation import translate_toml


def import_run_card(
    path: Path, definition: str, param_card: Path | None = None, force: bool = False
) -> tuple[Card, ImportedCard]:
    """Translate a run card of MadGraph.

    Args:
        path: run_card.dat, or a run_card.toml.
        definition: the process, which run cards do not know.
        param_card: with the parameters of the model; named in the card.
        force: translate the rest where something cannot be translated.

    Returns:
        the card, and what else the run card said.

    Raises:
        CardError: a file cannot be read, an entry is no value of its kind, or, unless forced, one
            that changes the results cannot be translated; names every such entry, what it does and
            what to do instead.
    """
    imported = ImportedCard({"process": {"definition": definition, "t_channel_widths": False}})
    if param_card is not None:
        imported.put("parameters", "param_card", str(param_card))
    lines = read_lines(path, "run card")
    if path.suffix == ".toml":
        translate_toml("\n".join(lines), path.name, imported)
    else:
        DatTranslation(read_run_card(lines, path.name), imported).translate()
    if imported.untranslated and not force:
        reasons = ". ".join(map(str, imported.untranslated))
        raise CardError(f"{path.name}: {reasons}. --force writes a card with all the rest")
    return Card.parse(imported.tables, path.name), imported
