"""Launches of emulated kernels: which threads run, and what is refused."""

import pytest
import torch

from madnis_py.devices.device import device_of
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.errors import DeviceError, InputError


@pytest.fixture
def kernels() -> EmulatedKernels:
    return EmulatedKernels()


def test_the_device_of_the_processor_is_none() -> None:
    assert device_of("cpu") is None


def test_an_unknown_device_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match=r"expected cpu, cuda, cuda:1, .* or emulated; got 'tpu'"):
        device_of("tpu")


def test_an_unknown_kernel_is_refused_in_a_sentence(kernels: EmulatedKernels) -> None:
    with pytest.raises(DeviceError, match=r"phase_space\.cu: expected a kernel nothing"):
        kernels.launch("phase_space", "nothing", 1)


def test_a_launch_without_threads_does_nothing(kernels: EmulatedKernels) -> None:
    kernels.launch("phase_space", "nothing", 0)
    assert kernels.torch_device == torch.device("cpu")
