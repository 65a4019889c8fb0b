"""The directory of a run: the run that owns it, its run.json, and the process that works on it."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

import madnis_py
from madnis_py.card.card import Card
from madnis_py.card.documents import opened
from madnis_py.errors import CheckpointError, InputError, OutputError
from madnis_py.file_lock import FileLock
from madnis_py.output_file import make_directory, write_file
from madnis_py.parallel.random_streams import RANDOM_NUMBERS
from madnis_py.run.progress.progress_file import ProgressFile
from madnis_py.run.record import (
    OF_THE_PACKAGE,
    EventFileRecord,
    PartRecord,
    RunIdentity,
    RunRecord,
    version_of,
)

_WRITING_PATIENCE = 60.0
"""Seconds to wait for another process that writes run.json, which takes a moment."""


_WAY_OUT = "generate --any-version tries it all the same"
"""What to do with the run of another version, whichever command was asked."""


class RunDirectory:
    """The files of a run, which several processes may use at once.

    One process at a time does the stages that all share, up to the cross section; each file of
    events is made by one process at a time, different ones by as many as there are; run.json is
    read and replaced in one step.

    Args:
        path: the directory; made when the run is claimed.
        wait: wait for another process that does what this one shall do; otherwise that is an error.
        any_version: go on with a run of another version of the package, which may give other
            numbers; otherwise that is an error.

    Attributes:
        path: as given.
        any_version: as given.
        progress: what this process says there while it works.
    """

    def __init__(self, path: Path, wait: bool = False, any_version: bool = False) -> None:
        self.path = path
        self.any_version = any_version
        self.progress = ProgressFile(path)
        self._patience = math.inf if wait else 0.0
        self._working = False
        self._held: tuple[_State, RunRecord] | None = None

    @property
    def record_file(self) -> Path:
        """Where the record is."""
        return self.path / "run.json"

    @property
    def card_file(self) -> Path:
        """Where the card is, every default written out."""
        return self.path / "card.toml"

    @property
    def chunks(self) -> Path:
        """Where events wait until their file is complete."""
        return self.path / "chunks"

    def inside(self, name: str) -> RunDirectory:
        """The directory of another run inside this one, used in the same way."""
        return RunDirectory(self.path / name, self._patience > 0, self.any_version)

    def name_of(self, path: Path) -> str:
        """The name of a file in run.json: relative to the directory if it lies inside."""
        absolute, directory = path.absolute(), self.path.absolute()
        return str(
            absolute.relative_to(directory) if absolute.is_relative_to(directory) else absolute
        )

    @property
    def claimed(self) -> bool:
        """Whether there is a run."""
        return self.record_file.exists()

    @property
    def record(self) -> RunRecord:
        """The content of run.json, read once, and again where another process has replaced it.

        Raises:
            CheckpointError: there is none, or something in it cannot be.
            InputError: something in it cannot be, and it was begun by another version.
        """
        with opened(self.record_file) as file:
            state = _state(file)
            if self._held is None or self._held[0] != state:
                self._held = state, self._parsed(file.read())
        return self._held[1]

    def _parsed(self, content: bytes) -> RunRecord:
        """The record; one that only another version of the package can read is said to be that."""
        try:
            return RunRecord.parse(content, str(self.record_file))
        except CheckpointError:
            self._require_version(version_of(content))
            raise

    def _require_version(self, version: str | None) -> None:
        """Refuse the run of another version; None where it is not known."""
        if version not in (None, madnis_py.__version__) and not self.any_version:
            here = f"expected a run of madnis_py {madnis_py.__version__}"
            got = f"got one of {version}, whose events may differ"
            raise InputError(f"{self.path}: {here}; {got}; {_WAY_OUT}")

    def identify(self) -> RunIdentity:
        """The identity of the run that is here.

        Raises:
            InputError: there is none, or it was begun by another version of the package.
        """
        if not self.claimed:
            raise InputError(f"{self.path}: expected a directory with a run.json; found none")
        identity = self.record.identity
        self._require_version(identity.version)
        self._require_random_numbers(identity.random_numbers)
        return identity

    def _require_random_numbers(self, name: str) -> None:
        """Refuse a run whose random numbers came from something else."""
        if name != RANDOM_NUMBERS and not self.any_version:
            here = f"expected a run with random numbers of {RANDOM_NUMBERS}"
            got = f"got one of another version with those of {name}, whose events differ"
            raise InputError(f"{self.path}: {here}; {got}; {_WAY_OUT}")

    def claim(
        self,
        card: Card,
        identity: RunIdentity,
        versions: Mapping[str, str],
        parts: Sequence[PartRecord] | None = None,
    ) -> RunIdentity:
        """Make the directory that of a run, or go on with the run that is in it.

        Args:
            card: of the run.
            identity: what has to be the same to go on.
            versions: of what computes, for the record.
            parts: the processes of a run of several.

        Returns:
            the identity of the run, which may have been begun by another version of the package.

        Raises:
            InputError: another run is in it.
            OutputError: it cannot be written.
        """
        if not self.claimed:
            make_directory(self.path)
            with self._writing():
                if not self.claimed:
                    write_file(self.card_file, card.to_toml().encode())
                    self._write(
                        RunRecord(
                            identity=identity,
                            card=card,
                            unit="GeV" if card.process.is_decay else None,
                            versions=dict(versions),
                            stages={},
                            parts=None if parts is None else tuple(parts),
                        )
                    )
                    return identity
        return self._require(identity, card)

    def _require(self, identity: RunIdentity, card: Card) -> RunIdentity:
        """Refuse another run."""
        found = self.record.identity
        own, wanted = found.model_dump(), identity.model_dump()
        if self.any_version:
            wanted = {key: wanted[key] for key in wanted if key not in OF_THE_PACKAGE}
        for key, value in wanted.items():
            if own[key] != value:
                holds = f"holds a run with {key} = {own[key]}; got {value}"
                if key == "card" and _has_other_files(self.record.card, card):
                    holds = f"holds a run with other files of the model {card.process.model}"
                raise InputError(f"{self.path}: {holds}; choose another directory")
        return found

    def update(self, **entries: object) -> None:
        """Replace entries of run.json; see `change`."""
        self.change(lambda record: record.updated(**entries))

    def change(self, how: Callable[[RunRecord], RunRecord]) -> None:
        """Replace run.json, with whatever other processes have written there meanwhile.

        Args:
            how: the present record -> the new one.

        Raises:
            GenerationError: a figure is not finite or cannot be.
            OutputError: the file cannot be written, or the run has gone.
        """
        if not self.claimed:
            raise OutputError(
                f"{self.record_file}: cannot be written: the directory of the run has gone"
            )
        with self._writing():
            self._write(how(self.record))

    def has(self, wanted: EventFileRecord) -> bool:
        """Whether a file of events was made as wanted, and is still there with the same bytes."""
        made = self.record.event_file(wanted.file)
        return made is not None and made.is_same(wanted) and made.is_at(self.path / made.file)

    def find(self, made: EventFileRecord) -> Path | None:
        """A file of events where it was written, or in a directory that was moved with it."""
        places = (self.path / made.file, self.path / Path(made.file).name)
        return next((path for path in places if path.exists()), None)

    @contextmanager
    def working(self) -> Iterator[None]:
        """In this block no other process does stages that all share; blocks may be nested.

        Raises:
            LockedError: another process does; names it.
        """
        if self._working:
            yield
            return
        with FileLock(self.path / ".lock", str(self.path), self._patience), self.progress:
            self._working = True
            try:
                yield
            finally:
                self._working = False

    @contextmanager
    def making(self, output: Path) -> Iterator[Path]:
        """In this block no other process makes this file; gives the folder for its chunks.

        Raises:
            LockedError: another process makes it; names it.
        """
        name = hashlib.sha256(str(output.absolute()).encode(errors="surrogateescape")).hexdigest()[
            :12
        ]
        folder = self.chunks / name
        with FileLock(self.path / f".{name}.lock", str(output), self._patience), self.progress:
            try:
                yield folder
            finally:
                for empty in (folder, self.chunks):
                    with suppress(OSError):  # chunks of this file or of others are in it
                        empty.rmdir()

    def _writing(self) -> FileLock:
        return FileLock(self.path / ".run.json.lock", str(self.record_file), _WRITING_PATIENCE)

    def _write(self, record: RunRecord) -> None:
        write_file(self.record_file, (json.dumps(record.content(), indent=2) + "\n").encode())
        with opened(self.record_file) as file:
            self._held = _state(file), record


def _has_other_files(one: Card, other: Card) -> bool:
    """Whether two cards name the same model, whose files have changed."""
    names, digests = zip(
        *((card.process.model, card.process.model_digest) for card in (one, other)), strict=True
    )
    return len(set(names)) == 1 and len(set(digests)) == 2


_State = tuple[int, int, int, int]
"""What tells two states of a file apart: inode, times of change in ns, size."""


def _state(file: BufferedReader) -> _State:
    found = os.fstat(file.fileno())
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
