"""Run directories: what is read, made again or refused, and what `verify` finds."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import call, small_process

from madnis_py.arrays import array_digest
from madnis_py.card.documents import fingerprint
from madnis_py.errors import CheckpointError, GenerationError, InputError, MadnisError, OutputError
from madnis_py.events import chunk_generation
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.training import checkpoint
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.process.process import Process
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import RunRecord
from madnis_py.run.run import Run
from madnis_py.run.stages.results import Result
from madnis_py.run.verification.run_verification import verify_run

EVENTS, POINTS, SEED = 100, 20_000, 5


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    card = small_process(folder).card.updated({"channels": {"prior": "diagram"}})
    Run(Process.from_card(card), folder / "run", SEED).execute(EVENTS, POINTS)
    return folder / "run"


@pytest.fixture
def directory(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def change(directory: Path, *place: str | int, value: Any) -> None:
    """Replace a value of run.json."""
    path = directory / "run.json"
    record = inner = json.loads(path.read_text())
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path.write_text(json.dumps(record))


def test_the_record_has_every_figure_of_a_sampler() -> None:
    assert set(Result.model_fields) <= set(RunRecord.model_fields)


def test_a_record_comes_back_as_it_was_written(finished: Path) -> None:
    text = (finished / "run.json").read_text()
    assert RunRecord.parse(text.encode(), "run.json").content() == json.loads(text)


def test_a_run_json_whose_warnings_have_no_stage_yet_is_read_and_used(
    directory: Path, tmp_path: Path
) -> None:
    """As version 0.1.0 wrote it at first; the events that it names are still its events."""
    before = RunDirectory(directory).record
    old = ["parton densities: for tests", "generate 1 +- 0 pb and integrate 2 +- 0 pb differ"]
    change(directory, "warnings", value=old)
    change(directory, "generated", "warnings", value=old[1:])
    change(directory, "event_files", 0, "warnings", value=old[1:])
    run = Run.open(directory)
    assert [(one.stage, one.sentence) for one in run.record.warnings] == [
        ("integrate", old[0]),
        ("generate", old[1]),
    ]
    told: list[object] = []
    Run.open(directory, watch=told.append).generate(EVENTS)
    assert not told
    run.generate(EVENTS, tmp_path / "more.lhe")
    assert run.record.warning_sentences == old[:1]
    assert run.record.updated(warnings=()).madnis == before.madnis


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("identity", "seed"), "x", 'identity.seed: expected a valid integer; got "x"'),
        (("identity", "seed"), True, "identity.seed: expected a valid integer; got true"),
        (("identity", "device"), "tpu", "identity.device: .*cpu|cuda.*emulated.*; got .tpu."),
        (
            ("identity", "training", "steps"),
            None,
            "identity.training.steps: expected a valid integer; got null",
        ),
        (("identity", "card"), "../x", "identity.card: .*; got"),
        (
            ("madnis", "channels", 0, "maximum"),
            0.0,
            r"madnis.channels\[0\]: maximum: expected one above 0 .*; got 0",
        ),
        (
            ("madnis", "channels", 1, "sigma_i"),
            -1.0,
            r"madnis.channels\[1\].sigma_i: expected greater than .*; got -1",
        ),
        (
            ("madnis", "sigma_pb"),
            17.0,
            "sigma_pb: expected the same as in madnis; got another value",
        ),
        (
            ("madnis", "sigma_pb"),
            float("nan"),
            "madnis.sigma_pb: expected a finite number; got NaN",
        ),
        (("madnis", "points"), 1e400, "madnis.points: expected a valid integer"),
        (("vegas",), [], r"vegas: .*; got \[\]"),
        (("channels",), [], "channels: expected the same as in madnis; got another value"),
        (
            ("stages",),
            {"train": {"seconds": 1}},
            "stages.train.evaluations: expected a value; got none",
        ),
        (("warnings",), "none", 'warnings: .*; got "none"'),
        (("warnings",), [{"stage": "lunch", "sentence": ""}], r"warnings\[0\].stage: expected .*"),
        (
            ("warnings",),
            [{"stage": "train"}],
            r"warnings\[0\].sentence: expected a value; got none",
        ),
        (("choice", "sampler"), "luck", 'choice.sampler: expected "vegas" or "madnis"; got "luck"'),
        (("event_files", 0, "sha256"), "0", 'event_files\\[0\\].sha256: .*; got "0"'),
        (("sampler",), None, "sampler: expected a value; got none"),
        (("card",), {}, "card: process: expected a value; got none"),
        (("misspelt",), 1, "misspelt: unknown key"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_value_that_cannot_be_is_refused_with_its_place(
    directory: Path, place: tuple[str | int, ...], value: Any, sentence: str
) -> None:
    change(directory, *place, value=value)
    with pytest.raises(CheckpointError, match=rf"run\.json: {sentence}"):
        Run.open(directory)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[" * 100_000, b"[]", b'"x"', b"{}", b'{"identity": 1}', b"\x00"]
)
def test_whatever_run_json_holds_is_read_or_refused(directory: Path, content: bytes) -> None:
    (directory / "run.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"run\.json: .*expected"):
        Run.open(directory)


STRANGE: tuple[object, ...] = (None, "x", -(10**400), {"": {}})


def test_every_value_of_run_json_can_be_missing_or_strange(finished: Path) -> None:
    """Each is accepted or refused in a sentence of one line."""
    record = json.loads((finished / "run.json").read_text())
    for container, key in places(record):
        kept = container[key]
        for strange in STRANGE:
            container[key] = strange
            assert "\n" not in refusal(json.dumps(record).encode())
        container[key] = kept


def refusal(text: bytes) -> str:
    """What is said of a run.json; nothing if it is accepted."""
    try:
        RunRecord.parse(text, "run.json")
    except MadnisError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("seed",), 6),
        pytest.param(("training", "steps"), 13, marks=pytest.mark.slow),
        pytest.param(("training", "learning_rate"), 0.1, marks=pytest.mark.slow),
    ],
)
def test_another_identity_than_that_of_the_states_is_refused(
    directory: Path, place: tuple[str, ...], value: float
) -> None:
    change(directory, "identity", *place, value=value)
    with pytest.raises(
        CheckpointError, match=r"survey\.json belongs to another run than run\.json identifies"
    ):
        Run.open(directory).generate(EVENTS, directory / "other.lhe")


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every value of nested tables, as the container and the key."""
    found = []
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        found.append((tree, key))
        if isinstance(tree[key], dict | list):
            found += places(tree[key])
    return found


