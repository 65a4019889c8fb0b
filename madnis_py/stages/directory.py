"""The directory of a run: which run owns it, and what its run.json says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from madnis_py.card import Card
from madnis_py.errors import CheckpointError, InputError
from madnis_py.output_file import make_directory, write_file


class RunDirectory:
    """The files of a run.

    Args:
        path: the directory; made when the run is claimed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def record_file(self) -> Path:
        """Where the summary is."""
        return self.path / "run.json"

    @property
    def card_file(self) -> Path:
        """Where the card is, every default written out."""
        return self.path / "card.toml"

    @property
    def chunks(self) -> Path:
        """Where events wait until the file is complete."""
        return self.path / "chunks"

    def name_of(self, path: Path) -> str:
        """How run.json calls a file: seen from the directory if it lies inside, so that both can be moved."""
        absolute, directory = path.absolute(), self.path.absolute()
        return str(absolute.relative_to(directory) if absolute.is_relative_to(directory) else absolute)

    @property
    def record(self) -> dict[str, Any]:
        """The content of run.json; empty before the run.

        Raises:
            CheckpointError: the file is damaged.
        """
        if not self.record_file.exists():
            return {}
        try:
            content = json.loads(self.record_file.read_text())
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.record_file}: expected the JSON that a run wrote; got: {error}") from None
        if not isinstance(content, dict) or "identity" not in content:
            raise CheckpointError(f"{self.record_file}: expected the JSON that a run wrote; got something else")
        return content

    def claim(self, card: Card, identity: Mapping[str, Any], versions: Mapping[str, str]) -> None:
        """Make the directory ours, or go on with the run that is in it.

        Args:
            card: of the run.
            identity: what has to be the same to go on.
            versions: of what computes, for the record.

        Raises:
            InputError: another run is in it.
            OutputError: it cannot be written.
        """
        record = self.record
        for key, value in identity.items():
            if record and record["identity"].get(key) != value:
                raise InputError(
                    f"{self.path}: holds a run with {key} = {record['identity'].get(key)}; got {value}; "
                    "choose another directory"
                )
        if record:
            return
        make_directory(self.path)
        write_file(self.card_file, card.to_toml().encode())
        self.update(identity=dict(identity), card=card.content(), versions=dict(versions), stages={})

    def update(self, **entries: Any) -> None:
        """Replace entries of run.json."""
        write_file(self.record_file, (json.dumps(self.record | entries, indent=2) + "\n").encode())
