from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from places import ROOT

from madnis_py.physics.ufo import model_files as module
from madnis_py.physics.ufo.model_files import model_files
from madnis_py.physics.ufo.statements import UfoError
from madnis_py.physics.ufo.ufo_rows import FILES

SINGLET = ROOT / "tests" / "models" / "scalar_singlet"


def a_copy(folder: Path) -> Path:
    folder.mkdir()
    for path in SINGLET.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def as_zip(path: Path, top: str = "singlet/") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for one in SINGLET.glob("*.*"):
            archive.write(one, top + one.name)
    return path


def as_tar(path: Path, top: str = "singlet/") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for one in SINGLET.glob("*.*"):
            archive.add(one, top + one.name)
    return path


@pytest.mark.parametrize(
    "made",
    [
        lambda folder: a_copy(folder / "singlet"),
        lambda folder: as_zip(folder / "singlet.zip"),
        lambda folder: as_zip(folder / "singlet.zip", top=""),
        lambda folder: as_zip(folder / "singlet.zip", top="./a/b/"),
        lambda folder: as_tar(folder / "singlet.tar.gz"),
        lambda folder: as_tar(folder / "singlet.tgz", top="./"),
    ],
)
def test_folders_and_archives_hold_the_same_files(
    tmp_path: Path, made: Callable[[Path], Path]
) -> None:
    files = model_files(made(tmp_path))
    names = files.names & set(FILES)
    assert len(names) == 7
    assert files.digest(names) == model_files(SINGLET).digest(names)
    assert files.text("vertices.py") == (SINGLET / "vertices.py").read_text()


@pytest.mark.parametrize("name", ["../particles.py", "/tmp/particles.py", "a/../../particles.py"])
@pytest.mark.parametrize("make", [as_zip, as_tar])
def test_archives_whose_files_lie_outside_are_refused(
    tmp_path: Path, name: str, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path / ("singlet.zip" if make is as_zip else "singlet.tar.gz"))
    if make is as_zip:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, "")
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    with pytest.raises(UfoError, match="expected files inside the archive; got the name"):
        model_files(path)


def test_links_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    folder = a_copy(tmp_path / "singlet")
    (folder / "couplings.py").unlink()
    (folder / "couplings.py").symlink_to(SINGLET / "couplings.py")
    with pytest.raises(UfoError, match=r"couplings\.py: .*got a link out of its folder"):
        model_files(folder).text("couplings.py")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_archives_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "singlet.tar"
    with tarfile.open(path, "w") as archive:
        for one in SINGLET.glob("*.*"):
            if one.name != "couplings.py":
                archive.add(one, one.name)
        link = tarfile.TarInfo("couplings.py")
        link.type, link.linkname = kind, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(UfoError, match=r"expected regular files .*; got couplings\.py"):
        model_files(path)


def test_pipes_and_circles_are_no_files(tmp_path: Path) -> None:
    folder = a_copy(tmp_path / "singlet")
    for name in ("couplings.py", "vertices.py"):
        (folder / name).unlink()
    os.mkfifo(folder / "couplings.py")
    (folder / "vertices.py").symlink_to("vertices.py")
    with pytest.raises(UfoError, match="expected a regular file"):
        model_files(folder).text("couplings.py")
    with pytest.raises(UfoError, match=r"vertices\.py: expected a readable file"):
        model_files(folder).text("vertices.py")


def test_huge_files_are_not_read(tmp_path: Path) -> None:
    folder = a_copy(tmp_path / "singlet")
    with (folder / "couplings.py").open("r+b") as file:
        file.truncate(2**30)  # a gigabyte that takes no place
    with pytest.raises(UfoError, match=r"at most 33,554,432 bytes; got 1,073,741,824"):
        model_files(folder).text("couplings.py")


def test_archives_that_grow_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST_ARCHIVE", 5_000)
    for path in (as_zip(tmp_path / "singlet.zip"), as_tar(tmp_path / "singlet.tgz")):
        with pytest.raises(UfoError, match="at most 5,000 bytes"):
            model_files(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00", os.urandom(999)])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "singlet.zip"
    path.write_bytes(content)
    with pytest.raises(UfoError, match=r"singlet\.zip: expected"):
        model_files(path)


def test_a_folder_without_vertices_is_no_model(tmp_path: Path) -> None:
    folder = a_copy(tmp_path / "singlet")
    (folder / "vertices.py").unlink()
    with pytest.raises(UfoError, match=r"expected a UFO model, with vertices\.py; got none"):
        model_files(folder)
