"""Laws: what must hold for every object of a kind, whatever its parameters. Each takes the object and asserts."""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.physics.phase_space import ChannelMapping, as_momenta

Array = NDArray[np.float64]
Result = TypeVar("Result")

# --- mappings ---------------------------------------------------------------------------------------------------------

EDGES = (0.0, 5e-324, 1e-300, 1e-17, 0.5, 1.0 - 2.0**-53, 1.0)
OUTSIDE = (-1e-3, 1.0 + 1e-12, 2.0, np.inf, -np.inf, np.nan)


def mapping_inverse_undoes_forward(mapping: ChannelMapping, tolerance: float) -> None:
    """The inverse finds the points again and agrees on the Jacobian."""
    x = _points(mapping, 20000)
    p, jacobian = mapping.forward(x)
    found, again = mapping.inverse(p)
    assert (jacobian > 0).all()
    np.testing.assert_allclose(found, x, rtol=0, atol=tolerance)
    np.testing.assert_allclose(again, jacobian, rtol=10 * tolerance)


def mapping_jacobian_agrees_with_finite_differences(
    mapping: ChannelMapping, beam_energies: tuple[float, float]
) -> None:
    """The Jacobian is that of dx1 dx2 dPhi_n (or dPhi_n, for partons) in Cartesian momentum components.

    Integrating the delta functions of (2.10) leaves, for hadrons, d^3p of all outgoing particles but p_T of the last
    one, with dx1 dx2 = dE dp_z / (2 E_1 E_2); for partons p_z of the last but one and p of the last one go as well,
    with 1 / |beta_z - beta_z'| from the delta function of energy.
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
    derivative = _derivative(lambda y: mapping.forward(y)[0][:, 2:, 1:].reshape(len(y), -1)[:, coordinates], x)
    np.testing.assert_allclose(measure * np.abs(np.linalg.det(derivative)), jacobian, rtol=1e-6)


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
    """Faces, corners and denormals of the cube give finite momenta and Jacobians, and come back finite."""
    x = np.array(list(itertools.product(EDGES, repeat=mapping.dim)))
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
    """Momenta that no point maps to have Jacobian 0 and finite points in the cube, whatever they are."""
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


def _derivative(function: Callable[[Array], Array], x: Array) -> Array:
    """Central differences of order four, shape (n, outputs, inputs)."""
    step = 1e-3
    columns = []
    for direction in np.eye(x.shape[1]):
        near = function(x + step * direction) - function(x - step * direction)
        far = function(x + 2 * step * direction) - function(x - 2 * step * direction)
        columns.append((8 * near - far) / (12 * step))
    return np.stack(columns, axis=2)


# --- kernels ----------------------------------------------------------------------------------------------------------


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
from madnis_py.physics.phase_space import as_momenta

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
    done = subprocess.run(command, input=pickle.dumps(calls), env=environment, capture_output=True, check=True)
    return list(pickle.loads(done.stdout))


def instruction_sets_agree(calls: Sequence[Call], tolerance: float = 1e-13) -> None:
    """Every instruction set of this processor gives the same numbers, relative to the largest of each row."""
    expected = [function(*arguments) for function, arguments in calls]
    for name in _core.instruction_sets():
        for result, truth in zip(results_on(name, calls), expected, strict=True):
            for array, reference in zip(_arrays(result), _arrays(truth), strict=True):
                scale = np.abs(reference).reshape(len(reference), -1).max(axis=1).reshape(-1, *[1] * (array.ndim - 1))
                assert (np.abs(array - reference) <= tolerance * scale).all(), name


def _arrays(result: object) -> tuple[Array, ...]:
    return result if isinstance(result, tuple) else (result,)  # type: ignore[return-value]
