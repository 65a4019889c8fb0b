"""Laws: functions that assert what holds for every object of a kind, whatever its parameters."""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import stream, torch_generator
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.mapping import ChannelMapping

Result = TypeVar("Result")

# --- mappings

EDGES = (0.0, 5e-324, 1e-300, 1e-17, 0.5, 1.0 - 2.0**-53, 1.0)
OUTSIDE = (-1e-3, 1.0 + 1e-12, 2.0, np.inf, -np.inf, np.nan)


def mapping_inverse_undoes_forward(
    mapping: ChannelMapping, tolerance: float, worst: float | None = None
) -> None:
    """The inverse finds points and Jacobian again; one in a thousand may be as bad as `worst`."""
    x = _points(mapping, 20000)
    p, jacobian = mapping.forward(x)
    found, again = mapping.inverse(p)
    assert (jacobian > 0).all()
    for error, scale in ((np.abs(found - x).max(axis=1), 1), (np.abs(again / jacobian - 1), 10)):
        assert error.max() <= scale * (tolerance if worst is None else worst)
        assert np.quantile(error, 0.999) <= scale * tolerance


def mapping_jacobian_agrees_with_finite_differences(
    mapping: ChannelMapping, beam_energies: tuple[float, float]
) -> None:
    """The Jacobian is that of dx1 dx2 dPhi_n in Cartesian momentum components.

    For partons it is that of dPhi_n.

    Integrating the delta functions of (2.10) leaves, for hadrons, d^3p of all outgoing particles
    but p_T of the last one, with dx1 dx2 = dE dp_z / (2 E_1 E_2); for partons p_z of the last but
    one and p of the last one go as well, with 1 / |beta_z - beta_z'| from the delta function of
    energy. Of two steps, the better one counts at each point: near a threshold a long one sees the
    curvature, a short one has the rounding of light pairs.
    """
    x = 0.1 + 0.8 * _points(mapping, 500)
    p, jacobian = mapping.forward(x)
    outgoing = p[:, 2:]
    n_out = outgoing.shape[1]
    measure = (2 * np.pi) ** (4 - 3 * n_out) / np.prod(2 * outgoing[:, :, 0], axis=1)
    if mapping.dim == 3 * n_out - 2:
        coordinates = [3 * i + k for i in range(n_out - 1) for k in range(3)] + [3 * n_out - 1]
        measure /= 2 * beam_energies[0] * beam_energies[1]
    else:
        coordinates = [3 * i + k for i in range(n_out - 1) for k in range(3)][:-1]
        beta = outgoing[:, -2:, 3] / outgoing[:, -2:, 0]
        measure /= np.abs(beta[:, 0] - beta[:, 1])

    def momenta(y: Array) -> Array:
        return mapping.forward(y)[0][:, 2:, 1:].reshape(len(y), -1)[:, coordinates]

    derivatives = [_derivative(momenta, x, step) for step in (2e-4, 1e-5)]
    errors = [np.abs(measure * np.abs(np.linalg.det(one)) / jacobian - 1) for one in derivatives]
    assert np.minimum(*errors).max() <= 1e-6


def mapping_particles_are_on_shell(mapping: ChannelMapping, masses: Sequence[float]) -> None:
    """E^2 - p^2 = m^2 to 1e-12 of E^2 for every particle, incoming ones included."""
    p, _ = mapping.forward(_points(mapping, 20000))
    squared = p[:, :, 0] ** 2 - (p[:, :, 1:] ** 2).sum(axis=2)
    assert (np.abs(squared - np.square(masses)) <= 1e-12 * p[:, :, 0] ** 2).all()


def mapping_conserves_momentum(mapping: ChannelMapping) -> None:
    """Incoming and outgoing momenta have the same sum to 1e-12 of the energy."""
    p, _ = mapping.forward(_points(mapping, 20000))
    difference = p[:, :2].sum(axis=1) - p[:, 2:].sum(axis=1)
    assert (np.abs(difference) <= 1e-12 * p[:, :2, 0].sum(axis=1, keepdims=True)).all()


