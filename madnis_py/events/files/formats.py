"""Formats of event files by the suffixes of their names; opening and creating files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from madnis_py.errors import InputError
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.event_writer import EventWriter
from madnis_py.events.files.lhe import LheReader, LheWriter
from madnis_py.events.files.lheh5 import Lheh5Reader, Lheh5Writer
from madnis_py.events.files.parquet import ParquetReader, ParquetWriter
from madnis_py.events.files.root_tree import RootReader, RootWriter
from madnis_py.events.les_houches.lhe_header import LheHeader
from madnis_py.events.les_houches.lhe_init import LheInit


@dataclass(frozen=True)
class EventFormat:
    """A format of event files.

    Attributes:
        reader: class that reads files.
        writer: class that writes files.
        module: package that both need.
        extra: extra of ours that installs the package, `pip install 'madnis_py[extra]'`.
    """

    reader: type[EventReader]
    writer: type[EventWriter]
    module: str | None = None
    extra: str | None = None

    def require(self, path: Path) -> None:
        """Make sure that files of this format can be read and written here.

        Raises:
            InputError: its package is not installed.
        """
        if self.module is not None and find_spec(self.module) is None:
            needs = f"expected the package {self.module} to be installed, which such files need"
            raise InputError(f"{path}: {needs}; pip install 'madnis_py[{self.extra}]' brings it")


FORMATS = (
    EventFormat(LheReader, LheWriter),
    EventFormat(Lheh5Reader, Lheh5Writer, "h5py", "lheh5"),
    EventFormat(ParquetReader, ParquetWriter, "pyarrow", "parquet"),
    EventFormat(RootReader, RootWriter, "uproot", "root"),
)


def suffixes() -> list[str]:
    """Suffixes of the names of event files."""
    return [suffix for one in FORMATS for suffix in one.writer.suffixes]


def event_format(path: Path) -> EventFormat:
    """The format that the name of a file says.

    Raises:
        InputError: it says none, or a package that the format needs is not installed.
    """
    for one in FORMATS:
        if path.name.endswith(one.writer.suffixes):
            one.require(path)
            return one
    *most, last = suffixes()
    raise InputError(f"{path}: expected a file name that ends in {', '.join(most)} or {last}")


def open_events(path: Path | str) -> EventReader:
    """The events of a file, in batches of bounded size.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    path = Path(path)
    return event_format(path).reader(path)


def create_events(
    path: Path | str, init: LheInit, header: LheHeader | Mapping[str, str] | None = None
) -> EventWriter:
    """A new file of events, a context manager; see `EventWriter`.

    Raises:
        InputError: the name says no format, or the header cannot be stored.
        OutputError: the file system refuses.
    """
    path = Path(path)
    return event_format(path).writer(path, init, header)
