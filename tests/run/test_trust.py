"""Run directories from elsewhere: what they reach outside themselves is named, not touched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Outcome, call

from madnis_py.card.card import Card
from madnis_py.card.documents import fingerprint
from madnis_py.errors import InputError
from madnis_py.physics.process.process import Process
from madnis_py.run.record import EventFileRecord
from madnis_py.run.run import Run
from madnis_py.run.trust import Trust
from madnis_py.run.verification.run_verification import verify_run

FUNCTION = """
from pathlib import Path

Path(__file__).with_suffix(".loaded").touch()


def constant(p, alpha_s):
    return 4.0 * alpha_s**2
"""
MOMENTA = (
    '{"points": [{"momenta": [[500, 0, 0, 500], [500, 0, 0, -500], '
    "[500, 0, 469.1, 0], [500, 0, -469.1, 0]]}]}"
)
COMMANDS = {
    "integrate": ("integrate", "DIR"),
    "generate": ("generate", "DIR", "--events", "10"),
    "gridpack": ("gridpack", "DIR", "-o", "packed.tar.gz"),
    "histograms": ("histograms", "DIR"),
    "run": ("run", "DIR/card.toml", "-o", "other"),
    "evaluate": ("evaluate", "DIR/card.toml", "--momenta", "momenta.json"),
}


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where words are remembered: nowhere yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("MADNIS_PY_TRUSTED", raising=False)
    return tmp_path / "state"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "elements.py"
    path.write_text(FUNCTION)
    return path


def card(**tables: dict[str, object]) -> Card:
    content = {"process": {"definition": "g g > t t~"}, "beams": {"pdf": "toy"}, **tables}
    return Card.parse(content)


@pytest.fixture
def foreign(code: Path, tmp_path: Path, memory: Path) -> Path:
    """A run directory that somebody else has begun, with a matrix element in Python."""
    table = {"provider": "python", "function": f"{code}:constant"}
    Run(
        Process.from_card(card(process={"definition": "g g > t t~", "matrix_element": table})),
        tmp_path / "foreign",
    )
    forget(memory, code)
    return tmp_path / "foreign"


def begun(folder: Path, memory: Path, one: Card) -> Path:
    """A run directory that somebody else has begun."""
    Run(Process.from_card(one), folder)
    shutil.rmtree(memory, ignore_errors=True)
    return folder


def forget(memory: Path, code: Path) -> None:
    shutil.rmtree(memory)
    loaded(code).unlink()


def loaded(code: Path) -> Path:
    return code.with_suffix(".loaded")


@pytest.fixture
def command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: call(arguments, capsys, monkeypatch)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_loads_what_a_foreign_run_names(
    name: str, foreign: Path, code: Path, command: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "momenta.json").write_text(MOMENTA)
    done = command(*(word.replace("DIR", "foreign") for word in COMMANDS[name]))
    assert done.status == 2
    by = f'"python" (function = "{code}:constant")'
    wanted = f"use matrix elements by {by}: --trust if you know where it comes from"
    assert wanted in done.err
    assert len(done.err.splitlines()) == 1
    assert not loaded(code).exists()
    assert not (tmp_path / "other").exists()


def test_trust_is_remembered_for_what_it_was_given_for(
    foreign: Path, code: Path, command: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "momenta.json").write_text(MOMENTA)
    evaluate = ("evaluate", "foreign/card.toml", "--momenta", "momenta.json")
    assert command(*evaluate, "--trust").status == 0
    assert loaded(code).exists()
    assert command(*evaluate).status == 0
    foreign.rename(tmp_path / "moved")
    Run.open(tmp_path / "moved")
    other = tmp_path / "others.py"
    other.write_text(FUNCTION)
    text = (tmp_path / "moved" / "card.toml").read_text()
    (tmp_path / "moved" / "card.toml").write_text(text.replace(str(code), str(other)))
    with pytest.raises(InputError, match=re.escape(f'"{other}:constant"')):
        Run.open(tmp_path / "moved")


def test_other_code_under_a_trusted_name_is_refused(foreign: Path, code: Path) -> None:
    Run.open(foreign, trust=True)
    code.write_text(FUNCTION + "# changed\n")
    with pytest.raises(
        InputError, match="expected the files that the card was made with; got other contents"
    ):
        Run.open(foreign)
    text = (foreign / "card.toml").read_text()
    (foreign / "card.toml").write_text(re.sub("(?m)^digest = .*$", "", text))
    with pytest.raises(InputError, match="--trust if you know"):
        Run.open(foreign)


def test_a_run_that_the_user_began_is_opened_without_a_question(
    code: Path, command: Callable[..., Outcome], tmp_path: Path
) -> None:
    table = {"provider": "python", "function": f"{code}:constant"}
    one = card(process={"definition": "g g > t t~", "matrix_element": table})
    (tmp_path / "mine.toml").write_text(one.to_toml())
    (tmp_path / "momenta.json").write_text(MOMENTA)
    done = command("evaluate", "mine.toml", "--momenta", "momenta.json")
    assert done.status == 0
    assert (
        done.err == "madnis-py: mine.toml names matrix elements by "
        f'"python" (function = "{code}:constant")\n'
    )
    Run(Process.from_card(one), tmp_path / "run")
    assert Run.open(tmp_path / "run").process.card.process.matrix_element is not None


def test_folders_of_the_environment_are_trusted(
    foreign: Path, tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_PY_TRUSTED", f":/nowhere:~nosuchuser/x:{tmp_path}/for")
    with pytest.raises(InputError, match="MADNIS_PY_TRUSTED"):
        Run.open(foreign)
    monkeypatch.setenv("MADNIS_PY_TRUSTED", f"/nowhere:{tmp_path}")
    Run.open(foreign)
    assert not memory.exists()


def test_a_user_without_a_home_is_asked_each_time(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path))
    monkeypatch.setattr(Path, "home", homeless)
    for _ in range(2):
        Run.open(foreign, trust=True)
        with pytest.raises(InputError, match="--trust"):
            Run.open(foreign)


def test_a_memory_that_cannot_be_written_is_no_error(foreign: Path, memory: Path) -> None:
    memory.write_text("a file in the way")
    Run.open(foreign, trust=True)
    with pytest.raises(InputError, match="--trust"):
        Run.open(foreign)


def test_workers_of_a_foreign_run_are_not_started(
    command: Callable[..., Outcome], tmp_path: Path, memory: Path
) -> None:
    cluster = {
        "kind": "local",
        "workers": 1,
        "options": {"preload": "http://example.org/\x1b[2J.py"},
    }
    begun(tmp_path / "run", memory, card(cluster=cluster))
    done = command("generate", "run", "--events", "10")
    assert done.status == 2
    assert r'workers by "local" (preload = "http://example.org/\u001b[2J.py")' in done.err


def test_a_file_of_parameters_is_not_read(tmp_path: Path, memory: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("BLOCK MASS\n password\n")
    folder = begun(tmp_path / "run", memory, card())
    text = (folder / "card.toml").read_text()
    (folder / "card.toml").write_text(
        text.replace("[parameters]", f'[parameters]\nparam_card = "{secret}"')
    )
    with pytest.raises(InputError, match=f'would use the file "{secret}"') as refused:
        Run.open(folder)
    assert "password" not in str(refused.value)


@pytest.mark.parametrize("target", ["../victim", "/nowhere/at/all"])
def test_a_link_that_leads_outside_is_not_followed(
    target: str, tmp_path: Path, memory: Path
) -> None:
    (tmp_path / "victim").write_text("mine")
    folder = begun(tmp_path / "run", memory, card())
    (folder / "latest").symlink_to("run.json")
    Run.open(folder)
    (folder / "events.lhe.gz").symlink_to(target)
    with pytest.raises(InputError, match=r'would use the file "/.*/(victim|all)"'):
        Run.open(folder)
    Run.open(folder, trust=True)


@pytest.fixture
def with_events(tmp_path: Path, memory: Path) -> tuple[Run, Path]:
    """A run whose last events lie outside of it."""
    outside = tmp_path / "elsewhere" / "events.lhe"
    outside.parent.mkdir()
    outside.write_text("events")
    run = Run.open(begun(tmp_path / "run", memory, card()))
    size, sha256 = fingerprint(outside)
    made = EventFileRecord(file=str(outside), events=10, seed=1, size=size, sha256=sha256)
    run.directory.update(event_files=(made,), generated=made)
    run._made = made.file
    return run, outside


def test_events_outside_of_a_run_are_read_if_the_run_has_written_them(
    with_events: tuple[Run, Path],
) -> None:
    run, outside = with_events
    assert run.find_events() == outside


def test_other_files_outside_of_a_run_are_not_taken_for_its_events(
    with_events: tuple[Run, Path], tmp_path: Path
) -> None:
    run, outside = with_events
    outside.write_text("secret")
    with pytest.raises(InputError, match=f'would use the events "{outside}"'):
        _ = run.find_events()
    (fault,) = verify_run(tmp_path / "run").faults
    assert fault.endswith("expected the bytes that the run has written; got others")
    run.trust = Trust(True)
    assert run.find_events() == outside


def test_a_run_is_not_verified_through_links_that_lead_outside(
    tmp_path: Path, memory: Path
) -> None:
    folder = begun(tmp_path / "run", memory, card())
    assert verify_run(folder).faults == ()
    (folder / "card.toml").rename(tmp_path / "card.toml")
    (folder / "card.toml").symlink_to("../card.toml")
    with pytest.raises(InputError, match="would use the file"):
        verify_run(folder)
    assert verify_run(folder, trust=True).faults == ()