def mapping_gives_no_nan_at_edges_of_the_cube(mapping: ChannelMapping) -> None:
    """Faces, corners and denormals of the cube give finite momenta, and come back finite."""
    x = np.array(list(itertools.product(EDGES, repeat=min(mapping.dim, 4))))
    if mapping.dim > 4:
        corners = np.random.default_rng(13).choice(EDGES, (3000, mapping.dim))
        faces = np.array([np.where(np.eye(mapping.dim), edge, 0.3) for edge in EDGES]).reshape(
            -1, mapping.dim
        )
        x = np.concatenate([corners, faces, *(np.full((1, mapping.dim), edge) for edge in EDGES)])
    p, jacobian = mapping.forward(x)
    assert np.isfinite(p).all()
    assert (np.isfinite(jacobian) & (jacobian >= 0)).all()
    _is_finite_inverse(mapping, p)


def mapping_is_zero_outside_the_cube(mapping: ChannelMapping) -> None:
    """Points with a coordinate outside [0, 1] or NaN have Jacobian 0 and finite momenta."""
    for k, value in itertools.product(range(mapping.dim), OUTSIDE):
        x = _points(mapping, 11)
        x[:, k] = value
        p, jacobian = mapping.forward(x)
        assert np.isfinite(p).all()
        assert (jacobian == 0).all()


def mapping_inverse_is_zero_outside_the_support(mapping: ChannelMapping) -> None:
    """Momenta that no point maps to have Jacobian 0 and finite points in the cube."""
    p, _ = mapping.forward(_points(mapping, 16))
    for factor in (0.0, 1e-8, 1e8, 1e200, -1.0, np.inf, np.nan):
        with np.errstate(invalid="ignore"):
            _, jacobian = _is_finite_inverse(mapping, as_momenta(factor * p))
        assert (jacobian == 0).all()


def mapping_does_not_depend_on_neighbours(mapping: ChannelMapping) -> None:
    """A point gives the same bytes alone, in any place of a batch and in any batch."""
    x = _points(mapping, 4097 + 13)
    p, jacobian = mapping.forward(x)
    for first, last in ((0, 1), (5, 6), (3, 14), (4090, 4110), (4109, 4110)):
        part, part_jacobian = mapping.forward(x[first:last])
        found, found_jacobian = mapping.inverse(as_momenta(p[first:last].copy()))
        whole, whole_jacobian = mapping.inverse(p)
        np.testing.assert_array_equal(part, p[first:last])
        np.testing.assert_array_equal(part_jacobian, jacobian[first:last])
        np.testing.assert_array_equal(found, whole[first:last])
        np.testing.assert_array_equal(found_jacobian, whole_jacobian[first:last])


def mapping_does_not_depend_on_threads(mapping: ChannelMapping) -> None:
    """The same bytes from one thread and from five."""
    x = _points(mapping, 40001)
    one, five = (with_threads(n, lambda: mapping.forward(x)) for n in (1, 5))
    for first, second in zip(one, five, strict=True):
        np.testing.assert_array_equal(first, second)


def mapping_serves_empty_batches(mapping: ChannelMapping) -> None:
    """No points give no momenta, and back."""
    p, jacobian = mapping.forward(np.empty((0, mapping.dim)))
    assert p.shape == (0, mapping.n_particles, 4)
    assert jacobian.shape == (0,)
    assert mapping.inverse(p)[0].shape == (0, mapping.dim)


def _is_finite_inverse(mapping: ChannelMapping, p: Array) -> tuple[Array, Array]:
    x, jacobian = mapping.inverse(p)
    assert ((x >= 0) & (x <= 1)).all()
    assert (np.isfinite(jacobian) & (jacobian >= 0)).all()
    return x, jacobian


def _points(mapping: ChannelMapping, n: int) -> Array:
    return np.random.default_rng(11).random((n, mapping.dim))


