"""Files of a UFO model: a folder, an archive or an installed package, read and nothing more."""

from __future__ import annotations

import hashlib
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from madnis_py.physics.ufo.statements import UfoError

LARGEST = 32 * 2**20
"""Bytes of a file; the largest of public models have six million."""

_MOST_MEMBERS = 20_000
_LARGEST_ARCHIVE = 256 * 2**20

REQUIRED = ("particles.py", "parameters.py", "couplings.py", "lorentz.py", "vertices.py")
"""Files that make a folder a model."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
"""Ends of names of archives."""


@dataclass(frozen=True)
class ModelFiles:
    """The files of one model.

    Attributes:
        source: folder or archive, for messages.
        names: of all files beside particles.py.
    """

    source: str
    names: frozenset[str]
    _read: Callable[[str], bytes]

    def text(self, name: str) -> str:
        """The text of a file: UTF-8, or else Latin-1.

        Raises:
            UfoError: it cannot be read, is too large, or leads out of the model.
        """
        content = self._read(name)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return content.decode("latin-1")

    def content(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            UfoError: as `text`.
        """
        return self._read(name)

    def digest(self, names: Iterable[str]) -> str:
        """SHA-256 of files, with their names.

        Raises:
            UfoError: as `text`.
        """
        digest = hashlib.sha256()
        for name in sorted(names):
            content = hashlib.sha256(self._read(name)).hexdigest()
            digest.update(f"{name} {content}\n".encode())
        return digest.hexdigest()


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name."""
    return path.name.lower().endswith(ARCHIVES)


def without_ending(path: Path) -> str:
    """The name of a model whose folder or archive this is."""
    name = path.name
    found = [end for end in ARCHIVES if name.lower().endswith(end)]
    return name[: -len(max(found, key=len))] if found and path.is_file() else name


def is_model(folder: Path) -> bool:
    """Whether a folder has the files of a model."""
    return all((folder / name).is_file() for name in REQUIRED)


def model_files(path: Path) -> ModelFiles:
    """The files of a folder or archive.

    Raises:
        UfoError: it is none, cannot be read, or its files would lie outside.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise UfoError(f"{path}: expected a folder or an archive of a model; got none")
    try:
        return _of_zip(path) if zipfile.is_zipfile(path) else _of_tar(path)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, ValueError) as error:
        raise UfoError(f"{path}: expected a zip or tar archive; got: {error}") from None


def _of_folder(folder: Path) -> ModelFiles:
    try:
        names = frozenset(one.name for one in folder.iterdir())
    except OSError as error:
        raise UfoError(f"{folder}: expected a readable folder; got: {error.strerror}") from None
    _check_names(str(folder), names)

    def read(name: str) -> bytes:
        return _content(folder, name)

    return ModelFiles(str(folder), names, read)


def _check_names(source: str, names: Iterable[str]) -> None:
    lacking = [name for name in REQUIRED if name not in set(names)]
    if lacking:
        raise UfoError(f"{source}: expected a UFO model, with {lacking[0]}; got none")


def _content(folder: Path, name: str) -> bytes:
    """A regular file inside a folder, links out of it refused."""
    path = folder / name
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve(strict=True)):
            raise UfoError(f"{path}: expected a file of the model; got a link out of its folder")
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UfoError(f"{path}: expected a regular file; got another kind")
        _check_size(str(path), status.st_size)
        with path.open("rb") as file:
            return _bounded(file, str(path))
    except (OSError, RuntimeError) as error:
        raise UfoError(f"{path}: expected a readable file; got: {error}") from None


def _check_size(place: str, size: int) -> None:
    if size > LARGEST:
        raise UfoError(f"{place}: expected at most {LARGEST:,} bytes; got {size:,}")


def _bounded(file: IO[bytes], place: str) -> bytes:
    content = file.read(LARGEST + 1)
    _check_size(place, len(content))
    return content


def _of_zip(path: Path) -> ModelFiles:
    with zipfile.ZipFile(path) as archive:
        members = {one.filename: one for one in archive.infolist() if not one.is_dir()}
        links = [name for name, one in members.items() if stat.S_ISLNK(one.external_attr >> 16)]
        top = _top(path, members, links, sum(one.file_size for one in members.values()))
    names = frozenset(name.removeprefix(top) for name in members if name.startswith(top))

    def read(name: str) -> bytes:
        place = f"{path}: {top}{name}"
        try:
            with zipfile.ZipFile(path) as archive, archive.open(top + name) as file:
                return _bounded(file, place)
        except (OSError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
            raise UfoError(f"{place}: expected a readable file; got: {error}") from None

    return ModelFiles(str(path), names, read)


def _of_tar(path: Path) -> ModelFiles:
    contents: dict[str, bytes] = {}
    links: list[str] = []
    size = 0
    with tarfile.open(path) as archive:
        for count, member in enumerate(archive):
            size += member.size
            if count > _MOST_MEMBERS or size > _LARGEST_ARCHIVE:
                raise UfoError(f"{path}: expected at most {_LARGEST_ARCHIVE:,} bytes; got more")
            if member.issym() or member.islnk():
                links.append(member.name)
            elif not member.isfile():
                continue
            contents[member.name] = b""
            if member.isfile() and member.size <= LARGEST:
                file = archive.extractfile(member)
                contents[member.name] = file.read() if file else b""
            elif member.isfile():
                links.append(member.name)
    top = _top(path, contents, links, size)

    def read(name: str) -> bytes:
        if top + name not in contents:
            raise UfoError(f"{path}: expected a file {top}{name}; got none")
        return contents[top + name]

    names = frozenset(name.removeprefix(top) for name in contents if name.startswith(top))
    return ModelFiles(str(path), names, read)


def _top(path: Path, members: Iterable[str], unusable: list[str], size: int) -> str:
    """The folder of an archive that the model lies in, with "/" behind it, or ""."""
    names = list(members)
    if len(names) > _MOST_MEMBERS or size > _LARGEST_ARCHIVE:
        raise UfoError(f"{path}: expected at most {_LARGEST_ARCHIVE:,} bytes; got more")
    for name in names:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\\" in name:
            raise UfoError(f"{path}: expected files inside the archive; got the name {name}")
    tops = sorted(
        {
            name.removesuffix(REQUIRED[0])
            for name in names
            if PurePosixPath(name).name == REQUIRED[0]
        },
        key=len,
    )
    if not tops:
        raise UfoError(f"{path}: expected a UFO model, with {REQUIRED[0]}; got none")
    top = tops[0]
    _check_names(f"{path}: {top}", [name.removeprefix(top) for name in names])
    for name in unusable:
        if name.startswith(top) and "/" not in name.removeprefix(top):
            raise UfoError(f"{path}: expected regular files of a usual size; got {name}")
    return top
