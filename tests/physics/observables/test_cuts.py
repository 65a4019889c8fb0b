"""Cuts against observables computed with numpy."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable

import laws
import numpy as np
import pytest

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.observables.cuts import Cut, Cuts
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
