"""Tree amplitudes as objects: weights, couplings, batches, precision, and values of parameters."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import laws
import numpy as np
import pytest
from amplitudes import ALPHA_S, amplitude, points, reaction, without_width

from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.colour.colour import String
from madnis_py.physics.colour.colour_matrix import colour_matrix
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta

MIXED = "u u~ > d d~ QCD=99 QED=99"
PROCESSES = (
    "g g > t t~ g",
    "g g > g g g",
    MIXED,
    "w+ w- > z z",
    "u u~ > e+ e- g",
    "t > b e+ ve",
    "h h > h h",
)


def results(one: TreeAmplitude, p: np.ndarray, alpha_s: np.ndarray | float) -> list[np.ndarray]:
    """All results per event: |M|^2, diagrams, flows, helicities, single precision."""
    weights = one.weights(p, alpha_s)
    chosen = np.tile(one.helicities[len(one.helicities) // 2], (len(p), 1))
    return [
        *one.evaluate(p, alpha_s),
        *(weights.me2, weights.flows, weights.helicities),
        one.squared(p, alpha_s, single=True),
        one.at_helicities(p, alpha_s, chosen),
    ]


@pytest.mark.parametrize("text", PROCESSES)
def test_events_do_not_depend_on_batches_and_threads(text: str) -> None:
    one, p = amplitude(text), points(text, 150)
    alpha_s = np.linspace(0.08, 0.15, len(p))
    expected = laws.with_threads(1, lambda: results(one, p, alpha_s))
    for threads, cuts in (
        (2, (0, 150)),
        (2, (0, 1, 64, 150)),
        (1, (0, 67, 150)),
        (1, tuple(range(21))),
    ):
        parts = [
            laws.with_threads(
                threads, partial(results, one, as_momenta(p[a:b]), alpha_s[a:b].copy())
            )
            for a, b in pairwise(cuts)
        ]
        for found, whole in zip(
            map(np.concatenate, zip(*parts, strict=True)), expected, strict=True
        ):
            np.testing.assert_array_equal(found, whole[: cuts[-1]])


def test_instruction_sets_agree() -> None:
    calls: list[tuple[Callable[..., Any], tuple[object, ...]]] = []
    for text in ("g g > t t~ g", MIXED, "w+ w- > h h"):
        one, p = amplitude(text), as_momenta(points(text, 20).copy())
        calls += [(one.squared, (p, ALPHA_S)), (one.evaluate, (p, ALPHA_S))]
    laws.instruction_sets_agree(calls, tolerance=1e-11)


def test_no_events_are_no_numbers() -> None:
    one = amplitude("g g > t t~ g")
    weights = one.weights(points("g g > t t~ g", 1)[:0], ALPHA_S)
    assert weights.me2.shape == (0,)
    assert weights.flows.shape == (0, 6)
    assert weights.helicities.shape == (0, len(one.helicities))


@pytest.mark.parametrize("text", PROCESSES)
def test_helicities_add_up_to_the_square(text: str) -> None:
    one, p = amplitude(text), points(text)
    weights = one.weights(p, ALPHA_S)
    np.testing.assert_allclose(weights.helicities.sum(axis=1), one.squared(p, ALPHA_S), rtol=1e-13)
    np.testing.assert_array_equal(weights.me2, one.squared(p, ALPHA_S))
    assert (weights.helicities >= -1e-14 * weights.me2[:, None]).all()


@pytest.mark.parametrize("text", PROCESSES)
def test_chosen_helicities_are_the_parts_of_the_sum_and_zero_elsewhere(text: str) -> None:
    one, p, model = amplitude(text), points(text, 2), Model("sm")
    weights = one.weights(p, ALPHA_S)
    columns = {tuple(row): column for column, row in enumerate(one.helicities.tolist())}
    ranges = {1: (0,), 2: (-1, 1), 3: (-1, 1)}
    particles = [(model.particle(pdg).spin, model.mass(pdg) > 0) for pdg in one.legs]
    states = [(-1, 0, 1) if spin == 3 and massive else ranges[spin] for spin, massive in particles]
    for row in product(*states):
        found = one.at_helicities(p, ALPHA_S, np.tile(np.array(row, np.int8), (2, 1)))
        expected = weights.helicities[:, columns[row]] if row in columns else 0.0
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14 * weights.me2.max())


def test_every_event_has_its_own_helicities() -> None:
    one, p = (
        amplitude("g g > t t~ g"),
        points("g g > t t~ g", len(amplitude("g g > t t~ g").helicities)),
    )
    found = one.at_helicities(p, ALPHA_S, one.helicities)
    np.testing.assert_allclose(found, np.diag(one.weights(p, ALPHA_S).helicities), rtol=1e-10)


def test_helicities_that_a_particle_does_not_have_are_named() -> None:
    one, p = amplitude("u u~ > z g"), points("u u~ > z g", 1)
    for leg, wrong in ((3, 0), (0, 2), (2, -2)):
        helicities = np.array([[-1, 1, 0, 1]])
        helicities[0, leg] = wrong
        with pytest.raises(
            InputError, match=re.escape(f"helicities of leg {leg}: expected one of (-1,")
        ):
            one.at_helicities(p, ALPHA_S, helicities)


@pytest.mark.parametrize("text", ["g g > t t~ g", "u u~ > z g", "u u~ > g g", MIXED])
def test_colour_flows_bound_the_square_by_the_eigenvalues_of_the_colour_matrix(text: str) -> None:
    """c_min sum |J_k|^2 <= sum over colours, helicities <= c_max sum |J_k|^2; one flow: equal."""
    one, p = amplitude(text), points(text, 20)
    weights = one.weights(p, ALPHA_S)
    assert (weights.flows > 0).all()
    values = np.linalg.eigvalsh(
        np.array(colour_matrix([strings(flow, one) for flow in one.flows]), float)
    )
    model, states = Model("sm"), 4
    for pdg in one.reaction.incoming:
        states *= model.particle(pdg).colour
    identical = 2 if text.endswith("g g") else 1
    ratio = weights.me2 * states * identical / weights.flows.sum(axis=1)
    assert (ratio > values[0] * (1 - 1e-12)).all()
    assert (ratio < values[-1] * (1 + 1e-12)).all()


def strings(flow: tuple[tuple[int, int], ...], one: TreeAmplitude) -> tuple[String, ...]:
    """The strings between quarks of a flow."""
    lines = [leg[::-1] if position < 2 else leg for position, leg in enumerate(flow)]
    found = []
    for start, (colour, anticolour) in enumerate(lines):
        if not colour or anticolour:
            continue
        walk = [start]
        while lines[walk[-1]][0]:
            walk.append(next(k for k, leg in enumerate(lines) if leg[1] == lines[walk[-1]][0]))
        found.append(String(walk[0], tuple(walk[1:-1]), walk[-1]))
    return tuple(sorted(found))


@pytest.mark.parametrize(
    ("text", "power"), [("g g > t t~ g", 3), ("u u~ > z g", 1), ("e+ e- > mu+ mu-", 0)]
)
def test_alpha_s_is_a_power_law_of_pure_amplitudes(text: str, power: int) -> None:
    one, p = amplitude(text), points(text)
    for values in (
        one.squared,
        lambda p, a: one.evaluate(p, a)[1],
        lambda p, a: one.weights(p, a).flows,
    ):
        np.testing.assert_allclose(values(p, 0.3), values(p, 0.1) * 3.0**power, rtol=1e-13)


def test_alpha_s_makes_a_polynomial_where_powers_mix() -> None:
    """Terms without, with one and with two powers: QED squared, interference, QCD squared."""
    p = points(MIXED)
    one, weak, strong = (
        amplitude(f"u u~ > d d~ {orders}") for orders in ("QCD=99 QED=99", "QCD=0", "QED=0")
    )
    interference = [
        one.squared(p, a) - weak.squared(p, a) - strong.squared(p, a) for a in (0.1, 0.2)
    ]
    np.testing.assert_allclose(interference[1], 2 * interference[0], rtol=1e-9)
    assert (np.abs(interference[0]) > 1e-4 * one.squared(p, 0.1)).all()


@pytest.mark.parametrize(
    "text",
    [
        "g g > t t~ g g",
        "g g > g g g",
        "u d~ > w+ w+ w-",
        "u c > w+ w+ d s QCD=99 QED=99",
        "u u~ > e+ e- g",
    ],
)
def test_single_precision_keeps_four_digits(text: str) -> None:
    one, p = amplitude(text), points(text, 200)
    error = one.single_error(p, ALPHA_S)
    exact = one.squared(p, ALPHA_S)
    np.testing.assert_allclose(
        error, np.abs(one.squared(p, ALPHA_S, single=True) / exact - 1), rtol=1e-6, atol=1e-12
    )
    assert 1e-9 < np.median(error) < 1e-4
    assert error.max() < 1e-2


def test_amplitudes_survive_pickling(tmp_path: Path) -> None:
    model = Model("sm", {"MT": 170.0})
    single_top = reaction("u b > d t", model)
    one = TreeAmplitude(single_top, model, without_width(single_top, model), TapeCache(tmp_path))
    again = pickle.loads(pickle.dumps(one))
    p = generic_momenta([model.mass(pdg) for pdg in one.legs], 2)
    np.testing.assert_array_equal(again.squared(p, ALPHA_S), one.squared(p, ALPHA_S))
    assert again.name == one.name == "u b > d t"


def test_numbers_about_a_process() -> None:
    one = amplitude("g g > t t~ g")
    assert (one.name, one.n_particles, one.n_diagrams) == ("g g > t t~ g", 5, 16)
    assert one.legs == (21, 21, 6, -6, 21)


VALUES: tuple[dict[str, float], ...] = (
    {},
    {"MT": 150.0, "WT": 1.0},
    {"MT": 200.0, "ymt": 160.0, "aEWM1": 128.0, "WH": 0.1},
    {"MB": 5.5, "ymb": 3.0},
)


def test_values_of_parameters_need_no_new_tape(tmp_path: Path) -> None:
    for values in VALUES:
        model = Model("sm", values)
        one = TreeAmplitude(
            reaction("b b~ > t t~ h QED=99 QCD=99", model), model, cache=TapeCache(tmp_path)
        )
        p = generic_momenta([model.mass(pdg) for pdg in one.legs], 2)
        fresh = TreeAmplitude(one.reaction, model)
        for found, expected in zip(
            results(one, p, ALPHA_S), results(fresh, p, ALPHA_S), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
    assert len(list(tmp_path.iterdir())) == 1


def tapes_kept(text: str, values: dict[str, float], folder: Path) -> tuple[TreeAmplitude, ...]:
    """A reaction with the usual values of parameters and with others."""
    models = (Model("sm", changed) for changed in ({}, values))
    cache = TapeCache(folder)
    return tuple(TreeAmplitude(reaction(text, model), model, cache=cache) for model in models)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("b b~ > e- e+", {"MB": 0.0}),
        ("b b~ > e- e+", {"Me": 5e-4}),
        ("b b~ > t t~ QED=99 QCD=99", {"ymb": 0.0}),
        ("u s > u s QED=99 QCD=99", {"lamWS": 0.2}),
    ],
)
def test_values_that_change_what_vanishes_are_another_tape(
    text: str, values: dict[str, float], tmp_path: Path
) -> None:
    usual, other = tapes_kept(text, values, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert (len(other.helicities) < len(usual.helicities)) == (values == {"MB": 0.0})


@pytest.mark.parametrize("values", [{"ymb": 0.0}, {"lamWS": 0.2}])
def test_values_that_no_diagram_has_change_no_tape(
    values: dict[str, float], tmp_path: Path
) -> None:
    usual, other = tapes_kept("b b~ > e- e+", values, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert usual.identity == other.identity


@pytest.mark.parametrize("text", ["t t~ > h", "h > t t~", "w+ > t b~"])
def test_tapes_built_below_a_threshold_serve_above_it(text: str, tmp_path: Path) -> None:
    """MH = 125 and MT = 173 close these channels: no momenta tell which helicities vanish."""
    one, above = (
        reaction(text, Model("sm")),
        Model("sm", {"MH": 500.0 if "h" in text else 125.0, "MT": 60.0}),
    )
    TreeAmplitude(one, Model("sm"), cache=TapeCache(tmp_path))
    read = TreeAmplitude(one, above, cache=TapeCache(tmp_path))
    p = generic_momenta([above.mass(pdg) for pdg in one.legs], len(one.incoming))
    np.testing.assert_allclose(
        read.squared(p, ALPHA_S), TreeAmplitude(one, above).squared(p, ALPHA_S), rtol=1e-13
    )
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("text", ["u d~ > e+ ve mu+ mu-", "g g > u u~ g"])
def test_squares_of_diagrams_are_not_negative_in_rounding(text: str) -> None:
    """Partons with sqrt(s) of 0.35 GeV in the laboratory of the LHC, where terms of 1e8 cancel."""
    n_final = len(text.split()) - 3
    p = generic_momenta([0.0] * (2 + n_final), n_incoming=2, count=200) * (0.35 / 100)
    p[..., 0], p[..., 3] = (
        math.cosh(10) * p[..., 0] + math.sinh(10) * p[..., 3],
        math.sinh(10) * p[..., 0] + math.cosh(10) * p[..., 3],
    )
    p[..., 0] = np.linalg.norm(p[..., 1:], axis=-1)
    me2, squares = amplitude(text).evaluate(as_momenta(p), ALPHA_S)
    assert (me2 >= 0).all()
    assert (squares >= 0).all()
    assert (squares.sum(axis=1) > 0).mean() > 0.9