def test_tensors_that_are_none_are_refused_although_their_digest_is_right(directory: Path) -> None:
    sidecar = json.loads((directory / "training.json").read_text())
    path = directory / sidecar["tensors"]
    path.write_bytes(b"\xff" * 8 + b"{}")
    sidecar["sha256"] = fingerprint(path)[1]
    (directory / "training.json").write_text(json.dumps(sidecar))
    with pytest.raises(CheckpointError, match="safetensors: expected a safetensors file; got"):
        Run.open(directory).generate(10, directory / "other.lhe")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("step", "x", "step: expected a valid integer"),
        ("step", -1, "step: expected greater than or equal to 0; got -1"),
        ("seconds", None, "seconds: expected a valid number"),
    ],
)
def test_a_training_whose_progress_cannot_be_is_refused(
    directory: Path, name: str, value: Any, sentence: str
) -> None:
    tensors, meta = checkpoint.load(directory, "training")
    checkpoint.save(directory, "training", tensors, meta | {name: value})
    with pytest.raises(CheckpointError, match=rf"training\.json: meta: {sentence}"):
        Run.open(directory).integrate(POINTS // 2)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "foreign",
    [b"junk", pytest.param(b"", marks=SLOW), pytest.param(None, marks=SLOW)],
    ids=["junk", "empty", "missing"],
)
def test_events_that_are_not_those_that_were_made_are_made_again(
    directory: Path, tmp_path: Path, foreign: bytes | None
) -> None:
    output = tmp_path / "events.lhe"
    expected = Run.open(directory).generate(EVENTS, output).read_bytes()
    output.unlink()
    if foreign is not None:
        output.write_bytes(foreign)
    assert Run.open(directory).generate(EVENTS, output).read_bytes() == expected


