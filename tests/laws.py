"""Laws: what must hold for every object of a kind, whatever its parameters. Each takes the object and asserts."""

from __future__ import annotations

import torch
from torch import Tensor

from madnis_py.flows.flow import AbstractFlow, SplineFlow
from madnis_py.integration.random_streams import stream

# --- flows ------------------------------------------------------------------------------------------------------------


def flow_sample_agrees_with_log_prob(flow: AbstractFlow, tolerance: float) -> None:
    """The density returned with a sampled point is the density of that point."""
    channel = _spread(flow, 500)
    x, log_q = flow.sample(channel, stream(1, "law"))
    torch.testing.assert_close(flow.log_prob(x, channel).detach(), log_q, rtol=0.0, atol=tolerance)


def flow_points_are_inside_the_cube(flow: AbstractFlow) -> None:
    """Sampled points are float64 and strictly inside the unit cube."""
    x, log_q = flow.sample(_spread(flow, 500), stream(2, "law"))
    assert x.dtype == log_q.dtype == torch.float64
    assert x.shape == (500, flow.dim)
    assert bool(((x > 0.0) & (x < 1.0)).all())


def flow_is_normalised_by_quadrature(flow: AbstractFlow, points: int, tolerance: float) -> None:
    """The density of each channel integrates to one on a grid of `points` midpoints per dimension."""
    axis = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    x = torch.cartesian_prod(*[axis] * flow.dim).view(-1, flow.dim)
    for i in range(flow.n_channels):
        assert abs(float(_density(flow, x, i).mean()) - 1.0) < tolerance


def flow_is_normalised_by_sampling(flow: AbstractFlow, n: int) -> None:
    """The density of each channel, averaged over uniform points, is one within 5 standard errors."""
    for i in range(flow.n_channels):
        density = _density(flow, _uniform(flow, n), i)
        assert_means_agree(density, torch.ones_like(density))


def flow_samples_follow_the_density(flow: AbstractFlow, n: int) -> None:
    """Means of every feature over samples equal means over uniform points weighted with the density."""
    for i in range(flow.n_channels):
        channel = torch.full((n,), i)
        x, _ = flow.sample(channel, stream(3, "law"))
        uniform = _uniform(flow, n)
        density = _density(flow, uniform, i)
        for feature in range(flow.dim):
            assert_means_agree(x[:, feature], density * uniform[:, feature])


def flow_samples_are_a_function_of_the_generator(flow: AbstractFlow) -> None:
    """The same generator state gives the same bytes, another state gives other points."""
    channel = _spread(flow, 50)
    first, again, other = (flow.sample(channel, stream(seed, "law"))[0] for seed in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def flow_density_does_not_depend_on_neighbours(flow: AbstractFlow, tolerance: float) -> None:
    """A point has the same density alone, among others, and in batches of any make-up."""
    channel, x = _spread(flow, 60), _uniform(flow, 60)
    together = flow.log_prob(x, channel)
    alone = torch.cat([flow.log_prob(x[i : i + 1], channel[i : i + 1]) for i in range(60)])
    some = torch.rand(60, generator=stream(6, "law")) < 0.4
    torch.testing.assert_close(alone, together, rtol=0.0, atol=tolerance)
    torch.testing.assert_close(flow.log_prob(x[some], channel[some]), together[some], rtol=0.0, atol=tolerance)


def flow_serves_empty_batches_and_channels(flow: AbstractFlow) -> None:
    """No points at all, and points in the last channel only, are valid batches."""
    for channel in (torch.empty(0, dtype=torch.int64), torch.full((3,), flow.n_channels - 1)):
        x, log_q = flow.sample(channel, stream(7, "law"))
        assert x.shape == (len(channel), flow.dim)
        assert flow.log_prob(x, channel).shape == log_q.shape == channel.shape


def flow_gradients_are_finite(flow: AbstractFlow) -> None:
    """Density and gradients are finite at the corners and faces of the cube, too."""
    corners = torch.stack((torch.zeros(flow.dim), torch.ones(flow.dim), torch.full((flow.dim,), 0.5))).double()
    for i in range(flow.n_channels):
        log_q = flow.log_prob(corners, torch.full((3,), i))
        flow.zero_grad()
        log_q.sum().backward()
        assert bool(log_q.isfinite().all())
        assert all(bool(p.grad.isfinite().all()) for p in flow.parameters() if p.grad is not None)


def flow_is_uniform(flow: AbstractFlow) -> None:
    """The density is one, exactly."""
    channel = _spread(flow, 300)
    assert torch.equal(flow.sample(channel, stream(8, "law"))[1], torch.zeros(300, dtype=torch.float64))
    assert torch.equal(flow.log_prob(_uniform(flow, 300), channel).detach(), torch.zeros(300, dtype=torch.float64))


def flow_log_prob_is_its_jacobian(flow: SplineFlow, tolerance: float) -> None:
    """log q is log |det dz/dx| of the map from data to latent, by automatic differentiation point by point."""
    channel, x = _spread(flow, 12), _uniform(flow, 12)
    jacobians = [
        torch.autograd.functional.jacobian(lambda point, c=c: flow_latent(flow, point[None], c[None])[0], point)
        for point, c in zip(x, channel, strict=True)
    ]
    expected = torch.linalg.slogdet(torch.stack(jacobians)).logabsdet
    torch.testing.assert_close(flow.log_prob(x, channel).detach(), expected, rtol=0.0, atol=tolerance)


def flow_round_trip(flow: SplineFlow, tolerance: float) -> None:
    """The map from data to latent recovers the uniform numbers that a sample was made of."""
    channel = _spread(flow, 500)
    x, _ = flow.sample(channel, stream(9, "law"))
    uniform = torch.rand(500, flow.dim, generator=stream(9, "law"), dtype=torch.float64)
    torch.testing.assert_close(flow_latent(flow, x, channel), uniform, rtol=0.0, atol=tolerance)


def flow_latent(flow: SplineFlow, x: Tensor, channel: Tensor) -> Tensor:
    """Map data (n, dim) to latent (n, dim)."""
    counts = torch.bincount(channel, minlength=flow.n_channels).tolist()
    z = x.T
    for block in reversed(flow.blocks):
        z, _ = block.to_latent(z.contiguous(), counts)
    return z.T.detach() if not x.requires_grad else z.T


def assert_means_agree(a: Tensor, b: Tensor) -> None:
    """The means of two independent samples agree within 5 standard errors."""
    error = (a.var() / len(a) + b.var() / len(b)).sqrt()
    assert abs(float(a.mean() - b.mean())) < 5.0 * float(error) + 1e-12


def _density(flow: AbstractFlow, x: Tensor, channel: int) -> Tensor:
    with torch.no_grad():
        return flow.log_prob(x, torch.full((len(x),), channel)).exp()


def _uniform(flow: AbstractFlow, n: int) -> Tensor:
    return torch.rand(n, flow.dim, generator=stream(10, "law", "uniform"), dtype=torch.float64)


def _spread(flow: AbstractFlow, n: int) -> Tensor:
    """Sorted channels of n points with unequal counts."""
    return torch.randint(flow.n_channels, (n,), generator=stream(11, "law", "channel")).sort().values
