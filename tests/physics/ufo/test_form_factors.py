"""Form factors of a model, against the same vertices with the numbers that they are there."""

import cmath
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_models import amplitude_of, assert_invariant, momenta_of, of, small_model, vertex
from ufo_models import copied, own, with_vertices_of

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle
from madnis_py.physics.model_search.model_library import named_tables

LAMBDA, MASS, WIDTH = 200.0, 150.0, 8.0
READ = with_vertices_of(own("effective"), "y")


def dipole(q2: float) -> float:
    return 1 / (1 - q2 / LAMBDA**2) ** 2


def pole(q2: float) -> complex:
    if q2 > LAMBDA**2 / 50:
        root = cmath.sqrt(q2 / LAMBDA) * cmath.exp(-q2 / LAMBDA**2)
        inside = 1 + root / cmath.log(2 + abs(q2) / LAMBDA**2)
    else:
        inside = LAMBDA**2 / (LAMBDA**2 - q2 - 1j * LAMBDA * WIDTH)
    return complex(inside**1.5)


def with_numbers(q2: float) -> Model:
    """The vertices of y with their values at one momentum transfer, our particles all incoming."""
    first, second = dipole(q2), pole(q2)
    return small_model(
        [
            *of("e-", "ta-"),
            Particle("y", "y", 9000025, 3, 1, 0.0, mass="MX", width="WX"),
        ],
        [
            vertex("e+ e- y", ("FFV", f"0.3*{first}", f"0.3*{first}")),
            vertex(
                "ta+ ta- y",
                ("FFV", "0.2", "0.2"),
                ("2*Gamma(3,1,-1)*ProjM(-1,2)", f"0.2*({second})"),
                ("P(3,2)*Identity(1,2)", f"-0.2*({first * second})"),
            ),
        ],
        {"MTA": 20.0, "MX": MASS, "WX": WIDTH},
    )


def invariant(p: Array) -> float:
    return float(p[0] ** 2 - p[1:] @ p[1:])


@pytest.mark.parametrize(
    ("text", "transfer"),
    [
        ("e- e+ > ta- ta+", lambda p: p[0] + p[1]),
        ("ta- ta+ > e- e+", lambda p: p[0] + p[1]),
        ("e- ta- > e- ta-", lambda p: p[0] - p[2]),
        ("ta+ e- > ta+ e-", lambda p: p[0] - p[2]),
    ],
)
def test_a_form_factor_is_its_number_at_the_momentum_transfer(
    text: str, transfer: Callable[[Array], Array]
) -> None:
    amplitude = amplitude_of(READ, text)
    p = momenta_of(amplitude)
    for point, me2, squares in zip(p, *amplitude.evaluate(p, 0.118), strict=True):
        there = amplitude_of(with_numbers(invariant(transfer(point))), text)
        expected, expected_squares = there.evaluate(point[None], 0.118)
        assert me2 == pytest.approx(expected[0], rel=1e-11)
        np.testing.assert_allclose(squares, expected_squares[0], rtol=1e-11)
    assert_invariant(amplitude)


def test_kept_tapes_have_form_factors(tmp_path: Path) -> None:
    made = amplitude_of(READ, "e- e+ > ta- ta+")
    p = momenta_of(made)
    for _ in range(2):
        kept = TreeAmplitude(made.reaction, made.model, cache=TapeCache(tmp_path))
        np.testing.assert_array_equal(kept.squared(p, 0.118), made.squared(p, 0.118))
    softer = READ.with_values({"lam": 500.0})
    kept = TreeAmplitude(made.reaction, softer, cache=TapeCache(tmp_path))
    expected = amplitude_of(softer, "e- e+ > ta- ta+").squared(p, 0.118)
    np.testing.assert_array_equal(kept.squared(p, 0.118), expected)
    assert len(list(tmp_path.iterdir())) == 1


def test_single_precision_has_form_factors() -> None:
    amplitude = amplitude_of(READ, "e- ta- > e- ta-")
    assert amplitude.single_error(momenta_of(amplitude), 0.118).max() < 1e-4


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("sin(P(-1,1)*P(-1,1))", "expected one of sqrt, exp, log"),
        ("P(-1,1)", "products of two with one index"),
        ("nothing*P(-1,1)**2", "names of parameters; got nothing"),
        ("foo(lam)*P(-1,1)**2", "known functions; got foo"),
        ("P(-1,7)**2", "a leg from 1 to 3"),
        ("P(-1,1)**3", "squares of momenta"),
        ("1/(P(-1,1)*P(-1,2)*'a')", "expected"),
        ("Metric(1,2)*P(-1,1)**2", "expected"),
    ],
)
def test_other_form_factors_are_a_sentence_at_their_vertices(
    value: str, sentence: str, tmp_path: Path
) -> None:
    written = '"1/(1 - " + q2 + "/lam**2)**2"', f'"{value}"'
    folder = copied("effective", tmp_path, {"form_factors.py": written})
    vertices = named_tables(str(folder)).vertices
    assert all(sentence in one.lacking for one in vertices if "y" in one.particles)
    assert not any(one.lacking for one in vertices if "y" not in one.particles)


@pytest.mark.parametrize(
    "growing",
    [
        "t1 = '' + q2" + "".join(f"\nt{k + 1} = t{k} + '' + t{k}" for k in range(1, 60)),
        "t1 = ('' + q2)" + f".replace('P', '{'P' * 900}')" * 8,
    ],
)
def test_texts_that_grow_without_end_are_a_sentence(growing: str, tmp_path: Path) -> None:
    old = 'q2 = "P(-1,3)*P(-1,3)"'
    folder = copied("effective", tmp_path, {"form_factors.py": (old, f"{old}\n{growing}")})
    with pytest.raises(InputError, match="texts of at most 1,000,000 characters"):
        named_tables(str(folder))
