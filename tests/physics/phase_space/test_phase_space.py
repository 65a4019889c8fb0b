"""Mappings of the unit cube to momenta against laws, quadrature and multi-precision formulas."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import laws
import numpy as np
import pytest
from scipy.integrate import quad

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.invariants import BreitWigner, Flat, Invariant, Massless
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.phase_space.s_channel import SChannelMapping

mpmath = pytest.importorskip("mpmath")

Mpf = Any
"""Number of mpmath, which has no types."""

Number = TypeVar("Number", float, Array)

InvariantCase = tuple[Invariant, float, float]
"""An invariant with its lower and upper limit in GeV^2."""

BEAMS = (6500.0, 4000.0)
MASSES = (0.1, 3.0)
Z = BreitWigner(91.188, 2.4414)
CASES: dict[
    str,
    tuple[tuple[float, float], tuple[float, float], Invariant, float, float | None, bool],
] = {
    "z": (BEAMS, (0.0, 0.0), Z, 15.0**2, None, False),
    "z, massive": (BEAMS, MASSES, Z, 3.2**2, None, False),
    "at threshold": (BEAMS, MASSES, Massless(0.8), 3.1**2, 10.0**2, False),
    "z', window": (BEAMS, MASSES, BreitWigner(400.0, 0.5), 200.0**2, 800.0**2, False),
    "photon": (BEAMS, (0.0, 0.0), Massless(2.0), 15.0**2, None, False),
    "logarithmic": (BEAMS, MASSES, Massless(1.0), 15.0**2, None, False),
    "flat": (BEAMS, MASSES, Flat(), 15.0**2, None, False),
    "partons": ((500.0, 3.0), MASSES, Flat(), 15.0**2, None, True),
}
MAPPINGS = {name: SChannelMapping(*case) for name, case in CASES.items()}
NARROW = SChannelMapping(BEAMS, (0.0, 0.0), BreitWigner(91.188, 1e-5), 15.0**2)

INVARIANTS: dict[str, InvariantCase] = {
    "z": (BreitWigner(91.188, 2.4414), 15.0**2, 13000.0**2),
    "narrow": (BreitWigner(400.0, 1e-5), 15.0**2, 13000.0**2),
    "far below the peak": (BreitWigner(5000.0, 1e-5), 15.0**2, 20.0**2),
    "far above the peak": (BreitWigner(0.5, 1e-5), 15.0**2, 13000.0**2),
    "photon": (Massless(2.0), 15.0**2, 13000.0**2),
    "logarithmic": (Massless(1.0), 15.0**2, 13000.0**2),
    "nearly logarithmic": (Massless(1.0 + 1e-9), 15.0**2, 13000.0**2),
    "just not logarithmic": (Massless(1.0 - 1e-13), 15.0**2, 13000.0**2),
    "soft": (Massless(0.8), 1e-6, 13000.0**2),
    "from zero": (Massless(0.8), 0.0, 13000.0**2),
    "steep": (Massless(9.5), 15.0**2, 13000.0**2),
    "rising": (Massless(-3.0), 15.0**2, 13000.0**2),
    "flat": (Flat(), 15.0**2, 13000.0**2),
}


@pytest.fixture(params=MAPPINGS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mapping(name: str) -> ChannelMapping:
    return MAPPINGS[name]


@pytest.fixture(params=INVARIANTS)
def invariant(request: pytest.FixtureRequest) -> InvariantCase:
    return INVARIANTS[str(request.param)]


def test_inverse_undoes_forward(mapping: ChannelMapping) -> None:
    laws.mapping_inverse_undoes_forward(mapping, 1e-9)


def test_jacobian_agrees_with_finite_differences(name: str, mapping: ChannelMapping) -> None:
    laws.mapping_jacobian_agrees_with_finite_differences(mapping, CASES[name][0])


def test_particles_are_on_shell(name: str, mapping: ChannelMapping) -> None:
    laws.mapping_particles_are_on_shell(mapping, (0.0, 0.0, *CASES[name][1]))


def test_momentum_is_conserved(mapping: ChannelMapping) -> None:
    laws.mapping_conserves_momentum(mapping)


def test_edges_of_the_cube_give_no_nan(mapping: ChannelMapping) -> None:
    laws.mapping_gives_no_nan_at_edges_of_the_cube(mapping)


def test_jacobian_is_zero_outside_the_cube(mapping: ChannelMapping) -> None:
    laws.mapping_is_zero_outside_the_cube(mapping)


def test_inverse_is_zero_outside_the_support(mapping: ChannelMapping) -> None:
    laws.mapping_inverse_is_zero_outside_the_support(mapping)


def test_results_do_not_depend_on_neighbours(mapping: ChannelMapping) -> None:
    laws.mapping_does_not_depend_on_neighbours(mapping)


def test_results_do_not_depend_on_threads(mapping: ChannelMapping) -> None:
    laws.mapping_does_not_depend_on_threads(mapping)


def test_empty_batches_are_served(mapping: ChannelMapping) -> None:
    laws.mapping_serves_empty_batches(mapping)


def test_instruction_sets_agree() -> None:
    x = np.random.default_rng(3).random((1001, 4))
    laws.instruction_sets_agree(
        [
            (mapping.forward, (np.ascontiguousarray(x[:, : mapping.dim]),))
            for mapping in (*MAPPINGS.values(), NARROW)
        ]
    )


def test_narrow_resonance_comes_back_to_the_rounding_of_its_invariant() -> None:
    # One unit in the last place of s moves z by ulp(M^2) / (pi M Gamma) at the peak.
    rounding = np.spacing(91.188**2) / (np.pi * 91.188 * 1e-5)
    laws.mapping_inverse_undoes_forward(NARROW, 8 * rounding)


def test_narrow_resonance_has_the_analytic_partonic_density() -> None:
    x = np.random.default_rng(4).random((10000, 4))
    p, jacobian = NARROW.forward(x)
    t = (4 * p[:, 0, 0] * p[:, 1, 0] - 91.188**2) / (91.188 * 1e-5)
    s_beams = 4 * BEAMS[0] * BEAMS[1]
    s = 91.188**2 + 91.188 * 1e-5 * t
    range_ = np.pi - 91.188 * 1e-5 * (1 / (91.188**2 - 15.0**2) + 1 / s_beams)
    expected = range_ * 91.188 * 1e-5 * (1 + t**2) * -np.log(s / s_beams) / s_beams / (8 * np.pi)
    np.testing.assert_allclose(jacobian, expected, rtol=1e-6)


def test_two_particle_volume_of_partons_is_analytic() -> None:
    mapping = SChannelMapping((40.0, 10.0), (5.0, 12.0), Flat(), 17.0**2, partonic=True)
    _, jacobian = mapping.forward(np.random.default_rng(5).random((100, 2)))
    s, m1, m2 = 1600.0, 25.0, 144.0
    volume = math.sqrt(s**2 + m1**2 + m2**2 - 2 * (s * m1 + s * m2 + m1 * m2)) / (8 * math.pi * s)
    np.testing.assert_allclose(jacobian, volume, rtol=1e-14)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case[-1]])
def test_hadronic_volume_agrees_with_quadrature(name: str) -> None:
    # The volume with the weight 1 / ds/dz, up to a constant, that the map is made for: its variance
    # is small.
    beams, (m1, m2), kind, s_min, s_max, _ = CASES[name]
    s_beams = 4 * beams[0] * beams[1]

    def integrand(log_s: float) -> float:
        s = math.exp(log_s)
        root = math.sqrt(max((s - (m1 + m2) ** 2) * (s - (m1 - m2) ** 2), 0.0))
        return -math.log(s / s_beams) / s_beams * root / (8 * math.pi) * propagator(kind, s)

    p, jacobian = MAPPINGS[name].forward(np.random.default_rng(6).random((100000, 4)))
    values = jacobian * propagator(kind, 4 * p[:, 0, 0] * p[:, 1, 0])
    error = values.std() / math.sqrt(len(values))
    exact = integral(integrand, math.log(s_min), math.log(s_max or s_beams), kind)
    assert abs(values.mean() - exact) < 5 * error
    assert error < 0.01 * exact


def propagator(kind: Invariant, s: Number) -> Number:
    """The density of s that an invariant map is made for, not normalised."""
    if isinstance(kind, BreitWigner):
        return 1 / ((s - kind.mass**2) ** 2 + (kind.mass * kind.width) ** 2)
    density: Number = s ** -getattr(kind, "power", 0.0)
    return density


def integral(
    integrand: Callable[[float], float], low: float, high: float, kind: Invariant
) -> float:
    """Quadrature over log s in pieces around the peak."""
    peak = 2 * math.log(getattr(kind, "mass", 50.0))
    width = getattr(kind, "width", 1.0) / getattr(kind, "mass", 50.0)
    inner = [peak + k * width for k in (-1000, -30, -3, 0, 3, 30, 1000)]
    edges = [low, *(edge for edge in inner if low < edge < high), high]
    pieces = (
        quad(integrand, a, b, epsabs=0, epsrel=1e-9, limit=200)[0] for a, b in pairwise(edges)
    )
    return float(sum(pieces))


def test_first_outgoing_particle_has_the_polar_angle_of_the_cube() -> None:
    mapping = MAPPINGS["partons"]
    p, _ = mapping.forward(np.array([[0.75, 0.125]]))
    ratio = math.sqrt(500.0 / 3.0)
    plus, minus = (p[0, 2, 0] + p[0, 2, 3]) / ratio, (p[0, 2, 0] - p[0, 2, 3]) * ratio
    momentum = math.sqrt((6000.0 - 3.1**2) * (6000.0 - 2.9**2)) / (2 * math.sqrt(6000.0))
    assert (plus - minus) / 2 == pytest.approx(momentum * 0.5, rel=1e-11)
    assert p[0, 2, 1] == pytest.approx(p[0, 2, 2], rel=1e-15)


def exact_invariant(invariant: Invariant, s_min: float, s_max: float, z: float) -> tuple[Mpf, Mpf]:
    """(s, ds/dz) of Eqs. (2.43)-(2.45) as printed, with 120 digits."""
    low, high, z = mpmath.mpf(s_min), mpmath.mpf(s_max), mpmath.mpf(z)
    if isinstance(invariant, BreitWigner):
        m, g = mpmath.mpf(invariant.mass), mpmath.mpf(invariant.width)
        y1, y2 = (mpmath.atan((s - m**2) / (m * g)) for s in (low, high))
        s = m**2 + m * g * mpmath.tan(y1 + (y2 - y1) * z)
        return s, (y2 - y1) * ((s - m**2) ** 2 + (m * g) ** 2) / (m * g)
    nu = mpmath.mpf(getattr(invariant, "power", 0.0))
    if nu == 1:
        s = high**z * low ** (1 - z)
        return s, s * mpmath.log(high / low)
    kappa = 1 - nu
    s = (z * high**kappa + (1 - z) * low**kappa) ** (1 / kappa)
    return s, s**nu * (high**kappa - low**kappa) / kappa


def test_invariant_agrees_with_the_printed_formula_in_multi_precision(
    invariant: InvariantCase,
) -> None:
    kind, s_min, s_max = invariant
    z = np.concatenate([[1e-12, 1e-6, 1.0 - 2.0**-40], np.random.default_rng(7).random(300)])
    s, _ = kind.between(s_min, s_max).forward(z)
    with mpmath.workdps(120):
        exact = np.array(
            [[float(v) for v in exact_invariant(kind, s_min, s_max, value)] for value in z]
        )
    # An error of one unit in z moves s by the Jacobian: the second term.
    tolerance = 1e-13 * exact[:, 0] + 4e-16 * exact[:, 1]
    assert (np.abs(s - exact[:, 0]) <= tolerance).all()


def test_jacobian_of_an_invariant_belongs_to_its_value(invariant: InvariantCase) -> None:
    kind, s_min, s_max = invariant
    s, jacobian = kind.between(s_min, s_max).forward(np.random.default_rng(8).random(300))
    with mpmath.workdps(120):
        low, high = mpmath.mpf(s_min), mpmath.mpf(s_max)
        exact = np.array([float(_exact_slope(kind, low, high, mpmath.mpf(value))) for value in s])
    rounding = np.spacing(s) * _relative_slope_of_slope(kind, s)
    assert (np.abs(jacobian / exact - 1) <= 1e-12 + 8 * rounding).all()


def _exact_slope(kind: Invariant, low: Mpf, high: Mpf, s: Mpf) -> Mpf:
    """ds/dz at s: 1 / g of Eqs. (2.44) and (2.45)."""
    if isinstance(kind, BreitWigner):
        m, g = mpmath.mpf(kind.mass), mpmath.mpf(kind.width)
        y1, y2 = (mpmath.atan((limit - m**2) / (m * g)) for limit in (low, high))
        return (y2 - y1) * ((s - m**2) ** 2 + (m * g) ** 2) / (m * g)
    nu = mpmath.mpf(getattr(kind, "power", 0.0))
    if nu == 1:
        return s * mpmath.log(high / low)
    return s**nu * (high ** (1 - nu) - low ** (1 - nu)) / (1 - nu)


def _relative_slope_of_slope(kind: Invariant, s: Array) -> Array:
    if isinstance(kind, BreitWigner):
        return 1 / np.hypot(s - kind.mass**2, kind.mass * kind.width)
    slope: Array = np.abs(getattr(kind, "power", 0.0)) / s
    return slope


def test_invariant_comes_back(invariant: InvariantCase) -> None:
    kind, s_min, s_max = invariant
    z = np.random.default_rng(9).random(20000)
    s, jacobian = kind.between(s_min, s_max).forward(z)
    found, again = kind.between(s_min, s_max).inverse(s)
    assert (np.abs(found - z) <= 1e-12 + 8 * np.spacing(s) / jacobian).all()
    rounding = np.spacing(s) * _relative_slope_of_slope(kind, s)
    assert (np.abs(again / jacobian - 1) <= 1e-11 + 16 * rounding).all()


def test_invariant_stays_between_its_limits(invariant: InvariantCase) -> None:
    kind, s_min, s_max = invariant
    z = np.concatenate(
        [laws.EDGES, 1.0 - np.geomspace(1e-16, 1e-3, 500), np.geomspace(1e-300, 1e-3, 500)]
    )
    s, jacobian = kind.between(s_min, s_max).forward(z)
    assert ((s >= s_min) & (s <= s_max)).all()
    assert (np.isfinite(jacobian) & (jacobian >= 0)).all()
    assert (np.diff(s[np.argsort(z, kind="stable")]) >= -4 * np.spacing(s.max())).all()


def test_momenta_of_the_right_layout_are_not_copied() -> None:
    p, _ = MAPPINGS["z"].forward(np.full((5, 4), 0.3))
    assert as_momenta(p) is p
    assert np.shares_memory(as_momenta(p[:3]), p)


def test_momenta_of_other_layouts_become_event_fastest() -> None:
    p, _ = MAPPINGS["z"].forward(np.random.default_rng(1).random((5, 4)))
    for other in (
        np.ascontiguousarray(p),
        p[::-1],
        p.tolist(),
        p[:1].copy(),
        p[:0],
        p[:, :, ::-1][:, :, ::-1],
    ):
        copy = as_momenta(other)
        np.testing.assert_array_equal(copy, other)
        MAPPINGS["z"].inverse(copy)


def test_mappings_survive_pickling(mapping: ChannelMapping) -> None:
    x = np.random.default_rng(1).random((3, mapping.dim))
    again = pickle.loads(pickle.dumps(mapping))
    np.testing.assert_array_equal(again.forward(x)[0], mapping.forward(x)[0])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: as_momenta(np.zeros((3, 4))),
            "momenta: expected shape (n, particles, 4); got (3, 4)",
        ),
        (lambda: BreitWigner(91.0, 0.0), "BreitWigner: width: expected GeV > 0; got 0.0"),
        (lambda: BreitWigner(math.nan, 1.0), "BreitWigner: mass: expected GeV > 0; got nan"),
        (lambda: Massless(math.inf), "Massless: power: expected a finite number; got inf"),
        (
            lambda: Massless(1.0).between(0.0, 1.0),
            "invariant: expected s_min > 0 for this power; got 0.0",
        ),
        (
            lambda: Massless(0.5).between(-1.0, 1.0),
            "invariant: expected s_min >= 0 for this power; got -1.0",
        ),
        (lambda: Flat().between(2.0, 1.0), "invariant: expected s_min < s_max; got 2.0 and 1.0"),
        (
            lambda: SChannelMapping((-1.0, 1.0), MASSES, Flat(), 1.0),
            "beam_energies: expected GeV > 0; got -1.0",
        ),
        (
            lambda: SChannelMapping(BEAMS, (-1.0, 0.0), Flat(), 1.0),
            "masses: expected GeV >= 0; got -1.0",
        ),
        (lambda: SChannelMapping(BEAMS, (0.0, 0.0), Flat(), 0.0), "s_min: expected > 0"),
        (
            lambda: SChannelMapping(BEAMS, (1.0, 3.0), Flat(), 9.0),
            "at least (m_1 + m_2)^2 = 16.0; got 9.0",
        ),
        (
            lambda: SChannelMapping(BEAMS, MASSES, Flat(), 10.0, 2e8),
            "s_max: expected s_min < s_max <= 4 E_1 E_2",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        build()
