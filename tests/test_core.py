"""The compiled module: elementary functions, arguments, observables, threads, instruction sets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from typing import Any

import laws
import numpy as np
import pytest
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.invariants import BreitWigner
from madnis_py.physics.phase_space.s_channel import SChannelMapping

SPECIAL = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1e-310, -1e-310, 1e300, -1e300, 1.0, -1.0]
)
MAPPING = SChannelMapping((6500.0, 6500.0), (0.0, 0.0), BreitWigner(91.188, 2.44), 15.0**2)


def decades(low: float, high: float, n: int = 20000) -> Array:
    return 10 ** np.random.default_rng(1).uniform(low, high, n)


def uniform(low: float, high: float, n: int = 20000) -> Array:
    return np.random.default_rng(2).uniform(low, high, n)


def both_signs(x: Array) -> Array:
    return np.concatenate([x, -x])


QUARTERS = np.pi / 2 * np.arange(-2000, 2000)
ANGLES = np.concatenate(
    [both_signs(decades(-320, 300)), uniform(-10, 10), uniform(-1e5, 1e5), QUARTERS]
)

FUNCTIONS: dict[str, tuple[Array, np.ufunc, float]] = {
    "exp": (np.concatenate([uniform(-750, 712), both_signs(decades(-320, 2))]), np.exp, 2),
    "expm1": (np.concatenate([uniform(-60, 712), both_signs(decades(-320, 2))]), np.expm1, 3),
    "log": (np.concatenate([decades(-323, 308), uniform(0.5, 2)]), np.log, 2),
    "log1p": (np.concatenate([decades(-323, 308), -decades(-323, 0), uniform(-1, 1)]), np.log1p, 2),
    "sin": (ANGLES, np.sin, 2),
    "cos": (ANGLES, np.cos, 2),
    "tan": (ANGLES, np.tan, 4),
    "atan": (both_signs(decades(-320, 308)), np.arctan, 2),
    "asinh": (both_signs(decades(-320, 308)), np.arcsinh, 3),
}
"""Function -> arguments, its name in numpy, and the error allowed in units of the last place."""


def assert_equal_to_units(result: Array, expected: Array, units: float) -> None:
    special = ~np.isfinite(expected) | (expected == 0)
    np.testing.assert_array_equal(result[special], expected[special])
    np.testing.assert_array_equal(
        np.signbit(result[expected == 0]), np.signbit(expected[expected == 0])
    )
    distance = np.abs(result - expected)[~special] / np.spacing(np.abs(expected[~special]))
    assert distance.max() <= units


@pytest.mark.parametrize("name", FUNCTIONS)
def test_elementary_functions_agree_with_the_c_library(name: str) -> None:
    arguments, reference, units = FUNCTIONS[name]
    x = np.concatenate([arguments, SPECIAL])
    with np.errstate(all="ignore"):
        assert_equal_to_units(_core.elementary(name, x), reference(x), units)


def test_arc_tangent_of_two_arguments_agrees_with_the_c_library() -> None:
    finite = SPECIAL[np.isfinite(SPECIAL)]
    y = np.concatenate([both_signs(decades(-320, 300)), np.repeat(finite, len(finite))])
    x = np.concatenate([both_signs(decades(-320, 300))[::-1], np.tile(finite, len(finite))])
    x[:20000] *= np.random.default_rng(3).choice([-1.0, 1.0], 20000)
    assert_equal_to_units(_core.arc_tangent(y, x), np.arctan2(y, x), 3)


@pytest.mark.parametrize("instruction_set", _core.instruction_sets())
def test_elementary_functions_are_accurate_on_every_instruction_set(instruction_set: str) -> None:
    calls = [
        (_core.elementary, (name, arguments[::10].copy()))
        for name, (arguments, _, _) in FUNCTIONS.items()
    ]
    for (_, (name, x)), result in zip(calls, laws.results_on(instruction_set, calls), strict=True):
        _, reference, units = FUNCTIONS[name]
        with np.errstate(all="ignore"):
            assert_equal_to_units(result, reference(x), units)


def test_observables_agree_with_numpy() -> None:
    p, _ = MAPPING.forward(np.random.default_rng(1).random((5001, 4)))
    features = _core.observables(p, [2, 3]).reshape(-1, 2, 3)
    pt = np.hypot(p[:, 2:, 1], p[:, 2:, 2])
    np.testing.assert_allclose(features[:, :, 0], np.log(pt), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(features[:, :, 1], np.arcsinh(p[:, 2:, 3] / pt), rtol=1e-13)
    np.testing.assert_allclose(features[:, :, 2], np.arctan2(p[:, 2:, 2], p[:, 2:, 1]), rtol=1e-13)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((5, 3)), "x: expected float64 (n, 4), C-contiguous; got float64 (5, 3)"),
        (
            np.zeros((5, 4), np.float32),
            "x: expected float64 (n, 4), C-contiguous; got float32 (5, 4)",
        ),
        (np.zeros((5, 4), np.int64), "x: expected float64 (n, 4), C-contiguous; got int64 (5, 4)"),
        (np.zeros((5, 4), ">f8"), "x: expected float64 (n, 4), C-contiguous; got >f8 (5, 4)"),
        (np.zeros((4, 5)).T, "x: expected float64 (n, 4), C-contiguous; got float64 (5, 4)"),
        (np.zeros(4), "x: expected float64 (n, 4), C-contiguous; got float64 (4,)"),
    ],
)
def test_wrong_points_are_named(x: NDArray[Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        MAPPING.forward(x)


@pytest.mark.parametrize(
    "p", [np.zeros((5, 4, 4)), as_momenta(np.zeros((5, 3, 4))), np.zeros((5, 4, 4), np.float32)]
)
def test_wrong_momenta_are_named(p: NDArray[Any]) -> None:
    expected = "float64 (n, 4, 4) with the events fastest in memory (as_momenta makes it so)"
    sentence = f"p: expected {expected}; got {p.dtype} {p.shape}"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        MAPPING.inverse(p)


def test_wrong_particles_of_observables_are_named() -> None:
    with pytest.raises(ValueError, match=re.escape("particles: expected 0..3; got 4")):
        _core.observables(as_momenta(np.ones((2, 4, 4))), [4])


def test_unknown_functions_and_lengths_are_named() -> None:
    with pytest.raises(
        ValueError, match=re.escape("x: expected float64 (3,), contiguous; got float64 (2,)")
    ):
        _core.arc_tangent(np.zeros(3), np.zeros(2))
    with pytest.raises(
        ValueError, match=re.escape("function: expected a function of lane_math.hpp; got erf")
    ):
        _core.elementary("erf", np.zeros(3))


def test_thread_count_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="threads: expected at least 1; got 0"):
        _core.set_thread_count(0)


def test_instruction_set_is_the_fastest_one_unless_named() -> None:
    assert _core.instruction_sets()[0] == "baseline"
    wanted = os.environ.get("MADNIS_PY_ISA") or _core.instruction_sets()[-1]
    assert _core.instruction_set() == wanted
    assert (
        laws.results_on("baseline", [(_core.instruction_set, ()), (_core.lane_width, ())])[0]
        == "baseline"
    )


def test_unknown_instruction_set_is_named() -> None:
    environment = {**os.environ, "MADNIS_PY_ISA": "mmx"}
    command = [sys.executable, "-c", "from madnis_py import _core; _core.instruction_set()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MADNIS_PY_ISA: expected one of baseline" in done.stderr
    assert "on this processor, got mmx" in done.stderr


def test_calls_from_several_threads_at_once_give_the_same_bytes() -> None:
    x = np.random.default_rng(1).random((60000, 4))
    expected = MAPPING.forward(x)[0]
    results: list[Array] = []

    def work() -> None:
        results.extend(MAPPING.forward(x)[0] for _ in range(10))

    def run() -> None:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            _core.set_thread_count(2)
            _core.set_thread_count(3)
        for thread in threads:
            thread.join()

    laws.with_threads(3, run)
    assert len(results) == 40
    assert all(np.array_equal(result, expected) for result in results)


FORKING = """
import os, sys, threading, numpy as np
from madnis_py import _core
from madnis_py.physics.phase_space.invariants import Flat
from madnis_py.physics.phase_space.s_channel import SChannelMapping

mapping = SChannelMapping((6500.0, 6500.0), (0.0, 0.0), Flat(), 100.0)
x = np.full((50000, 4), 0.3)
_core.set_thread_count(3)
expected = mapping.forward(x)[0]
stop = threading.Event()

def work():
    while not stop.is_set():
        mapping.forward(x)

thread = threading.Thread(target=work)
thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        good = np.array_equal(mapping.forward(x)[0], expected)
        _core.set_thread_count(2)
        os._exit(0 if good and np.array_equal(mapping.forward(x)[0], expected) else 1)
    status = os.waitpid(child, 0)[1]
    if status != 0:
        break
stop.set()
thread.join()
sys.exit(status != 0)
"""


def test_forked_children_work_while_the_parent_computes() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
