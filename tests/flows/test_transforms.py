"""Affine blocks, rotations and angles; laws that splines share are in test_flows.py."""

from __future__ import annotations

import math

import pytest
import torch
from fused_flows import perturbed
from random_tensors import rand, randn
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.flows.blocks import GaussianData, GaussianLatent, SoftPermutation
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.permutations import random_rotation
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.flows.transforms import LOG_SCALE_LIMIT, AffineTransform, PeriodicSplineTransform
from madnis_py.parallel.random_streams import torch_generator


def test_affine_transform_is_a_scale_and_a_shift() -> None:
    """z = exp(2 a / pi arctan(r / a)) x + s, Eqs. (3.47) and (3.48)."""
    x, theta = randn(1, 50, seed=1), randn(2, 1, 50, seed=2)
    z, log_jac = AffineTransform((True,)).to_latent(x, theta)
    r = 2 * LOG_SCALE_LIMIT / math.pi * torch.arctan(theta[0] / LOG_SCALE_LIMIT)
    torch.testing.assert_close(z, r.exp() * x + theta[1])
    torch.testing.assert_close(log_jac, r)


def test_log_scale_is_clamped_and_the_shift_is_not() -> None:
    theta = torch.tensor([[[-1e30, 1e30]], [[-1e6, 1e6]]], dtype=torch.float64)
    z, log_jac = AffineTransform((True,)).to_latent(torch.zeros(1, 2).double(), theta)
    torch.testing.assert_close(
        log_jac, torch.tensor([[-LOG_SCALE_LIMIT, LOG_SCALE_LIMIT]]).double()
    )
    torch.testing.assert_close(z, torch.tensor([[-1e6, 1e6]]).double())


def test_affine_gradients_are_right() -> None:
    transform = AffineTransform((True, True))
    arguments = randn(2, 6, seed=3).requires_grad_(), randn(2, 2, 6, seed=4).requires_grad_()
    for direction in (transform.to_latent, transform.to_data):
        assert torch.autograd.gradcheck(direction, arguments)


def test_gaussian_blocks_undo_each_other_up_to_the_faces_of_the_cube() -> None:
    x = torch.cat(
        (torch.tensor([0.0, 2.0**-53, 1e-12, 1.0 - 2.0**-53, 1.0]).double(), rand(500, seed=5))
    ).unsqueeze(0)
    z, to_latent = GaussianData().to_latent(x, [])
    back, to_data = GaussianLatent().to_latent(z, [])
    torch.testing.assert_close(back, x, rtol=0.0, atol=2.0**-52)
    torch.testing.assert_close(to_latent + to_data, torch.zeros_like(to_data), rtol=0.0, atol=1e-15)


@pytest.mark.parametrize("dim", [1, 2, 5, 9])
def test_random_rotations_are_orthogonal(dim: int) -> None:
    r = random_rotation(dim, torch_generator(1, "rotation"))
    torch.testing.assert_close(r @ r.T, torch.eye(dim).double(), rtol=0.0, atol=1e-14)


def test_random_rotations_are_evenly_distributed() -> None:
    """Elements of a Haar matrix have mean 0 and variance 1 / dim, signs included.

    5 sigma of 2000 matrices.
    """
    generator = torch_generator(2, "rotation")
    matrices = torch.stack([random_rotation(3, generator) for _ in range(2000)])
    assert float(matrices.mean(0).abs().max()) < 5 * math.sqrt(1 / 3 / 2000)
    assert float((matrices.square().mean(0) - 1 / 3).abs().max()) < 5 * math.sqrt(4 / 45 / 2000)


def test_trained_rotations_stay_orthogonal_and_belong_to_their_channel() -> None:
    block = SoftPermutation(4, 2, trainable=True, generator=torch_generator(3, "rotation"))
    x = randn(4, 20, seed=6)
    before, _ = block.to_latent(x, [12, 8])
    assert block.generators is not None
    with torch.no_grad():
        block.generators[1] += randn(4, 4, seed=7)
    after, _ = block.to_latent(x, [12, 8])
    assert torch.equal(after[:, :12], before[:, :12])
    assert not torch.allclose(after[:, 12:], before[:, 12:])
    torch.testing.assert_close(after.square().sum(0), x.square().sum(0))


def test_rotations_are_trained() -> None:
    flow = perturbed(SplineFlow(2, 1, FlowSettings(transform="affine", permutation="trainable")))
    flow.log_prob(rand(50, 2, seed=8), torch.zeros(50, dtype=torch.int64)).sum().backward()
    rotations = [block for block in flow.blocks if isinstance(block, SoftPermutation)]
    assert rotations
    for block in rotations:
        assert block.generators is not None
        assert block.generators.grad is not None
        assert block.generators.grad.any()


@pytest.mark.parametrize("permutation", ["soft", "trainable"])
def test_rotations_of_points_of_the_cube_are_refused(permutation: str) -> None:
    with pytest.raises(
        ValueError, match="rotates normally distributed features; needs transform 'affine'"
    ):
        FlowSettings(permutation=permutation)


def test_affine_angles_are_refused() -> None:
    with pytest.raises(ValueError, match="periodic features need transform 'spline'; got 'affine'"):
        FlowSettings(transform="affine", periodic=(0,))


def test_an_angle_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected periodic features in 0 \.\.\. 1; got 2"):
        SplineFlow(2, 1, FlowSettings(periodic=(2,)))


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_density_closes_on_the_circle(dim: int) -> None:
    """The density is the same at both ends of an angle, wherever the other features are."""
    flow = perturbed(SplineFlow(dim, 1, FlowSettings(periodic=(0,), dtype="float64")), 0.5)

    def log_prob(angle: float) -> Tensor:
        x = rand(40, dim, seed=9)
        x[:, 0] = angle
        return flow.log_prob(x, torch.zeros(40, dtype=torch.int64)).detach()

    h = 1e-9
    torch.testing.assert_close(log_prob(0.0), log_prob(1.0), rtol=0.0, atol=1e-9)
    torch.testing.assert_close(log_prob(0.0), log_prob(1.0 - h), rtol=0.0, atol=1e-4)
    assert float((log_prob(0.0) - log_prob(0.5)).abs().max()) > 0.1


def test_density_of_a_line_does_not_close() -> None:
    flow = perturbed(SplineFlow(2, 1, FlowSettings(periodic=(0,), dtype="float64")), 0.5)
    ends = torch.tensor([[0.3, 0.0], [0.3, 1.0]]).double()
    first, last = flow.log_prob(ends, torch.zeros(2, dtype=torch.int64)).tolist()
    assert abs(first - last) > 0.01


def test_shift_turns_the_circle() -> None:
    """Parameters turned by a shift give the density at the point turned back."""
    transform = PeriodicSplineTransform((True,), 5, frozenset({0}))
    theta, x = randn(16, 1, 1, seed=10), rand(1, 200, seed=11)
    turned = theta.clone()
    turned[-1] += 0.3
    _, expected = transform.to_latent((x + 0.3) % 1.0, theta.expand(-1, -1, 200))
    _, found = transform.to_latent(x, turned.expand(-1, -1, 200))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-10)


def test_networks_see_angles_as_cosine_and_sine() -> None:
    transform = PeriodicSplineTransform((True, False, False), 5, frozenset({2}))
    fixed = torch.tensor([[0.5], [0.125]]).double()
    seen = transform.condition(fixed).flatten()
    torch.testing.assert_close(seen, torch.tensor([0.0, 1.0, 1.0]).double())
    assert transform.condition_count == 3
