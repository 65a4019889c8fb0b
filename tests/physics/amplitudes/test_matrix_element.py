"""Drell-Yan matrix elements against reference numbers, Dirac traces and symmetries."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import laws
import numpy as np
import pytest
from numpy.typing import NDArray
from places import SHARED

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.drell_yan import DrellYan, Mediator
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.invariants import Flat
from madnis_py.physics.phase_space.s_channel import SChannelMapping

REFERENCE = SHARED / "reference" / "matrix_elements"

BOSONS = (
    Mediator("a", 0.0, 0.0, (0.2, 0.2), (-0.31, -0.31)),
    Mediator("z", 91.188, 2.44, (0.25, -0.05), (-0.2, 0.16)),
    Mediator("z'", 400.0, 10.0, (-0.1, 0.4), (0.3, 0.07)),
)


@pytest.fixture
def p() -> Array:
    """Scattering of unequal partons between 15 GeV and 13 TeV, strong boosts included."""
    mapping = SChannelMapping((6500.0, 6500.0), (0.0, 0.0), Flat(), 15.0**2, 900.0**2)
    return mapping.forward(np.random.default_rng(2).random((5001, 4)))[0]


def dirac_matrices() -> tuple[NDArray[np.complex128], Array, Array]:
    """gamma^mu (4, 4, 4), P_L and P_R in the Weyl basis."""
    sigma = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    gamma = np.zeros((4, 4, 4), dtype=complex)
    gamma[:, :2, 2:] = sigma
    gamma[:, 2:, :2] = sigma * np.array([1, -1, -1, -1])[:, None, None]
    return gamma, np.diag([1.0, 1.0, 0.0, 0.0]), np.diag([0.0, 0.0, 1.0, 1.0])


def traces(
    p: Array,
    bosons: Sequence[Mediator],
    others: Sequence[Mediator],
) -> Array:
    """Helicity sum of |sum_k A_k|^2 by traces over Dirac matrices, one event at a time."""
    gamma, left, right = dirac_matrices()
    metric = np.diag([1.0, -1.0, -1.0, -1.0])

    def slash(k: Array) -> NDArray[np.complex128]:
        return np.asarray(np.einsum("m,mij->ij", metric @ k, gamma))

    def tensor(
        first: Array, second: Array, g: tuple[float, ...], h: tuple[float, ...]
    ) -> NDArray[np.complex128]:
        vertex = [gamma[mu] @ (g[0] * left + g[1] * right) for mu in range(4)]
        other = [gamma[mu] @ (h[0] * left + h[1] * right) for mu in range(4)]
        return np.array(
            [[np.trace(slash(first) @ v @ slash(second) @ w) for w in other] for v in vertex]
        )

    total = []
    for event in p:
        s = np.einsum("m,mn,n", event[0] + event[1], metric, event[0] + event[1])
        value = 0.0
        for a in bosons:
            for b in others:
                weight = (
                    1
                    / (s - a.mass**2 + 1j * a.mass * a.width)
                    / (s - b.mass**2 - 1j * b.mass * b.width)
                )
                quarks = tensor(event[1], event[0], a.quark, b.quark)
                leptons = tensor(event[2], event[3], a.lepton, b.lepton)
                value += weight * np.einsum("mn,ma,nb,ab", quarks, metric, metric, leptons)
        total.append(value.real)
    return np.array(total)


def standard_model(parameters: dict[str, Any], charge: float) -> tuple[Mediator, Mediator]:
    e, sin2 = parameters["derived"]["e"], parameters["derived"]["sin2_theta_w"]
    g = e / math.sqrt(sin2 * (1 - sin2))

    def z(isospin: float, q: float) -> tuple[float, float]:
        return g * (isospin - q * sin2), -g * q * sin2

    return (
        Mediator("a", 0.0, 0.0, (e * charge, e * charge), (-e, -e)),
        Mediator(
            "z",
            parameters["MZ"],
            parameters["WZ"],
            z(math.copysign(0.5, charge), charge),
            z(-0.5, -1.0),
        ),
    )


@pytest.mark.parametrize(
    ("name", "charge", "legs", "colours"),
    [
        ("uux_epem", 2 / 3, (0, 1, 3, 2), 3),
        ("ddx_epem", -1 / 3, (0, 1, 3, 2), 3),
        ("epem_mupmum", -1.0, (1, 0, 3, 2), 1),
    ],
)
def test_agrees_with_reference_numbers(
    name: str, charge: float, legs: tuple[int, int, int, int], colours: int
) -> None:
    path = REFERENCE / f"{name}.json"
    if not path.exists():
        pytest.skip("reference numbers are not here")
    reference = json.loads(path.read_text())
    p = as_momenta([point["momenta"] for point in reference["points"]])
    bosons = standard_model(reference["parameters"], charge)
    me2, diagrams = DrellYan(bosons, legs, colours).evaluate(p, 0.118)
    np.testing.assert_allclose(me2, [point["me2"] for point in reference["points"]], rtol=1e-12)
    np.testing.assert_allclose(
        diagrams, [point["amp2"] for point in reference["points"]], rtol=1e-12
    )


def test_agrees_with_dirac_traces(p: Array) -> None:
    boosts_are_mild = np.abs(np.log(p[:, 0, 0] / p[:, 1, 0])) < 3
    p = as_momenta(p[boosts_are_mild][:40])
    me2, diagrams = DrellYan(BOSONS, (0, 1, 2, 3)).evaluate(p, 0.118)
    np.testing.assert_allclose(me2, traces(p, BOSONS, BOSONS) / 12, rtol=1e-10)
    for k, boson in enumerate(BOSONS):
        np.testing.assert_allclose(diagrams[:, k], traces(p, [boson], [boson]), rtol=1e-10)


def test_total_photon_exchange_is_four_pi_alpha_squared_over_three_s() -> None:
    # sigma = 4 pi alpha^2 Q^2 / (3 s N_c)
    mapping = SChannelMapping((20.0, 30.0), (0.0, 0.0), Flat(), 15.0**2, partonic=True)
    x, weight = np.polynomial.legendre.leggauss(8)
    p, jacobian = mapping.forward(np.stack([(x + 1) / 2, np.full(8, 0.3)], axis=1))
    e, charge, s = 0.3, 2 / 3, 2400.0
    photon = Mediator("a", 0.0, 0.0, (e * charge, e * charge), (-e, -e))
    me2, _ = DrellYan([photon], (0, 1, 2, 3)).evaluate(p, 0.1)
    sigma = (weight / 2 * jacobian * me2).sum() / (2 * s)
    alpha = e**2 / (4 * math.pi)
    assert sigma == pytest.approx(4 * math.pi * alpha**2 * charge**2 / (3 * s * 3), rel=1e-13)


def test_is_lorentz_invariant(p: Array) -> None:
    # A random Lorentz transformation: boost times rotation, from the exponential of a generator.
    from scipy.linalg import expm

    rng = np.random.default_rng(3)
    generator = np.zeros((4, 4))
    generator[0, 1:] = generator[1:, 0] = rng.normal(size=3)
    generator[1:, 1:] = np.triu(rng.normal(size=(3, 3)), 1)
    generator[1:, 1:] -= generator[1:, 1:].T
    p = as_momenta(p[np.abs(np.log(p[:, 0, 0] / p[:, 1, 0])) < 2])
    me2, diagrams = DrellYan(BOSONS, (0, 1, 2, 3)).evaluate(p, 0.1)
    moved, moved_diagrams = DrellYan(BOSONS, (0, 1, 2, 3)).evaluate(
        as_momenta(p @ expm(generator).T), 0.1
    )
    np.testing.assert_allclose(moved, me2, rtol=1e-10)
    np.testing.assert_allclose(moved_diagrams, diagrams, rtol=1e-10)


def test_crossing_a_pair_exchanges_the_chiralities_of_its_couplings(p: Array) -> None:
    crossed = [Mediator(b.name, b.mass, b.width, b.quark, b.lepton[::-1]) for b in BOSONS]
    me2, diagrams = DrellYan(BOSONS, (0, 1, 2, 3)).evaluate(p, 0.1)
    same, same_diagrams = DrellYan(crossed, (0, 1, 3, 2)).evaluate(p, 0.1)
    np.testing.assert_allclose(same, me2, rtol=1e-11)
    np.testing.assert_allclose(same_diagrams, diagrams, rtol=1e-11)


def test_legs_are_positions_of_particles(p: Array) -> None:
    exchanged = as_momenta(p[:, [1, 0, 3, 2]])
    me2, _ = DrellYan(BOSONS, (0, 1, 2, 3)).evaluate(p, 0.1)
    same, _ = DrellYan(BOSONS, (1, 0, 3, 2)).evaluate(exchanged, 0.1)
    np.testing.assert_array_equal(same, me2)


def test_strong_boosts_keep_the_digits() -> None:
    # Parton energies of 6 TeV and 10 MeV, the lepton along the harder one.
    mapping = SChannelMapping((6000.0, 0.01), (0.0, 0.0), Flat(), 15.0**2, partonic=True)
    rest = SChannelMapping((math.sqrt(60.0),) * 2, (0.0, 0.0), Flat(), 15.0**2, partonic=True)
    x = np.random.default_rng(4).random((1000, 2))
    amplitude = DrellYan(BOSONS, (0, 1, 2, 3))
    boosted, _ = amplitude.evaluate(mapping.forward(x)[0], 0.1)
    np.testing.assert_allclose(boosted, amplitude.evaluate(rest.forward(x)[0], 0.1)[0], rtol=1e-12)


def test_does_not_depend_on_alpha_s(p: Array) -> None:
    amplitude = DrellYan(BOSONS, (0, 1, 2, 3))
    np.testing.assert_array_equal(
        amplitude.evaluate(p, 0.1)[0], amplitude.evaluate(p, np.full(len(p), 0.2))[0]
    )


def test_results_do_not_depend_on_batch_and_threads(p: Array) -> None:
    amplitude = DrellYan(BOSONS, (0, 1, 2, 3))
    me2, diagrams = laws.with_threads(1, lambda: amplitude.evaluate(p, 0.1))
    for first, last in ((0, 1), (4090, 4101), (5000, 5001)):
        part, part_diagrams = laws.with_threads(
            3, partial(amplitude.evaluate, as_momenta(p[first:last]), 0.1)
        )
        np.testing.assert_array_equal(part, me2[first:last])
        np.testing.assert_array_equal(part_diagrams, diagrams[first:last])


def test_instruction_sets_agree(p: Array) -> None:
    laws.instruction_sets_agree(
        [(DrellYan(BOSONS, (0, 1, 2, 3)).evaluate, (as_momenta(p.copy()), 0.1))]
    )


def test_amplitudes_survive_pickling(p: Array) -> None:
    amplitude = DrellYan(BOSONS, (0, 1, 2, 3))
    again = pickle.loads(pickle.dumps(amplitude))
    np.testing.assert_array_equal(again.evaluate(p, 0.1)[0], amplitude.evaluate(p, 0.1)[0])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: DrellYan([], (0, 1, 2, 3)),
            "DrellYan: mediators: expected at least one; got none",
        ),
        (
            lambda: DrellYan(BOSONS, (0, 2, 1, 3)),
            "legs: expected quarks at 0 and 1, leptons at 2 and 3; got (0, 2, 1, 3)",
        ),
        (
            lambda: DrellYan(BOSONS, (0, 1, 2, 3), 0),
            "DrellYan: colours: expected at least 1; got 0",
        ),
        (
            lambda: Mediator("z", -1.0, 0.0, (1.0, 1.0), (1.0, 1.0)),
            "mediator z: mass: expected GeV >= 0; got -1.0",
        ),
        (
            lambda: Mediator("z", 1.0, math.nan, (1.0, 1.0), (1.0, 1.0)),
            "mediator z: width: expected GeV >= 0; got nan",
        ),
        (
            lambda: Mediator("z", 1.0, 1.0, (math.inf, 1.0), (1.0, 1.0)),
            "mediator z: expected finite couplings",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Callable[..., object], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        build()


def test_wrong_number_of_particles_is_named() -> None:
    with pytest.raises(ValueError, match=re.escape("p: expected float64 (n, 4, 4)")):
        DrellYan(BOSONS, (0, 1, 2, 3)).evaluate(as_momenta(np.zeros((3, 5, 4))), 0.1)
