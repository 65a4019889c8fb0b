"""Files of a PDF set: a folder with its info file, or the file of a member alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from madnis_py.physics.pdf.pdf_metadata import FileLine, Metadata, read_lines


@dataclass(frozen=True)
class SetFiles:
    """The files of a set in a folder.

    Attributes:
        folder: with the files.
        name: of the set, with which the names of its files begin.
        entries: what an info file would say, "Key: value" each, of a set without one.
    """

    folder: Path
    name: str
    entries: tuple[str, ...] = ()

    @classmethod
    def of_folder(cls, folder: Path) -> SetFiles:
        """The files of the set in the folder SET: SET.info, SET_0000.dat, SET_0001.dat, ..."""
        return cls(folder, folder.name)

    @property
    def info(self) -> Path:
        """The info file; of a set without one, the file of its member 0."""
        return self.member(0) if self.entries else self.folder / f"{self.name}.info"

    def member(self, number: int) -> Path:
        """The file of a member."""
        return self.folder / f"{self.name}_{number:04d}.dat"

    def metadata(self) -> Metadata:
        """The entries of the set.

        Raises:
            PdfError: the info file is missing or malformed.
        """
        return Metadata(self.info, list(self._lines()))

    def _lines(self) -> Iterator[FileLine]:
        if not self.entries:
            yield from read_lines(self.info)
        for number, entry in enumerate(self.entries, start=1):
            yield FileLine(self.info, number, entry)