@pytest.mark.slow
def test_events_of_another_run_under_the_same_name_are_made_again(
    directory: Path, tmp_path: Path
) -> None:
    output = tmp_path / "events.lhe"
    expected = Run.open(directory).generate(EVENTS, output).read_bytes()
    Run(small_process(tmp_path), tmp_path / "other", SEED + 1, method="vegas").integrate(POINTS)
    assert Run.open(tmp_path / "other").generate(EVENTS, output).read_bytes() != expected
    assert Run.open(directory).generate(EVENTS, output).read_bytes() == expected


@pytest.mark.slow
def test_events_with_one_changed_digit_are_made_again(directory: Path, tmp_path: Path) -> None:
    output = tmp_path / "events.lhe"
    expected = Run.open(directory).generate(EVENTS, output).read_bytes()
    place = expected.rindex(b"1")
    output.write_bytes(expected[:place] + b"2" + expected[place + 1 :])
    assert Run.open(directory).generate(EVENTS, output).read_bytes() == expected


@pytest.mark.slow
def test_events_are_made_again_after_another_integration(directory: Path, tmp_path: Path) -> None:
    output = tmp_path / "events.lhe"
    before = Run.open(directory).generate(EVENTS, output).read_bytes()
    result = Run.open(directory).integrate(POINTS // 2)
    after = Run.open(directory).generate(EVENTS, output).read_bytes()
    assert before != after
    assert f"{result.sigma_pb:.10e}".encode() in after or repr(result.sigma_pb).encode() in after


@pytest.mark.slow
def test_run_json_keeps_every_file_of_events(directory: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"events{seed}.lhe" for seed in (7, 8)]
    for seed, output in zip((7, 8), outputs, strict=True):
        Run.open(directory).generate(EVENTS, output, seed)
    record = json.loads((directory / "run.json").read_text())
    files = record["event_files"]
    assert [(one["file"], one["seed"]) for one in files[-2:]] == [
        (str(outputs[0]), 7),
        (str(outputs[1]), 8),
    ]
    assert record["generated"] == files[-1]
    assert [(one["size"], one["sha256"]) for one in files[-2:]] == [
        fingerprint(output) for output in outputs
    ]


def interrupted(directory: Path, output: Path) -> Path:
    """The first chunk of a generation that was interrupted after it."""

    def stop(progress: Any) -> None:
        if progress.stage == "generate":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run.open(directory, watch=stop).generate(EVENTS, output)
    (chunk,) = (directory / "chunks").rglob("*.npz")
    return chunk


def rewritten(chunk: Path) -> None:
    """Twice the weights, and the digest that a careless hand would give."""
    with np.load(chunk) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "digest"}
    arrays["weight"] = 2 * arrays["weight"]
    np.savez(chunk, **arrays, digest=array_digest("", arrays))


def junk(chunk: Path) -> None:
    chunk.write_bytes(b"junk")


def nothing(chunk: Path) -> None:
    """It is as it was."""


