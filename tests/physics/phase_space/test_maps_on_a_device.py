"""Maps of phase space in the kernels of a device, against those of the processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from channels import ASYMMETRIC, HADRONS, PARTONS, Case, cases

from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.devices.upload import pointers, upload

TABLE = [
    *cases("g g > w+ d u~ g", HADRONS),
    *cases("g g > t t~ g", PARTONS),
    *cases("u u~ > e+ e- g", ASYMMETRIC),
    *cases("g g > g g g", HADRONS),
]


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_a_device_maps_points_to_the_momenta_of_the_processor(case: Case) -> None:
    mapping, kernels = case.mapping(), EmulatedKernels()
    n = 1000
    x = np.random.default_rng(3).random((n, mapping.dim))
    expected_p, expected_jacobian = mapping.forward(x)
    spec = upload(mapping._kernel, kernels)
    p, jacobian = torch.empty(4 * mapping.n_particles, n).double(), torch.empty(n).double()
    kernels.launch(
        "phase_space",
        "topology_forward",
        n,
        pointers([spec], kernels),
        torch.zeros(n, dtype=torch.int64),
        torch.from_numpy(x),
        p,
        jacobian,
        n,
    )
    found = p.numpy().reshape(mapping.n_particles, 4, n).transpose(2, 0, 1)
    scale = expected_p[:, :, :1].max(axis=1, keepdims=True)
    assert np.abs(found - expected_p).max() <= 1e-12 * scale.max()
    error = np.abs(jacobian.numpy() / expected_jacobian - 1)
    assert np.median(error) <= 1e-12
    assert error.max() <= 1e-9  # where the map itself multiplies rounding
