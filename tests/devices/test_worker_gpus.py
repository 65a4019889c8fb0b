"""GPUs of worker processes: one each, in turn."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest
import torch

from madnis_py.devices import device
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import AbstractChannelWeights, ChannelWeights
from madnis_py.parallel import process_workers
from madnis_py.parallel.executors import process_executor
from madnis_py.parallel.process_workers import worker_number


def number_when_all_are_there(folder: Path, workers: int) -> int:
    """The number of this worker, once so many have written theirs."""
    (folder / str(worker_number())).touch()
    end = time.monotonic() + 60
    while len(list(folder.iterdir())) < workers and time.monotonic() < end:
        time.sleep(0.01)
    return worker_number()


def test_workers_are_numbered_from_0(tmp_path: Path) -> None:
    with process_executor(3) as executor:
        tasks = [executor.submit(number_when_all_are_there, tmp_path, 3) for _ in range(3)]
        assert sorted(task.result() for task in tasks) == [0, 1, 2]
    assert worker_number() == 0


@pytest.mark.parametrize(
    ("gpus", "expected"), [(4, [0, 1, 2, 3]), (2, [0, 1, 0, 1]), (1, [0] * 4), (0, [0] * 4)]
)
def test_each_worker_has_a_gpu_in_turn_where_none_is_named(
    gpus: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    monkeypatch.setattr(device, "CudaKernels", opened.append)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    for number in range(4):
        monkeypatch.setattr(process_workers, "_NUMBER", number)
        device.device_of.__wrapped__("cuda")
        device.device_of.__wrapped__("cuda:1")
    assert opened[::2] == expected
    assert opened[1::2] == [1] * 4


@pytest.mark.parametrize("module", [SplineFlow(2, 1), ChannelWeights(2, 3)])
def test_what_another_process_sent_lies_on_the_gpu_of_this_one(
    module: AbstractFlow | AbstractChannelWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.compute_on(device.device_of("emulated"))
    sent = pickle.dumps(module)
    own = EmulatedKernels()
    monkeypatch.setattr(own, "torch_device", torch.device("meta"))
    monkeypatch.setattr(device, "device_of", lambda name: device.Device(name, own))
    received = pickle.loads(sent)
    assert {parameter.device.type for parameter in received.parameters()} == {"meta"}
