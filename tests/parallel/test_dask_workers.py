"""Workers of dask: the same bytes, who may reach them, what is said when they go away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest

from madnis_py.card.tables import ClusterTable
from madnis_py.errors import InputError, WorkerError
from madnis_py.parallel import dask_workers
from madnis_py.parallel.dask_workers import DaskWorkers, cluster_executor, scheduler_executor
from madnis_py.parallel.executors import ExecutorChoice, use_threads
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run
from madnis_py.run.stages.results import Result

T = TypeVar("T")

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")

EVENTS = 50_000
"""Several chunks."""

IN_THREADS = ClusterTable(kind="local", workers=1, options={"processes": False})
"""A cluster with everything that another one has, in threads of this process."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its cross section, by VEGAS."""
    directory = tmp_path_factory.mktemp("run") / "run"
    Run(Process.from_card("ttbar"), directory, seed=3, method="vegas").integrate(20_000)
    return directory


def generated(directory: Path, executor: Executor | None, output: Path) -> bytes:
    return Run.open(directory, executor=executor).generate(EVENTS, output).read_bytes()


def silent(sentence: str) -> None:
    """Nobody listens."""


def nothing() -> None:
    """No preparation."""


def listening() -> set[str]:
    """Addresses at which this process can be reached."""
    import psutil

    connections = psutil.Process().net_connections(kind="inet")
    return {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}


def test_workers_of_a_cluster_are_reached_with_credentials_of_the_run_alone() -> None:
    before = listening()
    told: list[str] = []
    with cluster_executor(IN_THREADS, nothing, told.append) as workers:
        assert listening() - before <= {"127.0.0.1"}
        assert workers.submit(abs, -3).result() == 3
        (sentence,) = told
        address = sentence.split()[2]
        assert address.startswith("tls://127.0.0.1:")
        assert sentence.endswith("are reached with credentials made for this run")
        with pytest.raises(OSError, match="TLS certificate does not match"):
            distributed.Client(address, security=distributed.Security.temporary(), timeout=1)
        with pytest.raises(InputError, match="TLS"), scheduler_executor(address, nothing, silent):
            pass


def test_a_cluster_without_encryption_says_so() -> None:
    told: list[str] = []
    with cluster_executor(
        IN_THREADS.model_copy(update={"tls": False}), nothing, told.append
    ) as workers:
        assert workers.submit(abs, -3).result() == 3
    assert told[0].startswith("workers of tcp://127.0.0.1:")
    assert told[0].endswith("without encryption, as the card says")


def test_a_missing_cryptography_names_the_extra_and_the_way_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    expected = r"cryptography is not installed.*madnis_py\[dask\].*tls = false"
    with pytest.raises(InputError, match=expected), cluster_executor(IN_THREADS, nothing, silent):
        pass


def test_a_missing_dask_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(dask_workers, "import_module", missing)
    expected = r"pip install 'madnis_py\[dask\]'"
    with (
        pytest.raises(InputError, match=expected),
        scheduler_executor("tcp://somewhere:1", nothing, silent),
    ):
        pass


