"""The command line: what it prints, and how it refuses."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from command_line import SMALL_CARD, Outcome, call

from madnis_py.integration.training import checkpoint

Command = Callable[..., Outcome]
TINY = ["--points", "6000", "--events", "100", "--threads", "1"]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Calls madnis-py with some arguments."""
    return lambda *arguments: call(arguments, capsys, monkeypatch)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL_CARD)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which a run has been trained."""
    from madnis_py.card import card as cards
    from madnis_py.physics.process.process import Process
    from madnis_py.run.run import Run

    folder = tmp_path_factory.mktemp("trained")
    (folder / "small.toml").write_text(SMALL_CARD)
    run = Run(Process.from_card(cards.load(folder / "small.toml")), folder / "run", 3)
    run.samplers()
    return folder / "run"


@pytest.fixture
def trained_copy(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "trained"))


def test_help_names_every_command(command: Command) -> None:
    text = command("--help").out
    for name in ("run", "train", "integrate", "generate", "evaluate", "processes", "info", "pdf"):
        assert f" {name} " in text


def test_h_is_help_of_every_command(command: Command) -> None:
    for words in ((), ("diagrams",), ("model", "show")):
        assert command(*words, "-h").out == command(*words, "--help").out != ""


def test_the_chain_from_card_to_events(command: Command, card: Path, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    done = command("run", card, "-o", directory, *TINY)
    assert done.status == 0, done.err
    assert "unweighting efficiency" in done.out
    assert f"100 events in {directory / 'events.lhe.gz'}" in done.out
    assert command("run", card, "-o", directory, *TINY).status == 0


@pytest.mark.parametrize("words", [("info",), ("pdf", "list")])
def test_help_about_json_names_run_json_for_runs_only(
    words: tuple[str, ...], command: Command
) -> None:
    assert "run.json" not in command(*words, "--help").out
    assert "run.json" in command("generate", "--help").out


def test_train_integrate_generate_one_by_one(command: Command, card: Path, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    assert command("train", card, "-o", directory).status == 0
    integrated = command("integrate", directory, "--points", "6000", "--json")
    assert json.loads(integrated.out)["points"] == 6000
    output = tmp_path / "mine.lhe"
    assert (
        command("generate", directory, "--events", "50", "--seed", "9", "--output", output).status
        == 0
    )
    assert output.read_text().count("<event>") == 50


def test_json_output_is_json_alone(command: Command, card: Path, tmp_path: Path) -> None:
    done = command("run", card, "-o", tmp_path / "run", "--json", *TINY)
    record = json.loads(done.out)
    assert record["sigma_pb"] > 0
    assert record["events"] == 100


def test_shipped_processes_are_listed(command: Command) -> None:
    assert "drell_yan_zprime" in command("processes").out


def test_info_tells_the_instruction_set(command: Command) -> None:
    assert json.loads(command("info", "--json").out)["instruction_set"] in (
        "baseline",
        "avx2",
        "avx512",
    )


def test_pdf_list_has_the_shipped_set(command: Command) -> None:
    assert "toy" in [one["name"] for one in json.loads(command("pdf", "list", "--json").out)]


def test_evaluate_agrees_with_reference_matrix_elements(
    command: Command, shared: Path, tmp_path: Path
) -> None:
    reference = shared / "reference" / "matrix_elements" / "uux_epem.json"
    path = tmp_path / "fixed.toml"
    path.write_text('[process]\ndefinition = "u u~ > e+ e-"\n')
    result = json.loads(command("evaluate", path, "--momenta", reference).out)
    points = json.loads(reference.read_text())["points"]
    np.testing.assert_allclose(result["me2"], [point["me2"] for point in points], rtol=1e-12)
    np.testing.assert_allclose(result["diagrams"], [point["amp2"] for point in points], rtol=1e-12)


def test_evaluate_takes_the_parton_process_from_the_momenta_file(
    command: Command, shared: Path, tmp_path: Path
) -> None:
    reference = shared / "reference" / "matrix_elements" / "ddx_epem.json"
    result = json.loads(command("evaluate", "drell_yan", "--momenta", reference).out)
    points = json.loads(reference.read_text())["points"]
    assert math.isclose(result["me2"][0], points[0]["me2"], rel_tol=1e-12)


BAD_CARDS = {
    "syntax": ("[process\n", r"line 1"),
    "no definition": ("[process]\nmodel = 'sm'\n", r"process\.definition"),
    "unknown key": (
        SMALL_CARD.replace('pdf = "toy"', "energie = [1, 2]"),
        r"beams\.energie.*energy",
    ),
    "negative energy": (
        SMALL_CARD.replace('pdf = "toy"', "energy = [6500.0, -1.0]"),
        r"beams\.energy.*GeV >= 0; got -1",
    ),
    "unknown process": ("[process]\ndefinition = 'g g > e+ e-'\n", r"process\.definition"),
    "unknown particle": ("[process]\ndefinition = 'p p > e+ q9'\n", r"q9"),
    "unknown PDF set": (SMALL_CARD.replace('"toy"', '"NNPDF99"'), r"NNPDF99"),
    "unknown parameter": (SMALL_CARD + "\n[parameters]\nMZZ = 91.0\n", r"MZZ.*MZ"),
    "unknown training setting": (SMALL_CARD.replace("steps", "stepps"), r"training\.stepps"),
    "bad training setting": (SMALL_CARD.replace("steps = 12", "steps = -1"), r"training\.steps"),
    "no cut on the photon pole": (
        SMALL_CARD.replace("mass_min", "mass_max"),
        r"cuts: expected cuts that leave a finite cross section",
    ),
    "protons without a set": (
        SMALL_CARD.replace('pdf = "toy"', ""),
        r'beams\.pdf: .*got none\. Found: .*"toy" \(for tests',
    ),
    "protons without densities": (SMALL_CARD.replace('"toy"', '"none"'), r"beams\.pdf"),
    "unknown prior": (SMALL_CARD + "\n[channels]\nprior = 'best'\n", r"channels\.prior"),
}


@pytest.mark.parametrize("name", BAD_CARDS)
def test_a_wrong_card_ends_in_one_sentence_with_its_place(
    command: Command, tmp_path: Path, name: str
) -> None:
    text, expected = BAD_CARDS[name]
    path = tmp_path / "bad.toml"
    path.write_text(text)
    refused(command("run", path, "-o", tmp_path / "run", *TINY), 2, expected)
    assert not (tmp_path / "run").exists()


def refused(done: Outcome, status: int, expected: str) -> None:
    """One sentence on standard error that holds the expected words, and nothing else."""
    assert done.status == status, done.err
    assert re.search(expected, done.err), done.err
    assert "Traceback" not in done.err
    assert len([line for line in done.err.splitlines() if line.startswith("madnis-py:")]) == 1


def test_a_missing_card_names_the_shipped_ones(command: Command) -> None:
    refused(command("run", "drell_yann"), 2, r"drell_yann.*drell_yan")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "drell_yan", "--events", "many"],
        ["run", "drell_yan", "--method", "magic"],
        ["frobnicate"],
        ["train"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_ends_with_status_2(command: Command, arguments: Sequence[str]) -> None:
    done = command(*arguments)
    assert done.status == 2
    assert "Traceback" not in done.err


def test_no_events_are_refused(command: Command, trained: Path) -> None:
    refused(command("generate", trained, "--events", "0"), 2, "events: expected at least 1; got 0")


def test_an_unknown_event_format_is_refused(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    output = tmp_path / "events.txt"
    refused(
        command("generate", trained, "--events", "10", "--output", output),
        2,
        r"events\.txt.*\.lhe",
    )
    assert not list(tmp_path.glob("*events*"))


def test_threads_below_one_are_refused(command: Command, card: Path, tmp_path: Path) -> None:
    refused(
        command("run", card, "-o", tmp_path / "run", "--threads", "0"),
        2,
        "threads: expected at least 1; got 0",
    )


def test_a_truncated_checkpoint_is_refused(command: Command, trained_copy: Path) -> None:
    file = next(trained_copy.glob("training.*.safetensors"))
    file.write_bytes(file.read_bytes()[:100])
    refused(
        command("integrate", trained_copy, "--points", "7000"),
        2,
        r"training\..*truncated or changed",
    )


def test_a_foreign_checkpoint_is_refused(command: Command, trained_copy: Path) -> None:
    tensors, meta = checkpoint.load(trained_copy, "survey")
    checkpoint.save(trained_copy, "training", tensors, {"step": 3, "seconds": 1.0, **meta})
    refused(
        command("integrate", trained_copy, "--points", "7000"),
        2,
        "training state: made for another flow: expected",
    )


def test_momenta_of_another_process_are_refused(command: Command, tmp_path: Path) -> None:
    momenta = tmp_path / "momenta.json"
    momenta.write_text(
        json.dumps({"pdg": [1, -1, -11, 11], "points": [{"momenta": [[1.0, 0.0, 0.0, 1.0]]}]})
    )
    refused(
        command("evaluate", "drell_yan", "--momenta", momenta),
        2,
        r"points\.0\.momenta: expected 4 particles; got 1",
    )


def test_momenta_that_are_not_json_are_refused(command: Command, tmp_path: Path) -> None:
    momenta = tmp_path / "momenta.json"
    momenta.write_text("points: 3")
    refused(
        command("evaluate", "drell_yan", "--momenta", momenta), 2, r"momenta\.json: expected JSON"
    )


def test_a_file_in_the_way_of_the_directory_is_refused(
    command: Command, card: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").write_text("a file")
    refused(command("run", card, "-o", tmp_path / "run", *TINY), 1, r"run.*cannot be")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_in_one_sentence_and_leaves_no_partial_file(
    command: Command, trained_copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = Path.open

    def full(self: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        if "b" in mode and "w" in mode and "lhe" in self.name:
            return original(Path("/dev/full"), mode, *args, **kwargs)  # type: ignore[call-overload]
        return original(self, mode, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", full)
    output = tmp_path / "events.lhe"
    done = command("generate", trained_copy, "--events", "2000", "--output", output)
    refused(done, 1, r"events\.lhe: cannot be written: No space left on device")
    assert not list(tmp_path.glob("*lhe*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_directory_is_refused(command: Command, card: Path, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    refused(
        command("run", card, "-o", folder / "run", *TINY),
        1,
        r"locked/run: cannot be made: Permission denied",
    )


def test_widths_are_printed_and_written_as_slha(command: Command, tmp_path: Path) -> None:
    file, card = tmp_path / "decays.dat", tmp_path / "card.toml"
    printed = command("widths", "t", "-o", file).out
    assert "t: 1.49147 GeV at lowest order, 1.4915 GeV in the model" in printed
    assert file.read_text().startswith("DECAY 6 1.491472e+00 # t\n")
    card.write_text('[process]\ndefinition = "e+ e- > mu+ mu-"\n[parameters]\nWW = "auto"\n')
    printed = command("widths", card).out
    assert "w+: 2.04791 GeV at lowest order, 2.04791 GeV in the model" in printed
