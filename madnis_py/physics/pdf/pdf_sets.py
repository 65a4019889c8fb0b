"""PDF sets on the search path: where they are, what they are, which members they have.

Sets are folders in LHAPDF's format. They are looked for in this order:

1. a name that is a path of a folder with its info file;
2. the folders of the environment variable `LHAPDF_DATA_PATH`, separated by colons;
3. `lhapdf.paths()` where that module is installed;
4. the folder of `madnis-py pdf install`;
5. the sets shipped with the package: `toy`;
6. the central members that an installed Pythia brings, see `pythia_grids`.

A name may end in the number of a member, "SET/3"; "SET" is its member 0.
"""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from madnis_py.card.card import expanded
from madnis_py.errors import PdfError
from madnis_py.physics.pdf.lhapdf_index import UNREGISTERED
from madnis_py.physics.pdf.pythia_grids import pythia_folders, pythia_sets
from madnis_py.physics.pdf.set_downloads import MIRROR, user_folder
from madnis_py.physics.pdf.set_files import SetFiles

SHIPPED = Path(str(files("madnis_py"))) / "data"
"""Folder of the sets that come with the package."""

NOT_FOR_PREDICTIONS = "for tests, not for predictions"
CAVEAT = "parton densities:"
"""Beginning of the sentences of `caveats`."""


@dataclass(frozen=True)
class PdfSet:
    """A set on the search path.

    Attributes:
        name: name of the set.
        path: its folder.
        lhapdf_id: LHAPDF's number of its member 0; 0 for a set without one.
        description: the set's own words, or what is wrong with its info file.
        n_members: how many members it has, here or elsewhere.
        error_type: how they make an uncertainty, "replicas", "hessian", ...; "none" where the set
            does not say.
    """

    name: str
    path: Path
    lhapdf_id: int
    description: str
    n_members: int = 1
    error_type: str = "none"

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the members whose files are not in the folder."""
        files = SetFiles(self.path, self.name)
        return tuple(
            number for number in range(self.n_members) if not files.member(number).is_file()
        )

    @property
    def caveat(self) -> str:
        """Words that belong beside results of this set; empty for sets of others."""
        return NOT_FOR_PREDICTIONS if self.path.parent == SHIPPED else ""

    @classmethod
    def from_files(cls, files: SetFiles) -> PdfSet:
        """Describe a set; one that cannot be read says so in its description."""
        try:
            metadata = files.metadata()
            return cls(
                files.name,
                files.folder,
                metadata.integer("SetIndex", UNREGISTERED),
                metadata.text("SetDesc", ""),
                metadata.integer("NumMembers", 1),
                metadata.text("ErrorType", "none"),
            )
        except PdfError as error:
            return cls(files.name, files.folder, UNREGISTERED, str(error))


def pdf_set(name: str) -> PdfSet:
    """The set that a name as `load_pdf` takes it belongs to.

    Raises:
        PdfError: the set is not found.
    """
    return PdfSet.from_files(find_set(split_member(name)[0]))


def other_members(name: str) -> tuple[str, ...]:
    """The names of all members of a set that are there, but the named one.

    Raises:
        PdfError: the set is not found.
    """
    head, member = split_member(name)
    found = pdf_set(name)
    numbers = sorted({*range(found.n_members)} - {*found.missing, member})
    return tuple(f"{head}/{number}" for number in numbers)


def named_members(names: Iterable[str]) -> tuple[str, ...]:
    """Names with each "SET/*" replaced by all members of the set that are there.

    Raises:
        PdfError: such a set is not found.
    """
    found: list[str] = []
    for name in names:
        head = name.removesuffix("/*")
        found += [name] if head == name else [head, *other_members(head)]
    return tuple(found)


def missing_members(name: str) -> list[str]:
    """A sentence about the members of a set that are not there; nothing where all are.

    Raises:
        PdfError: the set is not found.
    """
    found = pdf_set(name)
    if not found.missing:
        return []
    spans: list[list[int]] = []
    for number in found.missing:
        if spans and spans[-1][-1] == number - 1:
            spans[-1] = [spans[-1][0], number]
        else:
            spans.append([number])
    numbers = ", ".join(" to ".join(map(str, span)) for span in spans)
    lost = f'members {numbers} of "{found.name}" are not in {found.path}'
    return [f"systematics: {lost}; events go without their weights"]


def available_sets() -> list[PdfSet]:
    """The sets on the search path, by name; of two with the same name the first one."""
    found: dict[str, SetFiles] = {}
    for folder in search_folders():
        for info in sorted(folder.glob("*/*.info")):
            if info.stem == info.parent.name:
                found.setdefault(info.stem, SetFiles.of_folder(info.parent))
    for of_pythia in pythia_sets():
        found.setdefault(of_pythia.name, of_pythia)
    return [PdfSet.from_files(found[name]) for name in sorted(found)]


def choices() -> str:
    """A sentence for cards that name no set: which ones are there, and how to get another one."""
    found = [f'"{one.name}"' + f" ({one.caveat})" * bool(one.caveat) for one in available_sets()]
    single = 'Beams that are single partons have pdf = "none"'
    return f"Found: {', '.join(found)}. {_way_to('ANOTHER')}. {single}"


def caveats(names: Iterable[str]) -> list[str]:
    """Sentences about those of the named sets that are not for predictions; see `CAVEAT`.

    Raises:
        PdfError: a set is not found.
    """
    found = {one.name: one.caveat for one in map(pdf_set, names)}
    return [f'{CAVEAT} "{name}" is {caveat}' for name, caveat in found.items() if caveat]


def search_folders() -> list[Path]:
    """The folders in which sets are looked for, in this order."""
    named = [Path(entry) for entry in os.environ.get("LHAPDF_DATA_PATH", "").split(":") if entry]
    lhapdf = lhapdf_module()
    installed = [Path(entry) for entry in lhapdf.paths()] if lhapdf else []
    return list(dict.fromkeys([*named, *installed, user_folder(), SHIPPED]))


def lhapdf_module() -> ModuleType | None:
    """LHAPDF's Python module; None where it is not installed."""
    try:
        return importlib.import_module("lhapdf")
    except ImportError:
        return None


def split_member(name: str) -> tuple[str, int]:
    """The set and the number of the member in a name such as "SET/3"."""
    head, _, tail = name.rpartition("/")
    return (head, int(tail)) if head and tail.isdecimal() else (name, 0)


def find_set(name: str) -> SetFiles:
    """The files of a set.

    Args:
        name: of the set, without a member, or the path of its folder.

    Raises:
        PdfError: it is not found.
    """
    with suppress(OSError, ValueError):  # no file can have such a name: too long, or with NUL
        for folder in (expanded(name).resolve(), *(folder / name for folder in search_folders())):
            if (files := SetFiles.of_folder(folder)).info.is_file():
                return files
    if of_pythia := next((one for one in pythia_sets() if one.name == name), None):
        return of_pythia
    names = [pdf_set.name for pdf_set in available_sets()]
    close = difflib.get_close_matches(name, names, n=1)
    way_out = f"; did you mean {close[0]}? {_way_to(name)}" if close else f". {_way_to(name)}"
    folders = ", ".join(str(folder) for folder in [*search_folders(), *pythia_folders()])
    raise PdfError(
        f"PDF set {name!r} is not in {folders}; found there: {', '.join(names) or 'none'}{way_out}"
    )


def _way_to(name: str) -> str:
    """How to get a set that is not there."""
    return f"`madnis-py pdf install {name}` fetches it from {MIRROR}"