@pytest.mark.parametrize("kind", ["slurm", "htcondor"])
def test_a_missing_dask_jobqueue_names_the_extra(
    kind: Literal["slurm", "htcondor"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    cluster = ClusterTable(kind=kind, workers=1, tls=False)
    expected = r"dask_jobqueue is not installed.*pip install 'madnis_py\[dask\]'"
    with pytest.raises(InputError, match=expected), cluster_executor(cluster, nothing, silent):
        pass


def test_jobs_of_batch_systems_have_one_core_and_what_the_card_says() -> None:
    jobqueue = pytest.importorskip("dask_jobqueue")
    cluster = ClusterTable(
        kind="slurm", workers=10, memory="3GB", walltime="01:00:00", queue="short"
    )
    before = listening()
    with jobqueue.SLURMCluster(
        **dask_workers.jobqueue_arguments(cluster), security=True
    ) as started:
        script, host = (
            started.job_script(),
            started.scheduler_address.rpartition(":")[0].removeprefix("tls://"),
        )
        assert listening() - before == {host}
    for line in ("#SBATCH -n 1", "#SBATCH --mem=3G", "#SBATCH -t 01:00:00", "#SBATCH -p short"):
        assert line in script
    assert f" tls://{host}:" in script
    assert "--protocol tls:// --tls-ca-file " in script


def test_the_interface_of_the_card_is_the_only_one() -> None:
    job = dask_workers.jobqueue_arguments(
        ClusterTable(kind="htcondor", options={"interface": "lo"})
    )
    assert job["scheduler_options"]["host"] == "127.0.0.1"


@contextmanager
def connected() -> Iterator[tuple[Any, DaskWorkers]]:
    """A cluster in threads of this process, and its workers as an executor."""
    with (
        distributed.LocalCluster(
            1, processes=False, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        DaskWorkers(client, nothing, silent) as workers,
    ):
        yield cluster, workers


def test_a_scheduler_that_goes_away_ends_every_task_with_a_sentence() -> None:
    with connected() as (cluster, workers):
        single, many = workers.submit(time.sleep, 0.5), workers.map(time.sleep, [0.5, 0.5])
        cluster.close()
        for take in (single.result, lambda: list(many), lambda: workers.submit(abs, -3).result()):
            with pytest.raises(WorkerError, match=r"workers: the dask scheduler at .* has gone"):
                take()


@pytest.mark.slow
def test_a_cross_section_by_dask_is_that_of_this_thread(tmp_path: Path) -> None:
    process = Process.from_card("ttbar")
    found: list[Result] = []
    with connected() as (_, workers):
        for executor in (None, workers):
            run = Run(process, tmp_path / str(len(found)), method="vegas", executor=executor)
            found.append(run.integrate(20_000))
    assert found[0].sigma_pb == found[1].sigma_pb
    assert found[0].sigma_error_pb == found[1].sigma_error_pb


def fail(number: int) -> int:
    raise ValueError(f"cannot do {number}")


def test_an_error_of_a_task_stays_what_it_is() -> None:
    with connected() as (_, workers):
        with pytest.raises(ValueError, match="cannot do 7"):
            workers.submit(fail, 7).result()
        with pytest.raises(ValueError, match="cannot do 8"):
            list(workers.map(fail, [8]))


def test_workers_that_stay_away_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "_POLL_INTERVAL", 0.05)
    monkeypatch.setattr(dask_workers, "NO_WORKERS_TIMEOUT", 0.3)
    with connected() as (cluster, workers):
        task = workers.submit(time.sleep, 0.3)
        time.sleep(0.2)
        cluster.scale(0)
        with pytest.raises(WorkerError, match=r"none has come back to .* in 0 seconds"):
            workers.submit(abs, -3).result()
        assert task.done()


class Restless:
    """A client whose workers die while a plugin is registered, so many times."""

    def __init__(self, client: Any, times: int) -> None:
        self._client, self.left = client, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def register_plugin(self, plugin: Any) -> None:
        if self.left:
            self.left -= 1
            raise distributed.comm.CommClosedError("in <TCP (closed)>: Stream is closed")
        self._client.register_plugin(plugin)


def test_workers_that_die_while_the_run_connects_cost_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("madnis_py.parallel.dask_workers.time.sleep", lambda seconds: None)
    with connected() as (_, workers):
        client = Restless(workers._client, 2)
        with DaskWorkers(client, nothing, silent) as others:
            assert others.submit(abs, -3).result() == 3
        assert client.left == 0
        with pytest.raises(WorkerError, match=r"the dask scheduler at .* has gone"):
            DaskWorkers(Restless(workers._client, 100), nothing, silent)


class Killing(Executor):
    """An executor that kills one of the workers of a dask cluster after its third task."""

    def __init__(self, executor: Executor, client: Any) -> None:
        self._executor, self._client, self._left = executor, client, 3

    def submit(self, function: Callable[..., T], /, *arguments: Any, **options: Any) -> Future[T]:
        future = self._executor.submit(function, *arguments, **options)
        self._left -= 1
        if self._left == 0:
            pids = self._client.run(os.getpid)
            os.kill(next(iter(pids.values())), signal.SIGKILL)
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        return self._executor.map(fn, *iterables, timeout=timeout)


@pytest.mark.slow
def test_dask_workers_make_the_same_bytes_although_one_is_killed(
    trained: Path, tmp_path: Path
) -> None:
    expected = generated(trained, None, tmp_path / "alone.lhe")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        scheduler_executor(cluster.scheduler_address, use_threads, silent) as executor,
    ):
        assert generated(trained, executor, tmp_path / "dask.lhe") == expected
        assert generated(trained, Killing(executor, client), tmp_path / "killed.lhe") == expected


@pytest.mark.slow
def test_a_local_cluster_of_the_card_makes_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    expected = generated(trained, None, tmp_path / "alone.lhe")
    with ExecutorChoice().open(ClusterTable(kind="local", workers=2), silent) as executor:
        assert generated(trained, executor, tmp_path / "local.lhe") == expected


class Dask:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.scheduler = self._start(
            "dask_scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0"
        )
        self.workers = [
            self._start("dask_worker", "--nthreads", "1", "--no-nanny") for _ in range(2)
        ]
        with distributed.Client(scheduler_file=str(self.file)) as client:
            client.wait_for_workers(2, timeout=120)

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            f"distributed.cli.{program}",
            "--scheduler-file",
            str(self.file),
            *options,
        ]
        return subprocess.Popen(
            [*command, "--host", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Dask:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def generate(directory: Path, output: Path, *options: str | Path) -> subprocess.Popen[str]:
    command = ["generate", directory, "--events", "200000", "--output", output, *options]
    return subprocess.Popen(
        [sys.executable, "-m", "madnis_py", *command], stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_killed_scheduler_ends_a_generation_which_goes_on_without_it(
    trained: Path, tmp_path: Path
) -> None:
    with Dask(tmp_path) as dask:
        running = generate(trained, tmp_path / "events.lhe", "--scheduler", dask.file)
        while not list(trained.rglob("*.npz")):
            time.sleep(0.01)
        dask.scheduler.kill()
        told = running.communicate()[1]
    assert running.returncode == 1
    last = told.splitlines()[-1]
    assert last.startswith("madnis-py: workers: the dask scheduler at tcp://127.0.0.1:")
    assert last.endswith("has gone; the same command goes on from here")
    assert "Traceback" not in told
    assert not (tmp_path / "events.lhe").exists()
    assert list(trained.rglob("*.npz"))
    for name in ("events.lhe", "alone.lhe"):
        done = generate(trained, tmp_path / name, "--threads", "1")
        done.communicate()
        assert done.returncode == 0
    assert (tmp_path / "events.lhe").read_bytes() == (tmp_path / "alone.lhe").read_bytes()


@pytest.mark.slow
def test_a_worker_that_is_killed_while_the_run_connects_costs_nothing(tmp_path: Path) -> None:
    with Dask(tmp_path) as dask, ThreadPoolExecutor(1) as threads:
        os.kill(dask.workers[0].pid, signal.SIGSTOP)  # it holds up whoever connects
        hired = ExecutorChoice(scheduler=str(dask.file)).open(ClusterTable(), silent)
        entered = threads.submit(hired.__enter__)
        time.sleep(3)
        assert not entered.done()
        dask.workers[0].kill()
        workers = entered.result(timeout=60)
        assert workers is not None
        assert workers.submit(abs, -3).result() == 3
        threads.submit(hired.__exit__, None, None, None).result()
