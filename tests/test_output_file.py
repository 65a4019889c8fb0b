"""Output files: what stands at their place before and after, and many writers at once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from madnis_py.errors import LockedError, OutputError
from madnis_py.file_lock import FileLock, locked
from madnis_py.output_file import OutputFile, write_file


@pytest.mark.parametrize("content", [None, b"earlier"])
def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_that_the_user_gives_to_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_the_permissions_of_an_earlier_file_stay(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"earlier")
    path.chmod(mode)
    write_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_read_only_file_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"earlier")
    path.chmod(0o444)
    monkeypatch.setattr(
        os, "access", lambda _, mode: mode != os.W_OK
    )  # the superuser may write everywhere
    with pytest.raises(OutputError, match="file: cannot be written: Permission denied"):
        write_file(path, b"new")
    assert path.read_bytes() == b"earlier"


@pytest.mark.parametrize("content", [None, b"earlier"])
def test_the_file_behind_a_link_is_written_and_the_link_stays(
    tmp_path: Path, content: bytes | None
) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link, second = tmp_path / "elsewhere" / "target", tmp_path / "link", tmp_path / "second"
    link.symlink_to("elsewhere/target")
    second.symlink_to(link)
    if content is not None:
        target.write_bytes(content)
    write_file(second, b"new")
    assert link.is_symlink()
    assert second.is_symlink()
    assert target.read_bytes() == b"new"
    assert list((tmp_path / "elsewhere").iterdir()) == [target]


def test_links_that_lead_to_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    with pytest.raises(
        OutputError, match="one: cannot be written: Too many levels of symbolic links"
    ):
        write_file(tmp_path / "one", b"new")


def device(path: Path) -> None:
    """A device of our own, like /dev/full."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    except PermissionError:
        pytest.skip("only the superuser makes devices")


def identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mode, found.st_ino, found.st_rdev


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(
    ("make", "kind"),
    [(os.mkfifo, "a named pipe"), (device, "a device"), (Path.mkdir, "Is a directory")],
)
def test_what_is_no_file_stays_and_is_named(
    tmp_path: Path, make: Callable[[Path], None], kind: str, link: bool
) -> None:
    path = special = tmp_path / "special"
    make(special)
    if link:
        path = tmp_path / "link"
        path.symlink_to(special)
    before = sorted(tmp_path.iterdir()), identity(special)
    with pytest.raises(OutputError, match=rf"{path.name}: cannot be written: .*{kind}"):
        write_file(path, b"new")
    assert (sorted(tmp_path.iterdir()), identity(special)) == before


def test_two_writers_of_one_place_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with OutputFile(path) as first:
        first.write(b"first, ")
        with OutputFile(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
        first.write(b"the end")
    assert path.read_bytes() == b"first, the end"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys, time
from pathlib import Path
from madnis_py.output_file import OutputFile
with OutputFile(Path(sys.argv[1])) as file:
    file.write(b"half of it" * 1000)
    file._file.flush()
    print("written", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_left_is_removed_by_the_next_one_and_a_living_one_is_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.lhe"
    command = [sys.executable, "-c", WRITER, str(path)]
    killed, alive = (subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2))
    with killed, alive:
        for process in (killed, alive):
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
        assert len(list(tmp_path.iterdir())) == 2
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        write_file(path, b"complete")
        assert path.read_bytes() == b"complete"
        assert len(list(tmp_path.iterdir())) == 2  # the file, and what the living one writes
        alive.kill()


def test_files_of_other_machines_are_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / ".file.another-machine.0123456789ab.partial"
    foreign.write_bytes(b"half")
    write_file(tmp_path / "file", b"new")
    assert foreign.read_bytes() == b"half"


def test_a_very_long_name_is_no_hindrance(tmp_path: Path) -> None:
    write_file(tmp_path / ("é" * 127), b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]


def test_a_lock_names_its_holder_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path, "runs/one"):
        where = rf"runs/one: process {os.getpid()} on .*, since 2\d{{3}}-.*"
        sentence = rf"{where}, works on it; wait for its end \(--wait\)"
        with pytest.raises(LockedError, match=sentence), FileLock(path, "runs/one"):
            pass
    assert not list(tmp_path.iterdir())
    with FileLock(path, "runs/one"):
        pass


def test_a_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = "import sys,time;from pathlib import Path;from madnis_py.file_lock import FileLock\n"
    code += "with FileLock(Path(sys.argv[1]), 'it'): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with (
            pytest.raises(LockedError, match=f"it: process {process.pid} on "),
            FileLock(path, "it"),
        ):
            pass
        process.kill()
        process.wait()
        assert path.exists()
        with FileLock(path, "it"):
            pass
    assert not path.exists()


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = "import sys,time;from pathlib import Path;from madnis_py.file_lock import FileLock\n"
    code += "with FileLock(Path(sys.argv[1]), 'it'): print('held', flush=True); time.sleep(0.3)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        begin = time.monotonic()
        with FileLock(path, "it", patience=30):
            assert time.monotonic() - begin > 0.1
            assert process.wait() == 0


def test_without_locks_on_the_file_system_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(descriptor: int, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", unsupported)
    left = tmp_path / ".file.x.partial"
    left.write_bytes(b"nobody knows whose")
    with FileLock(tmp_path / "lock", "it"):
        write_file(tmp_path / "file", b"new")
    assert locked(0) is None
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "file": b"new",
        left.name: b"nobody knows whose",
    }