def _derivative(function: Callable[[Array], Array], x: Array, step: float) -> Array:
    """Central differences of order four, shape (n, outputs, inputs)."""
    columns = []
    for direction in np.eye(x.shape[1]):
        near = function(x + step * direction) - function(x - step * direction)
        far = function(x + 2 * step * direction) - function(x - 2 * step * direction)
        columns.append((8 * near - far) / (12 * step))
    return np.stack(columns, axis=2)


# --- kernels


def with_threads(count: int, call: Callable[[], Result]) -> Result:
    """Call with so many kernel threads and set the number back."""
    before = _core.thread_count()
    _core.set_thread_count(count)
    try:
        return call()
    finally:
        _core.set_thread_count(before)


_WORKER = """
import pickle, sys
from madnis_py.physics.observables.momenta import as_momenta

def as_given(array):
    return as_momenta(array) if getattr(array, "ndim", 0) == 3 else array

calls = pickle.load(sys.stdin.buffer)
results = [function(*map(as_given, arguments)) for function, arguments in calls]
sys.stdout.buffer.write(pickle.dumps(results))
"""


Call = tuple[Callable[..., Any], tuple[object, ...]]


def results_on(instruction_set: str, calls: Sequence[Call]) -> list[Any]:
    """Results of (function, arguments) in a process of its own with this instruction set."""
    environment = {**os.environ, "MADNIS_PY_ISA": instruction_set}
    command = [sys.executable, "-c", _WORKER]
    done = subprocess.run(
        command, input=pickle.dumps(calls), env=environment, capture_output=True, check=True
    )
    return list(pickle.loads(done.stdout))


def instruction_sets_agree(calls: Sequence[Call], tolerance: float = 1e-13) -> None:
    """Every instruction set of this processor gives the same numbers.

    Differences are relative to the largest number of each row.
    """
    expected = [function(*arguments) for function, arguments in calls]
    for name in _core.instruction_sets():
        for result, truth in zip(results_on(name, calls), expected, strict=True):
            for array, reference in zip(_arrays(result), _arrays(truth), strict=True):
                largest = np.abs(reference).reshape(len(reference), -1).max(axis=1)
                scale = largest.reshape(-1, *[1] * (array.ndim - 1))
                assert (np.abs(array - reference) <= tolerance * scale).all(), name


def _arrays(result: Any) -> tuple[Array, ...]:
    return result if isinstance(result, tuple) else (result,)


# --- flows -----------------------------------------------------------------------------------


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
    """The density of each channel integrates to one on a grid, dense where x is near 0 and 1.

    The grid is x = t - sin(2 pi t) / (2 pi) of midpoints t: a density may diverge at the faces of
    the cube.
    """
    t = 2.0 * torch.pi * (torch.arange(points, dtype=torch.float64) + 0.5) / points
    x = torch.cartesian_prod(*[(t - t.sin()) / (2.0 * torch.pi)] * flow.dim).view(-1, flow.dim)
    volume = torch.cartesian_prod(*[(1.0 - t.cos()) / points] * flow.dim).view(-1, flow.dim).prod(1)
    for i in range(flow.n_channels):
        assert abs(float((_density(flow, x, i) * volume).sum()) - 1.0) < tolerance


def flow_is_normalised_by_sampling(flow: AbstractFlow, n: int) -> None:
    """The mean density over uniform points is one in each channel, within 5 standard errors."""
    for i in range(flow.n_channels):
        density = _density(flow, _uniform(flow, n), i)
        assert_means_agree(density, torch.ones_like(density))


def flow_samples_follow_the_density(flow: AbstractFlow, n: int) -> None:
    """Means of features over samples equal those over uniform points times the density."""
    for i in range(flow.n_channels):
        channel = torch.full((n,), i)
        x, _ = flow.sample(channel, stream(3, "law"))
        uniform = _uniform(flow, n)
        density = _density(flow, uniform, i)
        for feature in range(flow.dim):
            assert_means_agree(x[:, feature], density * uniform[:, feature])


