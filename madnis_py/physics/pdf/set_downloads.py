"""Download of PDF sets from a mirror of LHAPDF's: archives NAME.tar.gz, each a folder NAME."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import re
import ssl
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from madnis_py.card.card import expanded
from madnis_py.errors import OutputError, PdfError
from madnis_py.output_file import make_directory
from madnis_py.physics.pdf.lhagrid import read_member
from madnis_py.physics.pdf.set_files import SetFiles
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched

MIRROR = "https://lhapdfsets.web.cern.ch/current"
MIRROR_VARIABLE = "MADNIS_PDF_MIRROR"
"""Environment variable with the address of another mirror."""

_PIECE = 1 << 18
_TIMEOUT = 30.0
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NO_MORE = http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
"""HTTP status where a file has no bytes from a place on: it is there already."""


_Answer = http.client.HTTPResponse | urllib.error.HTTPError


def mirror_address() -> str:
    """The mirror of the environment, else that of LHAPDF."""
    return os.environ.get(MIRROR_VARIABLE) or MIRROR


def user_folder() -> Path:
    """Where sets of this user go: on the search path whatever LHAPDF_DATA_PATH says."""
    return expanded(os.environ.get("XDG_DATA_HOME") or "~/.local/share") / "madnis_py" / "pdf"


@dataclass(frozen=True)
class SetDownload:
    """Download of a set, whole or not at all; an interrupted one goes on where it stopped.

    The archive has to have the checksum that the caller knows, else that of NAME.tar.gz.sha256
    where the mirror has such a file; in any case it has to be complete, with every member.

    Attributes:
        name: of the set.
        folder: that the folder NAME goes to.
        mirror: address of a folder with archives.
        sha256: of the archive, 64 hexadecimal digits; None if it is not known.
        watch: called with the progress.
    """

    name: str
    folder: Path
    mirror: str = MIRROR
    sha256: str | None = None
    watch: Watch = unwatched

    @classmethod
    def checked(
        cls, name: str, folder: Path, mirror: str, sha256: str | None, watch: Watch = unwatched
    ) -> Self:
        """A download whose arguments a user gave.

        Raises:
            PdfError: one of them is not what it should be.
        """
        if not _NAME.fullmatch(name):
            raise PdfError(f'pdf set: expected a name as "NNPDF40_lo_as_01180"; got {name!r}')
        if sha256 is not None and not _SHA256.fullmatch(sha256):
            raise PdfError(f"sha256: expected 64 hexadecimal digits; got {sha256!r}")
        if not re.match("https?://", mirror):
            raise PdfError(f"mirror: expected an address as {MIRROR}; got {mirror!r}")
        return cls(name, folder, mirror.rstrip("/"), sha256 and sha256.lower(), watch)

    @property
    def place(self) -> Path:
        """The folder of the set."""
        return self.folder / self.name

    def run(self) -> SetFiles:
        """Bring the set to its folder.

        Raises:
            PdfError: it stands there already, the mirror does not have it or does not answer, or
                what came is not the set.
            OutputError: the folder cannot be written.
        """
        if self.place.exists():
            raise PdfError(f"{self.place}: expected a free place for the set; there is one already")
        make_directory(self.folder)
        archive = self.folder / f".{self.name}.tar.gz.part"
        with self._refusals():
            self._fetch(archive)
            self._require_checksum(archive)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=f".{self.name}.") as unpacked:
                self._unpack(archive, Path(unpacked))
                (Path(unpacked) / self.name).rename(self.place)
            archive.unlink()
        return SetFiles.of_folder(self.place)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Errors of the file system in this block are those of the folder."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written: {error.strerror}") from error

    def _fetch(self, archive: Path) -> None:
        """Download the archive from where an earlier download stopped."""
        done, clock = archive.stat().st_size if archive.exists() else 0, Stopwatch()
        request = urllib.request.Request(f"{self.mirror}/{self.name}.tar.gz")
        if done:
            request.add_header("Range", f"bytes={done}-")
        with self._answer(request) as answer:
            if answer.status == _NO_MORE and done:
                return
            self._require_success(answer, request)
            if done and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                done = 0  # the mirror begins anew
            expected = answer.headers.get("Content-Length")
            total = done + int(expected) if expected and expected.isdecimal() else 0
            with archive.open("ab" if done else "wb") as file:
                while piece := self._piece(answer):
                    file.write(piece)
                    done += len(piece)
                    self.watch(self._progress(done, max(total, done), clock))
        if done < total:
            again = "the same command goes on from there"
            raise PdfError(f"{request.full_url}: expected {total} bytes; got {done}; {again}")

    def _answer(self, request: urllib.request.Request) -> _Answer:
        """What the mirror answers, be it an error."""
        try:
            answer: _Answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            return error
        except (OSError, http.client.HTTPException) as error:
            raise self._silence(error) from error
        return answer

    def _piece(self, answer: _Answer) -> bytes:
        try:
            return answer.read(_PIECE)
        except (OSError, http.client.HTTPException) as error:
            raise self._silence(error) from error

    def _silence(self, error: Exception) -> PdfError:
        reason = getattr(error, "reason", None) or error
        what = "has no valid certificate" if isinstance(reason, ssl.SSLError) else "does not answer"
        way_out = f"--mirror, or {MIRROR_VARIABLE} in the environment, names another one"
        return PdfError(f"{self.mirror}: the mirror {what} ({reason}); {way_out}")

    def _require_success(self, answer: _Answer, request: urllib.request.Request) -> None:
        if answer.status == http.HTTPStatus.NOT_FOUND:
            raise PdfError(f'{request.full_url}: the mirror has no set "{self.name}"')
        if answer.status is None or answer.status >= http.HTTPStatus.BAD_REQUEST:
            told = f"{answer.status} {answer.reason}"
            raise PdfError(f"{request.full_url}: the mirror refuses it: {told}")

    def _progress(self, done: int, total: int, clock: Stopwatch) -> StageProgress:
        rate = done / clock.total / 1e6
        return StageProgress("download", done, total, "bytes", rate=rate, rate_unit="MB/s")

    def _require_checksum(self, archive: Path) -> None:
        wanted = self.sha256 or self._checksum_of_mirror()
        if wanted is None:
            return
        with archive.open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
        if got != wanted:
            archive.unlink()
            raise PdfError(
                f"{self.mirror}/{self.name}.tar.gz: expected the SHA-256 {wanted}; got {got}; "
                "the archive was removed"
            )

    def _checksum_of_mirror(self) -> str | None:
        """The first word of NAME.tar.gz.sha256, if the mirror has such a file."""
        request = urllib.request.Request(f"{self.mirror}/{self.name}.tar.gz.sha256")
        with self._answer(request) as answer:
            if answer.status != http.HTTPStatus.OK:
                return None
            word = next(iter(self._piece(answer).decode("latin-1").split()), "")
        return word.lower() if _SHA256.fullmatch(word) else None

    def _unpack(self, archive: Path, target: Path) -> None:
        """Unpack the archive, and read its central member; all others have to be there."""
        try:
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(target, filter="data")
            files = SetFiles.of_folder(target / self.name)
            read_member(files, 0)
            numbers = range(files.metadata().integer("NumMembers"))
            lost = next((one for one in numbers if not files.member(one).is_file()), None)
            if lost is not None:
                raise PdfError(f"{files.member(lost).name} is missing")
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, PdfError) as error:
            archive.unlink()
            told = str(error).replace(f"{target}/", "")
            raise PdfError(
                f"{self.mirror}/{self.name}.tar.gz: expected the set {self.name}; got something "
                f"else ({told}); the archive was removed"
            ) from error
