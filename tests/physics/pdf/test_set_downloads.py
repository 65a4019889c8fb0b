"""`madnis-py pdf install`: from a mirror on this machine to a set that is found by its name."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import Outcome, call

from madnis_py.errors import PdfError
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED, available_sets, find_set
from madnis_py.physics.pdf.set_downloads import SetDownload, user_folder


def archive(members: dict[str, bytes]) -> bytes:
    """A .tar.gz with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


TOY = archive(
    {
        "TOYCOPY/TOYCOPY.info": (SHIPPED / "toy" / "toy.info").read_bytes(),
        "TOYCOPY/TOYCOPY_0000.dat": (SHIPPED / "toy" / "toy_0000.dat").read_bytes(),
    }
)


class Mirror:
    """A mirror that serves `files` and remembers what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/TOYCOPY.tar.gz": TOY}
        self.ranges: list[str | None] = []
        self.breaks_after: int | None = None
        self.honours_ranges = True


class Handler(BaseHTTPRequestHandler):
    def __init__(self, mirror: Mirror, *arguments: object) -> None:
        self.mirror = mirror
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        content = self.mirror.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range") if self.mirror.honours_ranges else None
        if self.path.endswith(".gz"):
            self.mirror.ranges.append(self.headers.get("Range"))
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if asked and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.mirror.breaks_after])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


@pytest.fixture
def address(mirror: Mirror) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, mirror))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of a user without sets."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LHAPDF_DATA_PATH", raising=False)
    return tmp_path / "home" / "madnis_py" / "pdf"


Command = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`madnis-py` with these arguments."""
    return lambda *arguments: call(arguments, capsys, monkeypatch)


def test_an_installed_set_is_found_by_its_name(command: Command, address: str, user: Path) -> None:
    result = command("pdf", "install", "TOYCOPY", "--mirror", address)
    assert result.status == 0, result.err
    assert find_set("TOYCOPY").folder == user / "TOYCOPY"
    assert "TOYCOPY" in [one.name for one in available_sets()]
    assert load_pdf("TOYCOPY").alpha_s(100.0) == load_pdf("toy").alpha_s(100.0)
    assert [one.name for one in user.iterdir()] == ["TOYCOPY"]


def test_the_environment_names_the_mirror(
    command: Command, address: str, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_PDF_MIRROR", address)
    assert command("pdf", "install", "TOYCOPY").status == 0
    assert (user / "TOYCOPY").is_dir()


def test_an_interrupted_download_goes_on_where_it_stopped(
    mirror: Mirror, address: str, tmp_path: Path
) -> None:
    mirror.breaks_after = 1000
    with pytest.raises(PdfError, match=f"expected {len(TOY)} bytes; got 1000"):
        SetDownload("TOYCOPY", tmp_path, address).run()
    assert not (tmp_path / "TOYCOPY").exists()
    mirror.breaks_after = None
    SetDownload("TOYCOPY", tmp_path, address).run()
    assert mirror.ranges == [None, "bytes=1000-"]
    assert (tmp_path / "TOYCOPY" / "TOYCOPY_0000.dat").is_file()


def test_a_mirror_that_begins_anew_is_followed(
    mirror: Mirror, address: str, tmp_path: Path
) -> None:
    (tmp_path / ".TOYCOPY.tar.gz.part").write_bytes(TOY[:1000])
    mirror.honours_ranges = False
    assert SetDownload("TOYCOPY", tmp_path, address).run().info.is_file()


def test_a_complete_archive_is_not_loaded_again(
    mirror: Mirror, address: str, tmp_path: Path
) -> None:
    (tmp_path / ".TOYCOPY.tar.gz.part").write_bytes(TOY)
    assert SetDownload("TOYCOPY", tmp_path, address).run().info.is_file()
    assert mirror.ranges == [f"bytes={len(TOY)}-"]


@pytest.mark.parametrize("who", ["caller", "mirror"])
def test_another_checksum_is_refused(
    who: str, mirror: Mirror, address: str, tmp_path: Path
) -> None:
    wrong = hashlib.sha256(b"something else").hexdigest()
    if who == "mirror":
        mirror.files["/TOYCOPY.tar.gz.sha256"] = f"{wrong}  TOYCOPY.tar.gz\n".encode()
    given = wrong if who == "caller" else None
    with pytest.raises(PdfError, match=f"expected the SHA-256 {wrong}; got"):
        SetDownload("TOYCOPY", tmp_path, address, given).run()
    assert list(tmp_path.iterdir()) == []


def test_the_right_checksum_is_accepted(address: str, tmp_path: Path) -> None:
    right = hashlib.sha256(TOY).hexdigest()
    assert SetDownload("TOYCOPY", tmp_path, address, right).run().info.is_file()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no archive", "not a gzip file"),
        (TOY[:-500] + bytes(500), "something else"),
        (archive({"OTHER/OTHER.info": b""}), "TOYCOPY.info"),
        (archive({"TOYCOPY/TOYCOPY.info": b"NumMembers: 1\n"}), "TOYCOPY_0000.dat"),
        (archive({"../TOYCOPY.info": b""}), "outside"),
    ],
)
def test_what_is_no_set_is_refused_and_leaves_nothing(
    content: bytes, told: str, mirror: Mirror, address: str, tmp_path: Path
) -> None:
    mirror.files["/TOYCOPY.tar.gz"] = content
    folder = tmp_path / "sets"
    with pytest.raises(PdfError, match="expected the set TOYCOPY; got something else") as caught:
        SetDownload("TOYCOPY", folder, address).run()
    assert told in str(caught.value)
    assert list(folder.iterdir()) == []
    assert {one.name for one in tmp_path.iterdir()} <= {"sets", "home"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("NOSUCHSET",), 'the mirror has no set "NOSUCHSET"'),
        (("../toy",), "expected a name as"),
        (("TOYCOPY", "--sha256", "12"), "expected 64 hexadecimal digits"),
        (("TOYCOPY", "--mirror", "file:///etc"), "expected an address as https"),
        (("TOYCOPY", "--mirror", "http://127.0.0.1:9"), "the mirror does not answer"),
    ],
)
def test_what_cannot_be_installed_is_a_sentence(
    arguments: tuple[str, ...], sentence: str, command: Command, address: str
) -> None:
    result = command("pdf", "install", "--mirror", address, *arguments)
    assert result.status == 2
    assert sentence in result.err


def test_a_set_that_stands_there_stays(command: Command, address: str, user: Path) -> None:
    (user / "TOYCOPY").mkdir(parents=True)
    (user / "TOYCOPY" / "mine").write_text("x")
    result = command("pdf", "install", "TOYCOPY", "--mirror", address)
    assert result.status == 2
    assert "expected a free place" in result.err
    assert (user / "TOYCOPY" / "mine").read_text() == "x"


def test_the_sentence_about_a_missing_set_names_the_command() -> None:
    with pytest.raises(PdfError, match="madnis-py pdf install NOSUCHSET"):
        find_set("NOSUCHSET")


def test_sets_of_a_user_are_looked_for_whatever_the_environment_names(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LHAPDF_DATA_PATH", "/nowhere")
    assert user_folder() == user