@pytest.mark.parametrize(
    "damage", [rewritten, pytest.param(junk, marks=SLOW), pytest.param(nothing, marks=SLOW)]
)
def test_a_chunk_that_was_rewritten_is_made_again(
    directory: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    expected = Run.open(directory).generate(EVENTS, tmp_path / "expected.lhe").read_bytes()
    damage(interrupted(directory, tmp_path / "events.lhe"))
    assert Run.open(directory).generate(EVENTS, tmp_path / "events.lhe").read_bytes() == expected
    assert not (directory / "chunks").exists()


def test_a_chunk_of_other_random_numbers_is_not_read(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Run.open(directory).generate(EVENTS, tmp_path / "expected.lhe").read_bytes()
    with monkeypatch.context() as earlier:
        earlier.setattr(chunk_generation, "RANDOM_NUMBERS", "mt19937")
        earlier.setattr(chunk_generation, "stream", lambda seed, *path: stream(seed + 1, *path))
        chunk = interrupted(directory, tmp_path / "events.lhe")
    assert Run.open(directory).generate(EVENTS, tmp_path / "events.lhe").read_bytes() == expected
    assert chunk.exists()


def test_a_place_where_nothing_can_be_written_is_refused_before_events_are_made(
    directory: Path, tmp_path: Path
) -> None:
    (tmp_path / "events.lhe").mkdir()
    told: list[object] = []
    run = Run.open(directory, watch=told.append)
    for output in (tmp_path / "events.lhe", tmp_path / "missing" / "events.lhe"):
        with pytest.raises(OutputError, match=r"events\.lhe: cannot be written: "):
            run.generate(EVENTS, output)
    assert not told


def test_a_directory_that_goes_away_is_a_sentence(directory: Path) -> None:
    files = RunDirectory(directory)
    shutil.rmtree(directory)
    with pytest.raises(
        OutputError, match=r"run\.json: cannot be written: the directory of the run has gone"
    ):
        files.update(events=1)
    assert not directory.exists()


def test_a_figure_that_is_not_finite_is_never_written(directory: Path) -> None:
    before = (directory / "run.json").read_bytes()
    with pytest.raises(GenerationError, match=r"run\.json: relative_std: expected a finite number"):
        RunDirectory(directory).update(relative_std=float("nan"))
    assert (directory / "run.json").read_bytes() == before


def test_a_sound_run_is_as_it_should_be(directory: Path) -> None:
    found = verify_run(directory)
    assert found.faults == ()
    assert found.facts["events"] == EVENTS


def other_bytes(directory: Path) -> None:
    path = directory / "events.lhe.gz"
    path.write_bytes(path.read_bytes()[:-10])


def other_card(directory: Path) -> None:
    path = directory / "card.toml"
    path.write_text(path.read_text().replace("mass_min = 15.0", "mass_min = 16.0"))


def unfinished_training(directory: Path) -> None:
    tensors, meta = checkpoint.load(directory, "training")
    checkpoint.save(directory, "training", tensors, meta | {"step": 3})


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (other_bytes, r"events\.lhe\.gz: expected the bytes that the run has written; got others"),
        (
            lambda directory: (directory / "events.lhe.gz").unlink(),
            r"expected the events events\.lhe\.gz; got no such",
        ),
        (other_card, r"card\.toml: expected the digest .*; got"),
        (
            lambda directory: next(directory.glob("survey.*.safetensors")).unlink(),
            "survey.*cannot be read: No such",
        ),
        (
            unfinished_training,
            r"training\.json: expected the state after 12 steps; got an earlier one",
        ),
        (
            lambda directory: change(directory, "vegas", "channels", 0, "share", value=0.5),
            "vegas.channels: expected shares with the sum 1",
        ),
        (
            lambda directory: change(directory, "event_files", 0, "events", value=EVENTS + 1),
            "expected 101 events, as run.json says; got 100",
        ),
    ],
)
def test_verify_names_what_is_not_as_it_was(
    directory: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(directory)
    faults = verify_run(directory).faults
    assert len([fault for fault in faults if re.search(sentence, fault)]) == 1
    assert all(fault.startswith(str(directory)) for fault in faults)


def test_the_command_verifies_a_run(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(["verify", directory], capsys, monkeypatch).status == 0
    other_bytes(directory)
    done = call(["verify", directory], capsys, monkeypatch)
    assert done.status == 1
    assert "expected the bytes that the run has written" in done.err


def test_a_directory_without_a_run_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a directory with a run\.json; found none"):
        verify_run(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("groups", torch.tensor(1.0)),
        ("iteration.counts", torch.zeros(4, 3, dtype=torch.int64)),
        ("iteration.counts", torch.full((4, 3), -7)),
        ("iteration.means", torch.full((4, 3), math.nan, dtype=torch.float64)),
        ("iteration.squares", torch.full((4, 3), -1.0, dtype=torch.float64)),
        ("iteration.squares", torch.ones(3, 3, dtype=torch.float64)),
        ("iteration.squares", torch.ones(3, dtype=torch.float64)),
        ("iteration.squares", torch.tensor(1.0)),
    ],
)
def test_a_survey_that_no_points_can_leave_is_refused(
    finished: Path, name: str, value: torch.Tensor
) -> None:
    tensors, _ = checkpoint.load(finished, "survey")
    with pytest.raises(
        CheckpointError, match=r"survey: expected .*moments|VEGAS grid: expected one of"
    ):
        Survey.from_tensors(tensors | {name: value})


def test_a_record_is_a_copy_that_does_not_reach_the_directory(directory: Path) -> None:
    run = Run.open(directory, trust=True)
    run.record.versions["else"] = "1"
    run.record.stages.clear()
    run.directory.update(events=EVENTS)
    content = json.loads((directory / "run.json").read_text())
    assert "else" not in content["versions"]
    assert "train" in content["stages"]


@pytest.mark.parametrize("place", [("card", "process", "later_key"), ("stages", "later_stage")])
def test_what_only_another_version_can_read_is_said_to_be_of_that_version(
    directory: Path, place: tuple[str, ...]
) -> None:
    change(directory, *place, value={})
    with pytest.raises(CheckpointError, match=place[-1]):
        Run.open(directory, trust=True)
    change(directory, "identity", "version", value="9.0.0")
    got = r"got one of 9\.0\.0, whose events may differ; generate --any-version tries it"
    with pytest.raises(InputError, match=got):
        Run.open(directory, trust=True)


def with_numbers_of_an_earlier_build(directory: Path) -> None:
    """As a build with a Mersenne twister left it, which did not say where its numbers come from."""
    path = directory / "run.json"
    record = json.loads(path.read_text())
    del record["identity"]["random_numbers"]
    path.write_text(json.dumps(record))


def test_a_run_with_other_random_numbers_does_not_go_on(directory: Path) -> None:
    with_numbers_of_an_earlier_build(directory)
    got = (
        r"with random numbers of philox4x32-10; got one .* those of mt19937, .*"
        "; generate --any-version tries it"
    )
    with pytest.raises(InputError, match=got):
        Run.open(directory)
    card = RunDirectory(directory).record.card
    with pytest.raises(InputError, match="random_numbers = mt19937; got philox4x32-10; choose"):
        Run(Process.from_card(card), directory, SEED)


def test_a_run_with_other_random_numbers_goes_on_if_told_so(
    directory: Path, tmp_path: Path
) -> None:
    with_numbers_of_an_earlier_build(directory)
    before = (directory / "survey.json").read_bytes()
    assert verify_run(directory).faults == ()
    run = Run.open(directory, any_version=True)
    run.generate(EVENTS, tmp_path / "more.lhe")
    assert run.record.identity.random_numbers == "mt19937"
    assert (directory / "survey.json").read_bytes() == before


def test_half_a_training_with_other_random_numbers_goes_on_if_told_so(tmp_path: Path) -> None:
    def stop(progress: Any) -> None:
        if progress.stage == "train" and progress.done == 7:
            raise KeyboardInterrupt

    directory = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        Run(small_process(tmp_path), directory, SEED, watch=stop).train()
    with_numbers_of_an_earlier_build(directory)
    tensors, meta = checkpoint.load(directory, "training")
    del tensors["random_numbers"]
    checkpoint.save(directory, "training", tensors, meta)
    steps: list[int] = []
    Run.open(directory, any_version=True, watch=lambda one: steps.append(one.done)).train()
    assert steps[0] == 8
