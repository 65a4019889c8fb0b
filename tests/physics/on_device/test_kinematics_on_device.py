"""Features, scales and flux in the kernels of a device, against those of the processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from madnis_py.arrays import Array
from madnis_py.card.choices import DYNAMICAL_SCALES
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.physics.observables.features import features
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.observables.parton_kinematics import flux
from madnis_py.physics.observables.scales import Scale
from madnis_py.physics.on_device.kinematics_on_device import KinematicsOnDevice

SIZES = [0, 1, 127, 128, 1001]


@pytest.fixture
def kinematics() -> KinematicsOnDevice:
    return KinematicsOnDevice(EmulatedKernels())


def momenta(n: int, massive: bool = True) -> Array:
    """Two partons along the beam, of which one may be massive, and four particles."""
    rng = np.random.default_rng(2)
    p = rng.normal(size=(n, 6, 4)) * 50
    p[:, :2, 1:3] = 0
    p[:, 0, 3], p[:, 1, 3] = rng.exponential(300.0, n), -rng.exponential(300.0, n)
    squares = rng.exponential(100.0, (n, 6))
    squares[:, :2] *= massive
    p[:, :, 0] = np.sqrt((p[:, :, 1:] ** 2).sum(axis=2) + squares)
    return as_momenta(p)


def test_every_dynamical_scale_of_the_processor_is_there(kinematics: KinematicsOnDevice) -> None:
    p = momenta(5)
    for choice in DYNAMICAL_SCALES:
        assert kinematics.scale(torch.from_numpy(p), Scale(choice)).shape == (5,)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("choice", [*DYNAMICAL_SCALES, "ht/2", "sum_mt/3", 91.188])
@pytest.mark.parametrize("factor", [1.0, 0.5, 2.0])
def test_scales_are_those_of_the_processor(
    kinematics: KinematicsOnDevice, choice: str | float, factor: float, n: int
) -> None:
    p, scale = momenta(n), Scale(choice, factor)
    found = kinematics.scale(torch.from_numpy(p), scale)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, scale(p), rtol=1e-13, atol=0)


def test_particles_at_rest_have_no_transverse_energy(kinematics: KinematicsOnDevice) -> None:
    p = momenta(40)
    p[::2, 3, 1:] = 0
    p[1::2, 4, 1:3] = 0
    for choice in ("sum_et", "sum_mt", "ht"):
        found = kinematics.scale(torch.from_numpy(p), Scale(choice))
        np.testing.assert_allclose(found, Scale(choice)(p), rtol=1e-13, atol=0)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("massive", [True, False])
def test_the_flux_is_that_of_the_processor(
    kinematics: KinematicsOnDevice, n: int, massive: bool
) -> None:
    p = momenta(n, massive)
    np.testing.assert_allclose(kinematics.flux(torch.from_numpy(p)), flux(p), rtol=1e-13, atol=0)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("hadronic", [True, False])
def test_features_are_those_of_the_processor(
    kinematics: KinematicsOnDevice, n: int, hadronic: bool
) -> None:
    p = momenta(n)
    found, expected = kinematics.features(torch.from_numpy(p), hadronic), features(p, hadronic)
    assert found.is_contiguous()
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("hadronic", [True, False])
def test_features_are_bounded_and_numbers_along_the_beam_and_where_momenta_are_not(
    kinematics: KinematicsOnDevice, hadronic: bool
) -> None:
    p = momenta(60)
    p[::6, 2, 1:3] = 0
    p[1::6, 3] = np.nan
    p[2::6, 0, 0] = 0
    p[3::6, :2, 0] = np.nan
    p[4::6, 4, 1] = np.inf
    p[5::6, 5] = 0
    found = kinematics.features(torch.from_numpy(p), hadronic).numpy()
    assert (np.abs(found) <= 50).all()
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found, features(p, hadronic), rtol=1e-13, atol=1e-13)


def test_momenta_in_any_layout_are_understood(kinematics: KinematicsOnDevice) -> None:
    p = torch.from_numpy(momenta(200))
    whole = kinematics.features(p, True)
    assert torch.equal(kinematics.features(p.contiguous(), True), whole)
    assert torch.equal(kinematics.features(p[50:100], True), whole[50:100])
    assert torch.equal(kinematics.flux(p[50:100]), kinematics.flux(p)[50:100])
