"""Threads, processes and dask workers: the same bytes from all, and what a death costs."""

from __future__ import annotations

import inspect
import os
import pickle
import signal
import struct
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pytest
import torch

from madnis_py.card.card import Card
from madnis_py.card.tables import ClusterTable
from madnis_py.errors import InputError, WorkerError
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.parallel import dask_workers, process_workers
from madnis_py.parallel.executors import ExecutorChoice, process_executor
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

EVENTS = 50_000
"""Several chunks."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its cross section, by VEGAS."""
    directory = tmp_path_factory.mktemp("run") / "run"
    process = Process.from_card("ttbar")
    Run(process, directory, seed=3, method="vegas").integrate(20_000)
    return directory


def silent(sentence: str) -> None:
    """Nobody listens."""


def generated(directory: Path, executor: Executor | None, output: Path) -> bytes:
    run = Run.open(directory, executor=executor)
    return run.generate(EVENTS, output).read_bytes()


def test_one_two_and_four_processes_make_the_bytes_of_none(trained: Path, tmp_path: Path) -> None:
    expected = generated(trained, None, tmp_path / "alone.lhe")
    for count in (1, 2, 4):
        with process_executor(count) as executor:
            assert generated(trained, executor, tmp_path / f"{count}.lhe") == expected


def bump(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x.square().sum(dim=1))


def test_training_takes_the_same_steps_with_samples_from_processes() -> None:
    def losses(executor: Executor | None) -> list[float]:
        sampler = ImportanceSampler(bump, dim=3, seed=5, executor=executor)
        seen: list[float] = []
        settings = TrainingSettings(steps=3, batch_size=40_000)
        Trainer(sampler, settings).run(lambda progress: seen.append(progress.loss))
        return [*seen, sampler.integrate(50_000).value]

    with process_executor(2) as executor:
        assert losses(executor) == losses(None)


def die_once(marker: Path, number: int) -> int:
    """Kills its own process the first time."""
    if number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_costs_its_task_and_nothing_else(tmp_path: Path) -> None:
    with process_executor(2) as executor:
        results = [executor.submit(die_once, tmp_path / "died", number) for number in range(8)]
        assert [result.result() for result in results] == [number**2 for number in range(8)]
    assert (tmp_path / "died").exists()


def die_while_sending_once(marker: Path) -> str:
    """Die, the first time, with half of the result in the pipe and the lock held."""
    if not marker.exists():
        marker.touch()
        frame = inspect.currentframe()
        while frame is not None and "result_queue" not in frame.f_locals:
            frame = frame.f_back
        assert frame is not None
        queue = frame.f_locals["result_queue"]
        queue._wlock.acquire()
        os.write(queue._writer.fileno(), struct.pack("!i", 1000) + b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def test_a_process_that_is_killed_while_it_sends_its_result_costs_its_task_and_nothing_else(
    tmp_path: Path,
) -> None:
    with process_executor(2) as executor:
        assert (
            executor.submit(die_while_sending_once, tmp_path / "died").result(timeout=60) == "done"
        )


def test_a_task_that_kills_every_process_is_given_up_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_workers, "ATTEMPTS", 2)
    with (
        process_executor(1) as executor,
        pytest.raises(WorkerError, match="begun 2 times; its process died each time"),
    ):
        executor.submit(die, 1).result()


def fail(number: int) -> int:
    raise ValueError(f"cannot do {number}")


def test_an_error_in_a_process_is_the_error_of_its_task() -> None:
    with process_executor(1) as executor:
        with pytest.raises(ValueError, match="cannot do 7"):
            executor.submit(fail, 7).result()
        assert executor.submit(abs, -3).result() == 3


class Counted:
    """Counts how often it is unpickled."""

    times = 0

    def __setstate__(self, state: dict[str, object]) -> None:
        type(self).times += 1

    def __call__(self, number: int) -> int:
        return number + 1


def test_a_value_is_unpickled_once_per_process() -> None:
    once = PickledOnce(Counted())
    copies = [pickle.loads(pickle.dumps(once)) for _ in range(5)]
    assert [copy(1) for copy in copies] == [2] * 5
    assert Counted.times <= 1


def test_a_cross_section_computes_the_same_in_another_process() -> None:
    one = CrossSection(Process.from_card("ttbar_pp_1j"))
    x = torch.rand(200, one.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    channel = torch.arange(200) * one.n_channels // 200
    with process_executor(1) as executor:
        there = executor.submit(PickledOnce(one.evaluate), x, channel).result()
    here = one.evaluate(x, channel)
    np.testing.assert_array_equal(there.value, here.value)
    np.testing.assert_array_equal(there.prior, here.prior)


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (ExecutorChoice(workers=0), "workers: expected at least 1; got 0"),
        (ExecutorChoice(threads=0), "threads: expected at least 1; got 0"),
        (
            ExecutorChoice(scheduler="nonsense"),
            'scheduler: expected a dask scheduler at "nonsense"',
        ),
    ],
)
def test_workers_that_cannot_be_had_are_refused_in_a_sentence(
    choice: ExecutorChoice, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask_workers, "CONNECT_TIMEOUT", 1)
    with pytest.raises(InputError, match=sentence), choice.open(ClusterTable(), silent):
        pass


def test_a_cluster_of_another_kind_is_refused() -> None:
    with pytest.raises(Exception, match=r'cluster\.kind: expected .* got "pbs"'):
        Card.parse({"process": {"definition": "g g > t t~"}, "cluster": {"kind": "pbs"}})
