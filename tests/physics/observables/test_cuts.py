"""Cuts against observables computed with numpy."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import laws
import numpy as np
import pytest

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.observables.cuts import Cut, Cuts, Isolation
from madnis_py.physics.observables.momenta import as_momenta


@pytest.fixture
def p() -> Array:
    """Five particles of random mass and direction."""
    rng = np.random.default_rng(1)
    momenta = rng.normal(size=(5003, 5, 4)) * 50
    momenta[:, :, 0] = np.sqrt(
        (momenta[:, :, 1:] ** 2).sum(axis=2) + rng.exponential(100.0, (5003, 5))
    )
    return as_momenta(momenta)


def pt(k: Array) -> Array:
    return np.hypot(k[:, 1], k[:, 2])


def eta(k: Array) -> Array:
    return np.asarray(np.abs(np.arctanh(k[:, 3] / np.sqrt((k[:, 1:] ** 2).sum(axis=1)))))


def rapidity(k: Array) -> Array:
    return np.asarray(0.5 * np.log((k[:, 0] + k[:, 3]) / (k[:, 0] - k[:, 3])))


def mass(k: Array) -> Array:
    return np.asarray(np.sqrt(k[:, 0] ** 2 - (k[:, 1:] ** 2).sum(axis=1)))


def dr(a: Array, b: Array) -> Array:
    dphi = np.angle(np.exp(1j * (np.arctan2(a[:, 2], a[:, 1]) - np.arctan2(b[:, 2], b[:, 1]))))
    return np.asarray(np.hypot(rapidity(a) - rapidity(b), dphi))


def signed_eta(k: Array) -> Array:
    return np.asarray(np.arctanh(k[:, 3] / np.sqrt((k[:, 1:] ** 2).sum(axis=1))))


def dphi(a: Array, b: Array) -> Array:
    return np.asarray(np.arccos((a[:, 1:3] * b[:, 1:3]).sum(axis=1) / pt(a) / pt(b)))


def boosted_energy(p: Array) -> Array:
    """Energy of the last particle after a boost into the rest frame of the first two."""
    total = p[:, 0] + p[:, 1]
    beta = total[:, 1:] / total[:, :1]
    gamma = 1 / np.sqrt(1 - (beta**2).sum(axis=1))
    return np.asarray(gamma * (p[:, 4, 0] - (beta * p[:, 4, 1:]).sum(axis=1)))


OBSERVABLES: dict[str, tuple[tuple[int, ...], Callable[[Array], Array]]] = {
    "pt": ((3,), lambda p: pt(p[:, 3])),
    "eta": ((2,), lambda p: eta(p[:, 2])),
    "rapidity": ((2,), lambda p: np.abs(rapidity(p[:, 2]))),
    "energy": ((4,), lambda p: p[:, 4, 0]),
    "mass": ((2, 4), lambda p: mass(p[:, 2] + p[:, 4])),
    "pt_sum": ((2, 3, 4), lambda p: pt(p[:, 2:].sum(axis=1))),
    "dr": ((2, 3), lambda p: dr(p[:, 2], p[:, 3])),
    "deta": ((2, 3), lambda p: np.abs(signed_eta(p[:, 2]) - signed_eta(p[:, 3]))),
    "dy": ((2, 3), lambda p: np.abs(rapidity(p[:, 2]) - rapidity(p[:, 3]))),
    "dphi": ((2, 3), lambda p: dphi(p[:, 2], p[:, 3])),
    "eta_product": ((2, 3), lambda p: signed_eta(p[:, 2]) * signed_eta(p[:, 3])),
    "partonic_energy": ((4,), boosted_energy),
    "ht": ((1, 3, 4), lambda p: pt(p[:, 1]) + pt(p[:, 3]) + pt(p[:, 4])),
}


@pytest.mark.parametrize("name", OBSERVABLES)
def test_events_inside_the_limits_pass(p: Array, name: str) -> None:
    particles, observable = OBSERVABLES[name]
    values = observable(p)
    low, high = np.quantile(values, [0.2, 0.7])
    expected = (values >= low) & (values <= high)
    clear = np.minimum(np.abs(values - low), np.abs(values - high)) > 1e-9 * np.abs(high)
    passes = Cuts([Cut(name, particles, low, high)]).passes(p)
    np.testing.assert_array_equal(passes[clear], expected[clear])
    assert clear.sum() >= len(p) - 2


def test_limits_themselves_pass() -> None:
    p = as_momenta([[[5.0, 3.0, 4.0, 0.0]]])
    assert Cuts([Cut("pt", (0,), 5.0, 5.0)]).passes(p).tolist() == [True]


def test_an_event_has_to_pass_all_cuts(p: Array) -> None:
    first, second = Cut("pt", (2,), 40.0, math.inf), Cut("eta", (3,), 0.0, 1.0)
    both = Cuts([first, second]).passes(p)
    np.testing.assert_array_equal(both, Cuts([first]).passes(p) & Cuts([second]).passes(p))
    assert 0 < both.sum() < len(p)


def test_no_cuts_pass_everything(p: Array) -> None:
    assert Cuts([]).passes(p).all()
    assert Cuts([]).passes(p).dtype == bool


def test_back_to_back_particles_are_pi_apart() -> None:
    p = as_momenta([[[5.0, 3.0, 4.0, 0.0], [5.0, -3.0, -4.0, 0.0]]])
    assert Cuts([Cut("dr", (0, 1), math.pi - 1e-15, math.pi)]).passes(p).all()


def test_particle_along_the_beam_has_infinite_pseudorapidity() -> None:
    p = as_momenta([[[5.0, 0.0, 0.0, -5.0]]])
    assert not Cuts([Cut("eta", (0,), 0.0, 1e300)]).passes(p).any()


@pytest.mark.parametrize("name", OBSERVABLES)
@pytest.mark.parametrize("limits", [(10.0, 20.0), (-math.inf, -1.0)])
def test_undefined_observable_is_left_to_the_check_of_weights(
    name: str, limits: tuple[float, float]
) -> None:
    p = as_momenta(np.full((3, 5, 4), np.nan))
    assert Cuts([Cut(name, OBSERVABLES[name][0], *limits)]).passes(p).all()


def test_results_do_not_depend_on_batch_and_threads(p: Array) -> None:
    cuts = Cuts([Cut(name, particles, 0.0, 50.0) for name, (particles, _) in OBSERVABLES.items()])
    whole = laws.with_threads(1, lambda: cuts.passes(p))
    np.testing.assert_array_equal(laws.with_threads(3, lambda: cuts.passes(p)), whole)
    np.testing.assert_array_equal(cuts.passes(p[4094:4101]), whole[4094:4101])


def test_cuts_survive_pickling(p: Array) -> None:
    cuts = Cuts([Cut("pt", (2,), 40.0, math.inf)])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cuts)).passes(p), cuts.passes(p))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("pT", (1,), 0.0, 1.0),
            "cut: observable: expected one of pt, eta, rapidity, energy, partonic_energy, mass, "
            "pt_sum, dr, deta, dy, dphi, eta_product, ht; got 'pT'",
        ),
        (("pt", (1, 2), 0.0, 1.0), "cut: pt: expected particles: 1; got (1, 2)"),
        (("mass", (1,), 0.0, 1.0), "cut: mass: expected particles: at least 2; got (1,)"),
        (("dr", (1, 2, 3), 0.0, 1.0), "cut: dr: expected particles: 2; got (1, 2, 3)"),
        (("dr", (2, 2), 0.0, 1.0), "cut: dr: expected different positions >= 0; got (2, 2)"),
        (("pt", (-1,), 0.0, 1.0), "cut: pt: expected different positions >= 0; got (-1,)"),
        (("pt", (1,), 2.0, 1.0), "cut: pt: expected minimum <= maximum; got 2.0, 1.0"),
        (("pt", (1,), math.nan, 1.0), "cut: pt: expected minimum <= maximum; got nan, 1.0"),
    ],
)
def test_wrong_cuts_are_named(
    arguments: tuple[str, tuple[int, ...], float, float], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        Cut(*arguments)


def test_missing_particle_is_named(p: Array) -> None:
    with pytest.raises(ValueError, match=re.escape("particles: expected 0..4; got 5")):
        Cuts([Cut("pt", (5,), 0.0, 1.0)]).passes(p)


def isolated(p: Array, cut: Isolation) -> bool:
    """Whether one event is isolated: the sums that grow with the cone, after Frixione's paper."""

    def direction(k: Array) -> tuple[float, float]:
        theta = math.atan2(math.hypot(k[1], k[2]), k[3])
        return -math.log(math.tan(theta / 2)), math.atan2(k[2], k[1])

    def distance(k: Array) -> float:
        (eta, phi), (eta_0, phi_0) = direction(k), direction(p[cut.particle])
        turn = abs(phi - phi_0)
        return math.hypot(eta - eta_0, min(turn, 2 * math.pi - turn))

    inside, pt = 0.0, math.hypot(*p[cut.particle, 1:3])
    for other in sorted(cut.others, key=lambda k: distance(p[k])):
        r = distance(p[other])
        if r > cut.radius:
            return True
        inside += math.hypot(*p[other, 1:3])
        share = ((1 - math.cos(r)) / (1 - math.cos(cut.radius))) ** cut.exponent
        if inside > cut.epsilon * pt * share:
            return False
    return True