def flow_samples_are_a_function_of_the_stream(flow: AbstractFlow) -> None:
    """The same stream gives the same bytes, another stream gives other points."""
    channel = _spread(flow, 50)
    first, again, other = (flow.sample(channel, stream(seed, "law"))[0] for seed in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def flow_density_does_not_depend_on_neighbours(flow: AbstractFlow, tolerance: float) -> None:
    """A point has the same density alone, among others, and in batches of any make-up."""
    channel, x = _spread(flow, 60), _uniform(flow, 60)
    together = flow.log_prob(x, channel)
    alone = torch.cat([flow.log_prob(x[i : i + 1], channel[i : i + 1]) for i in range(60)])
    some = torch.rand(60, generator=torch_generator(6, "law")) < 0.4
    torch.testing.assert_close(alone, together, rtol=0.0, atol=tolerance)
    torch.testing.assert_close(
        flow.log_prob(x[some], channel[some]), together[some], rtol=0.0, atol=tolerance
    )


def flow_serves_empty_batches_and_channels(flow: AbstractFlow) -> None:
    """No points at all, and points in the last channel only, are valid batches."""
    for channel in (torch.empty(0, dtype=torch.int64), torch.full((3,), flow.n_channels - 1)):
        x, log_q = flow.sample(channel, stream(7, "law"))
        assert x.shape == (len(channel), flow.dim)
        assert flow.log_prob(x, channel).shape == log_q.shape == channel.shape


def flow_gradients_are_finite(flow: AbstractFlow) -> None:
    """Density and gradients are finite at the corners and faces of the cube, too."""
    corners = torch.stack(
        (torch.zeros(flow.dim), torch.ones(flow.dim), torch.full((flow.dim,), 0.5))
    ).double()
    for i in range(flow.n_channels):
        log_q = flow.log_prob(corners, torch.full((3,), i))
        flow.zero_grad()
        log_q.sum().backward()
        assert bool(log_q.isfinite().all())
        assert all(bool(p.grad.isfinite().all()) for p in flow.parameters() if p.grad is not None)


def flow_is_uniform(flow: AbstractFlow) -> None:
    """The density is one, exactly."""
    channel = _spread(flow, 300)
    assert torch.equal(
        flow.sample(channel, stream(8, "law"))[1], torch.zeros(300, dtype=torch.float64)
    )
    assert torch.equal(
        flow.log_prob(_uniform(flow, 300), channel).detach(), torch.zeros(300, dtype=torch.float64)
    )


def flow_log_prob_is_its_jacobian(flow: SplineFlow, tolerance: float) -> None:
    """log q is log |det dz/dx| of the map from data to latent, by automatic differentiation."""
    channel, x = _spread(flow, 12), _uniform(flow, 12)
    jacobians = [
        torch.autograd.functional.jacobian(
            lambda point, c=c: flow_latent(flow, point[None], c[None])[0], point
        )
        for point, c in zip(x, channel, strict=True)
    ]
    expected = torch.linalg.slogdet(torch.stack(jacobians)).logabsdet
    torch.testing.assert_close(
        flow.log_prob(x, channel).detach(), expected, rtol=0.0, atol=tolerance
    )


def flow_round_trip(flow: SplineFlow, tolerance: float) -> None:
    """The map from data to latent recovers the uniform numbers that a sample was made of."""
    channel = _spread(flow, 500)
    x, _ = flow.sample(channel, stream(9, "law"))
    uniform = stream(9, "law").uniform(500, flow.dim)
    torch.testing.assert_close(flow_latent(flow, x, channel), uniform, rtol=0.0, atol=tolerance)


def flow_latent(flow: SplineFlow, x: Tensor, channel: Tensor) -> Tensor:
    """Map data (n, dim) to latent (n, dim)."""
    counts = torch.bincount(channel, minlength=flow.n_channels).tolist()
    z = x.T
    for block in reversed(flow.sampling_order):
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
    return torch.rand(
        n, flow.dim, generator=torch_generator(10, "law", "uniform"), dtype=torch.float64
    )


def _spread(flow: AbstractFlow, n: int) -> Tensor:
    """Sorted channels of n points with unequal counts."""
    return (
        torch.randint(flow.n_channels, (n,), generator=torch_generator(11, "law", "channel"))
        .sort()
        .values
    )
