"""Kernels launched through cuda.core and a driver that emulates them; run by a test of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from channels import HADRONS, cases
from pretended_gpu import KernelsInMemory, pretend_to_have_a_gpu

from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.devices.kernels import Kernels
from madnis_py.devices.upload import pointers, upload
from madnis_py.errors import DeviceError


def momenta(kernels: Kernels, shared_bytes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Momenta and Jacobians of 300 points, not a whole number of blocks."""
    mapping, n = cases("g g > t t~ g", HADRONS)[0].mapping(), 300
    x = torch.from_numpy(np.random.default_rng(3).random((n, mapping.dim)))
    spec = upload(mapping.description.described, kernels)
    p, jacobian = torch.zeros(4 * mapping.n_particles, n).double(), torch.zeros(n).double()
    kernels.launch(
        "phase_space",
        "topology_forward",
        n,
        pointers([spec], kernels),
        torch.zeros(n, dtype=torch.int64),
        x,
        p,
        jacobian,
        n,
        block=64,
        shared_bytes=shared_bytes,
    )
    return p, jacobian


def main() -> None:
    """Launch the same kernel both ways."""
    pretend_to_have_a_gpu()
    kernels = KernelsInMemory()
    expected_p, expected_jacobian = momenta(EmulatedKernels(), 0)
    assert expected_jacobian.count_nonzero() > 100
    for kibibytes in (0, 100, 60):
        p, jacobian = momenta(kernels, kibibytes * 1024)
        assert torch.equal(p, expected_p)
        assert torch.equal(jacobian, expected_jacobian)
    with ThreadPoolExecutor(1) as thread:  # which has no context of CUDA
        p, _ = thread.submit(momenta, kernels, 0).result()
    assert torch.equal(p, expected_p)
    with pytest.raises(DeviceError, match=r"phase_space\.cu: expected a kernel nothing"):
        kernels.launch("phase_space", "nothing", 1)


if __name__ == "__main__":
    main()
