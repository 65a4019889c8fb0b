"""Runs on an emulated device: the figures and events of the CPU, whatever the way to them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from command_line import small_process

from madnis_py.devices.device import device_of
from madnis_py.events.chunk_generation import ChunkMaker
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.parallel.executors import process_executor
from madnis_py.physics.cross_section.partonic_events import PartonicEventSampler
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.progress import StageProgress
from madnis_py.run.run import Run

POINTS = 4_000
EVENTS = 300


def begun(folder: Path, device: str, **options: object) -> Run:
    return Run(small_process(folder), folder / device, seed=3, device=device, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same run on both devices, integrated."""
    folder = tmp_path_factory.mktemp("runs")
    made = {device: begun(folder, device) for device in ("cpu", "emulated")}
    for run in made.values():
        run.integrate(POINTS)
    return made


def events_of(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


def require_same(here: Path, there: Path, tolerance: float) -> None:
    """Events of two files are the same, see `require_same_events`."""
    require_same_events(events_of(here), events_of(there), tolerance)


def require_same_events(here: EventBatch, there: EventBatch, tolerance: float) -> None:
    """Events are the same, with momenta and weights within a relative tolerance."""
    one, other = here.columns(), there.columns()
    for name, column in one.items():
        if column.dtype.kind == "i":
            np.testing.assert_array_equal(other[name], column, err_msg=name)
        else:
            rows = column.reshape(len(column), -1)
            scale = np.abs(rows).max(axis=1, initial=0.0)[:, None]
            distance = np.abs(other[name].reshape(rows.shape) - rows)
            assert (distance <= tolerance * scale).all(), name


def test_grids_on_a_device_have_the_cross_section_and_the_events_of_the_cpu(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    results = {device: run.integrate(POINTS, sampler="vegas") for device, run in runs.items()}
    assert results["emulated"].sigma_pb == pytest.approx(results["cpu"].sigma_pb, rel=1e-12)
    here, there = (
        run.generate(EVENTS, tmp_path / f"{device}.lhe", sampler="vegas")
        for device, run in runs.items()
    )
    require_same(here, there, 1e-9)


def test_a_flow_trained_on_a_device_has_those_of_the_cpu_within_single_precision(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    results = {device: run.integrate(POINTS) for device, run in runs.items()}
    assert results["emulated"].sigma_pb == pytest.approx(results["cpu"].sigma_pb, rel=1e-4)
    here, there = (run.generate(EVENTS, tmp_path / f"{device}.lhe") for device, run in runs.items())
    require_same(here, there, 1e-3)


def test_a_device_makes_the_same_bytes_twice_in_workers_and_from_a_gridpack(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    run = runs["emulated"]
    expected = run.generate(EVENTS, tmp_path / "events.lhe").read_bytes()
    with process_executor(2) as executor:
        again = Run.open(run.directory.path, executor=executor)
        assert again.generate(EVENTS, tmp_path / "workers.lhe").read_bytes() == expected
    with tarfile.open(run.gridpack(tmp_path / "small.tar.gz")) as tar:
        tar.extractall(tmp_path, filter="data")
    unpacked = Run.open(tmp_path / "small" / "run")
    assert unpacked.record.identity.device == "emulated"
    assert unpacked.generate(EVENTS, tmp_path / "unpacked.lhe").read_bytes() == expected


def test_workers_of_a_device_train_as_it_does_alone(runs: dict[str, Run], tmp_path: Path) -> None:
    with process_executor(2) as executor:
        run = begun(tmp_path, "emulated", executor=executor)
        assert run.integrate(POINTS).sigma_pb == runs["emulated"].integrate(POINTS).sigma_pb


def test_a_training_on_a_device_goes_on_after_an_interruption(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    def interrupt(progress: StageProgress) -> None:
        if progress.stage == "train" and progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begun(tmp_path, "emulated", watch=interrupt).integrate(POINTS)
    resumed = Run.open(tmp_path / "emulated")
    assert resumed.integrate(POINTS).sigma_pb == runs["emulated"].integrate(POINTS).sigma_pb


def test_histograms_of_points_on_a_device_are_those_of_the_cpu(runs: dict[str, Run]) -> None:
    here, there = (run.histograms(2_000).every for run in runs.values())
    assert [one.name for one in there] == [one.name for one in here]


FULL = ["drell_yan_zprime", "ttbar_1j"]


def quick(card: str, folder: Path, device: str, method: str) -> Run:
    """A whole run of a shipped card by the command line, with the preset quick."""
    command = [
        *(sys.executable, "-m", "madnis_py", "run", card, "-o", str(folder / device)),
        *("--preset", "quick", "--method", method, "--events", "2000", "--points", "40000"),
        *("--seed", "3", "--threads", "1", "--device", device),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return Run.open(folder / device)


@pytest.mark.slow
@pytest.mark.parametrize("card", FULL)
def test_a_full_run_of_grids_on_a_device_is_that_of_the_cpu(card: str, tmp_path: Path) -> None:
    here, there = (quick(card, tmp_path, device, "vegas") for device in ("cpu", "emulated"))
    assert there.record.sigma_pb == pytest.approx(here.record.sigma_pb, rel=1e-10)
    require_same(here.events_file, there.events_file, 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("card", FULL)
def test_a_full_run_with_a_training_on_a_device_has_the_cross_section_of_the_cpu(
    card: str, tmp_path: Path
) -> None:
    """Rounding of float32 grows in a training: the flows differ in the end, their integrals not."""
    here, there = (quick(card, tmp_path, device, "madnis").record for device in ("cpu", "emulated"))
    assert here.madnis
    assert there.madnis
    error = np.hypot(here.madnis.sigma_error_pb, there.madnis.sigma_error_pb)
    assert abs(here.madnis.sigma_pb - there.madnis.sigma_pb) < 5 * error
    assert there.madnis.relative_std < 1.2 * here.madnis.relative_std
    assert there.events == 2000


@pytest.mark.slow
@pytest.mark.parametrize("card", FULL)
def test_a_trained_flow_makes_the_events_of_the_cpu_on_a_device(card: str, tmp_path: Path) -> None:
    """Momenta differ as float32 rounds in the subnetworks, here and there."""
    run, device = quick(card, tmp_path, "cpu", "madnis"), device_of("emulated")
    assert device
    here, cross_section = run.train().without_executor(), run.choose_prior()
    there = ImportanceSampler(
        CrossSectionOnDevice(cross_section, device),
        deepcopy(here.flow),
        deepcopy(here.weights),
        seed=here.seed,
        device=device,
    )
    there.active = here.active
    events, maxima = PartonicEventSampler(cross_section), run.integrate().maxima
    one, other = (ChunkMaker(sampler, events, maxima, 3)(0) for sampler in (here, there))
    assert len(one.events) > 1000
    require_same_events(one.events, other.events, 1e-3)
