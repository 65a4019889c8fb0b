"""The process card: what is computed, in TOML, checked before anything runs.

Every table of the card is a frozen model with a sentence per key; an error names the file, the path
inside it, what was expected and what came: "drell_yan.toml: beams.energy[1]: expected GeV > 0; got
-6500".
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from madnis_py.card.cut_tables import CutTable, CutTables
from madnis_py.card.documents import place_of, quoted
from madnis_py.card.observable_names import check_cut, read_observable
from madnis_py.card.process_tables import (
    BeamTable,
    MergingTable,
    ParameterTable,
    ProcessTable,
    ScaleTable,
)
from madnis_py.card.sentences import closest, shown
from madnis_py.card.tables import (
    CardTable,
    ChannelTable,
    ClusterTable,
    EventTable,
    HistogramTable,
    ScanTable,
    SystematicsTable,
    TrainingTable,
)
from madnis_py.card.values import as_list
from madnis_py.errors import CardError

NOT_IN_RESULTS = ("cluster", "histograms")
"""Tables that say nothing about the results: which workers make them, and what is drawn."""


class Card(CardTable):
    """A process card.

    Every value has a default but `process.definition` and, where protons collide, `beams.pdf`.
    """

    process: ProcessTable = Field(description="What collides and what comes out.")
    parameters: ParameterTable = Field(
        ParameterTable(), description="Model parameters that differ from the defaults."
    )
    beams: BeamTable = Field(BeamTable(), description="Energies and parton densities.")
    scales: ScaleTable = Field(ScaleTable(), description="Factorisation and renormalisation scale.")
    cuts: CutTables = Field(
        CutTables(),
        description='Ranges to keep, by class (jet, "jet[1]", lepton, ...), particle, several: '
        '"e+,e-", or "event".',
    )
    merging: MergingTable | None = Field(
        None, description="Samples of several jet multiplicities for a shower; none without it."
    )
    channels: ChannelTable = Field(ChannelTable(), description="How the integral is split.")
    training: TrainingTable = Field(TrainingTable(), description="Size of networks and training.")
    events: EventTable = Field(EventTable(), description="How events are unweighted.")
    systematics: SystematicsTable = Field(
        SystematicsTable(), description="Weights at other scales and PDFs."
    )
    cluster: ClusterTable = Field(
        ClusterTable(), description="Who does the work; says nothing about the results."
    )
    histograms: dict[str, HistogramTable] = Field(
        {},
        description='Bins of distributions, by observable: "pt(jet[1])", "mass(e+,e-)", "ht", ...',
    )

    scan: ScanTable | None = Field(
        None,
        description='Values to go through, by key: "parameters.MT" = [170, 175]; each is a run.',
    )

    _source: str = PrivateAttr("card")

    @classmethod
    def parse(cls, data: Mapping[str, Any], source: str = "card") -> Card:
        """Check the content of a card.

        Args:
            data: tables as `tomllib` returns them.
            source: how messages call the card, usually its file name.

        Raises:
            CardError: a key is unknown or a value cannot be used; the message tells the first one.
        """
        try:
            card = cls.model_validate(data)
        except ValidationError as error:
            raise CardError(f"{source}: {_sentence(_first(error.errors()))}") from None
        card._source = source
        for names, table in card.cuts.by_name.items():
            try:
                check_cut(names, table)
            except ValueError as error:
                raise card.error(f"cuts.{quoted(names)}", str(error)) from None
        for text in card.histograms:
            try:
                read_observable(text)
            except ValueError as error:
                raise card.error(f"histograms.{quoted(text)}", str(error)) from None
        return card

    @property
    def source(self) -> str:
        """How messages call this card."""
        return self._source

    @property
    def definition(self) -> str:
        """The process of the card.

        Raises:
            CardError: there are several.
        """
        first, *others = self.process.definitions
        if others:
            raise self.error(
                "process.definition",
                f"expected one process here; got {1 + len(others)}, which only runs take",
            )
        return first

    def of_process(self, definition: str) -> Card:
        """This card for one of its processes alone."""
        return self.updated({"process": {"definition": definition}})

    def error(self, path: str, sentence: str) -> CardError:
        """An error at a place of this card, for checks that need more than the card.

        Args:
            path: place inside the card, e.g. "process.definition".
            sentence: what was expected and what came.
        """
        return CardError(f"{self._source}: {path}: {sentence}")

    def updated(self, changes: Mapping[str, Mapping[str, Any]]) -> Card:
        """This card with some keys of some tables replaced, checked again.

        What it does not say stays unsaid.

        Args:
            changes: table -> key -> value, e.g. `{"beams": {"pdf": "none"}}`; None takes a key
                away.

        Raises:
            CardError: as `parse`.
        """
        data = self.model_dump(mode="json", exclude_none=True, exclude_unset=True)
        for table, values in changes.items():
            merged = {
                **values,
                **{key: value for key, value in data.get(table, {}).items() if key not in values},
            }
            data[table] = {key: value for key, value in merged.items() if value is not None}
        return Card.parse(data, self._source)

    @property
    def for_merging(self) -> MergingTable:
        """The table [merging], of its defaults if the card has none."""
        return self.merging or MergingTable()

    @property
    def resonance_widths(self) -> float:
        """Widths from its mass within which an unstable particle is written to events."""
        own = self.events.resonance_widths
        return self.process.widths_of_resonance if own is None else own

    def content(self) -> dict[str, Any]:
        """The tables of this card with every default written out, as plain Python values."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_toml(self) -> str:
        """The card as TOML with every default; `load` reads back a card of the same digest."""
        return tomli_w.dumps(self.content())

    def digest(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits: equal for cards with the same results."""
        meaning = {
            name: table for name, table in self.content().items() if name not in NOT_IN_RESULTS
        }
        return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def shipped() -> dict[str, Path]:
    """Name -> file of the cards that come with the package, sorted by name."""
    package = Path(str(files("madnis_py")))
    installed, checkout = package / "processes", package.parent / "processes"
    folder = installed if installed.is_dir() else checkout
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load(path_or_name: str | Path) -> Card:
    """Read a card.

    Args:
        path_or_name: a file, or the bare name of a shipped process such as "drell_yan". Relative
            paths inside the card (`param_card`, `model` and a `pdf` folder with a "/") are meant
            from the folder of the card and come back absolute.

    Raises:
        CardError: the file is missing or not UTF-8 TOML, a key is unknown or a value cannot be
            used.
    """
    path = shipped().get(str(path_or_name)) or Path(path_or_name)
    data = parse_toml(_read_text(path), path.name)
    try:
        _make_absolute(data, path.resolve().parent)
    except (OSError, ValueError) as error:  # a name that no file can have: too long, or with NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise CardError(f"{path.name}: expected names that files can have; got: {reason}") from None
    return Card.parse(data, path.name)


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        hint = closest(path.stem, shipped())
        raise CardError(
            f"{path}: expected a card file or the name of a shipped process; got neither{hint}"
        ) from None
    except IsADirectoryError:
        raise CardError(f"{path}: expected a card file; got a directory") from None
    except OSError as error:
        raise CardError(f"{path}: expected a readable card file; got: {error.strerror}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise CardError(
            f"{path}: expected UTF-8 text; got byte 0x{byte:02x} at offset {error.start}"
        ) from None


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Read TOML that people write.

    Args:
        text: of the file.
        source: how messages call it.

    Raises:
        CardError: it is no TOML, or nested as no card is.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, where = re.fullmatch(r"(.*?)(?: \(at (.*)\))?", str(error), re.DOTALL).groups()  # type: ignore[union-attr]
        raise CardError(f"{source}: {where or 'syntax'}: expected TOML; {what}") from None
    except RecursionError:
        raise CardError(
            f"{source}: expected at most {_MOST_LEVELS} tables and lists in each other; got more"
        ) from None
    except ValueError as error:  # a number of thousands of digits
        raise CardError(f"{source}: expected TOML; {error}") from None
    if _levels(data) > _MOST_LEVELS:
        raise CardError(
            f"{source}: expected at most {_MOST_LEVELS} tables and lists in each other; got more"
        )
    return data


_MOST_LEVELS = 20


def _levels(data: object) -> int:
    """How many tables and lists are in each other."""
    levels, inside = 0, [data]
    while inside:
        levels += 1
        tables = [value for value in inside if isinstance(value, dict)]
        lists = [value for value in inside if isinstance(value, list)]
        inside = [value for table in tables for value in table.values()] + [
            value for each in lists for value in each
        ]
    return levels


def _make_beams_absolute(beams: dict[str, Any], folder: Path) -> None:
    """A set is a path if there is a "/" in its name; a table of beamstrahlung always is."""
    for key in beams.keys() & {"pdf", "beamstrahlung"}:
        paths = [
            _absolute(text, folder)
            if isinstance(text, str) and ("/" in text or (key != "pdf" and text != "none"))
            else text
            for text in as_list(beams[key])
        ]
        beams[key] = paths if isinstance(beams[key], list) else paths[0]


def _make_absolute(data: dict[str, Any], folder: Path) -> None:
    parameters, beams = data.get("parameters"), data.get("beams")
    if isinstance(parameters, dict) and isinstance(text := parameters.get("param_card"), str):
        parameters["param_card"] = _absolute(text, folder)
    if isinstance(beams, dict):
        _make_beams_absolute(beams, folder)
    process = data.get("process")
    if isinstance(process, dict) and isinstance(text := process.get("model"), str) and "/" in text:
        process["model"] = _absolute(text, folder)
    table_of_library = process.get("matrix_element") if isinstance(process, dict) else None
    if not isinstance(table_of_library, dict):
        return
    for key in table_of_library.keys() & _FILES_OF_LIBRARIES:
        value = table_of_library[key]
        each = [_absolute(one, folder) if isinstance(one, str) else one for one in as_list(value)]
        table_of_library[key] = each if isinstance(value, list) else each[0]


_FILES_OF_LIBRARIES = {"library", "function", "param_card"}


def _absolute(text: str, folder: Path) -> str:
    """A file of the card; "module:function" is none."""
    if ":" in text and ".py:" not in text:
        return text
    return str((folder / expanded(text)).resolve())


def expanded(text: str) -> Path:
    """A path from the home of a user if it begins with "~"; as it is if there is no such home."""
    path = Path(text)
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def _keys_beside(place: list[int | str]) -> list[str]:
    """The keys of the table in which the last part of the path stands."""
    if len(place) == 1:
        return list(Card.model_fields)
    by_name = {"cuts": CutTable, "histograms": HistogramTable, "merging": MergingTable}
    table = by_name.get(str(place[0])) or Card.model_fields[str(place[0])].annotation
    return list(table.model_fields)  # type: ignore[union-attr]


def _first(errors: list[ErrorDetails]) -> ErrorDetails:
    """The error to report: for a missing value an unknown key beside it, probably misspelt."""
    first = errors[0]
    unknown = [
        one
        for one in errors
        if one["type"] == "extra_forbidden" and one["loc"][:-1] == first["loc"][:-1]
    ]
    return unknown[0] if first["type"] == "missing" and unknown else first


_OF_THE_COMMAND = {
    "nevents": "madnis-py run CARD --events N",
    "iseed": "madnis-py run CARD --seed S",
    "seed": "madnis-py run CARD --seed S",
    "points": "madnis-py run CARD --points N",
}
"""What other programs have in their cards."""


def _sentence(error: ErrorDetails) -> str:
    kind, got = error["type"], shown(error["input"])
    place = list(error["loc"])
    match kind:
        case "extra_forbidden":
            if hint := _OF_THE_COMMAND.get(str(place[-1]).casefold()):
                return f"{place_of(place)}: unknown key; it is one of the command, {hint}"
            return f"{place_of(place)}: unknown key{closest(str(place[-1]), _keys_beside(place))}"
        case "missing":
            return f"{place_of(place)}: expected a value; got none"
        case "literal_error":
            return f"{place_of(place)}: expected {error['ctx']['expected']}; got {got}".replace(
                "'", '"'
            )
        case "value_error":
            return f"{place_of(place)}: {error['ctx']['error']}"
        case _:
            return f"{place_of(place)}: expected a table; got {got}"