@pytest.mark.parametrize("radius", [0.4, 1.0, 2.5])
@pytest.mark.parametrize(("exponent", "epsilon"), [(1.0, 1.0), (0.5, 3.0), (0.0, 0.5), (2.0, 0.0)])
def test_isolated_particles_have_little_around_them_in_every_cone(
    p: Array, radius: float, exponent: float, epsilon: float
) -> None:
    cut = Isolation(1, (4, 0, 2, 3), radius, exponent, epsilon)
    passed = Cuts([cut]).passes(p)
    assert passed.tolist() == [isolated(event, cut) for event in p]
    assert 0.01 < passed.mean() < 0.99


def beside(pt: float, r: float) -> Array:
    """A particle of 50 GeV and another one at a distance in azimuth, incoming ones left out."""
    other = [pt, pt * math.cos(r), pt * math.sin(r), 0.0]
    return as_momenta([[[50.0, 50.0, 0.0, 0.0], other]])


@pytest.mark.parametrize(
    ("pt", "r", "passes"),
    [
        (12.0, 0.2, True),  # (1 - cos 0.2) / (1 - cos 0.4) = 0.2525 of 50 GeV are 12.6 GeV
        (13.0, 0.2, False),
        (49.0, 0.3999, True),
        (1e3, 0.4001, True),
        (1e-3, 1e-2, True),  # soft radiation may be anywhere
        (1.0, 1e-2, False),
        (0.0, 0.0, True),
    ],
)
def test_what_a_cone_may_hold_shrinks_with_it(pt: float, r: float, passes: bool) -> None:
    assert Cuts([Isolation(0, (1,))]).passes(beside(pt, r)).tolist() == [passes]


def test_particles_without_momenta_are_left_to_the_check_of_weights() -> None:
    p = as_momenta(np.full((3, 4, 4), np.nan))
    assert Cuts([Isolation(0, (1, 2))]).passes(p).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, (1, 2)), "cut: isolation: expected different positions >= 0; got (1, 1, 2)"),
        ((1, (2,), 0.0), "cut: isolation: expected radius > 0, exponent and epsilon >= 0; got (0"),
        ((1, (2,), 0.4, -1.0), "expected radius > 0, exponent and epsilon >= 0; got (0.4, -1.0"),
        ((1, (2,), 0.4, 1.0, math.nan), "expected radius > 0, exponent and epsilon >= 0; got"),
    ],
)
def test_isolation_without_meaning_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        Isolation(*arguments)
