"""Propagators of a model's own: the usual ones in their text, and others against closed forms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dirac import METRIC
from small_models import amplitude_of, assert_invariant, momenta_of, of, small_model, vertex

from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.lorentz.propagator_terms import LineParameters, propagator_terms
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import CustomPropagator, Particle

POLE = "P('mu', id) * P('mu', id) - Mass(id) * Mass(id) + complex(0,1) * Mass(id) * Width(id)"
USUAL = {
    1: "complex(0,1)",
    2: "complex(0,1) * (Gamma('mu',1,2) * P('mu',id) + Mass(id) * Identity(1,2))",
    3: "complex(0,1) * (-1 * Metric(1,2) + Metric(1,'mu') * P('mu',id) * P(2,id) / Mass(id)**2)",
    4: "-complex(0,1) * (Gamma('nu',1,'s') * P('nu',id) + Mass(id) * Identity(1,'s'))"
    " * (Metric(1,2)*Identity('s',2) - Gamma(1,'s','t')*Gamma(2,'t',2)/3"
    " - (Gamma(1,'s',2)*P(2,id) - Gamma(2,'s',2)*P(1,id)) / (3*Mass(id))"
    " - 2*P(1,id)*P(2,id)*Identity('s',2) / (3*Mass(id)**2))",
    5: "complex(0,1) * (1/2*(-Metric(1,2) + P(1,id)*P(2,id)*OverMass2(id))"
    " * (-Metric(51,52) + P(51,id)*P(52,id)*OverMass2(id))"
    " + 1/2*(-Metric(1,52) + P(1,id)*P(52,id)*OverMass2(id))"
    " * (-Metric(51,2) + P(51,id)*P(2,id)*OverMass2(id))"
    " - 1/3*(-Metric(1,51) + P(1,id)*P(51,id)*OverMass2(id))"
    " * (-Metric(2,52) + P(2,id)*P(52,id)*OverMass2(id)))",
}
PARTICLES = (
    *of("e-", "ta-"),
    Particle("s", "s", 9000030, 1, 1, 0.0, mass="MS", width="WS"),
    Particle("x", "x", 9000023, 3, 1, 0.0, mass="MX", width="WX"),
    Particle("G", "G", 9000039, 5, 1, 0.0, mass="MG", width="WG"),
    Particle("n", "n", 9000012, 2, 1, 0.0, mass="MNN", width="WN"),
    Particle("gvt", "gvt", 9000040, 4, 1, 0.0, mass="MGVT", width="WGVT"),
    Particle("r-", "r+", 9000041, 4, 1, -1.0, mass="MR", width="WR"),
)
MASSES = {"MS": 90.0, "WS": 4.0, "MX": 300.0, "WX": 8.0, "MG": 250.0, "WG": 3.0, "MTA": 20.0}
MASSES |= {"MNN": 70.0, "WN": 2.0, "MGVT": 160.0, "WGVT": 3.0, "MR": 210.0, "WR": 4.0}


def model(custom: bool) -> Model:
    """Everything couples to taus; with the usual propagators written out, or not."""
    particles = [
        replace(one, propagator=_written(USUAL[one.spin], POLE, one))
        if custom and (one.spin in (1, 3, 4, 5) or one.name in ("ta-", "n"))
        else one
        for one in PARTICLES
    ]
    return small_model(
        particles,
        [
            vertex("ta+ ta- s", ("FFS", "0.3", "0.2")),
            vertex("ta+ ta- x", ("FFV", "0.1", "0.4")),
            vertex("ta+ ta- G", ("Gamma(1003,1,2)*(P(2003,2) - P(2003,1))", "0.002")),
            vertex("e+ e- x", ("FFV", "0.2", "0.3")),
            vertex("n ta- s", ("FFS", "0.2", "0.1")),
            vertex("ta+ n s", ("FFS", "0.1", "0.2")),
            vertex("gvt ta- s", ("P(1,3)*ProjP(1,2)", "0.01")),
            vertex("ta+ gvt s", ("P(2,3)*ProjM(1,2)", "0.01")),
            vertex("e+ r- s", ("P(2,3)*ProjM(1,2)", "0.02"), ("P(2,1)*ProjP(1,2)", "0.01")),
            vertex("r+ e- s", ("P(1,3)*ProjP(1,2)", "0.02"), ("P(1,2)*ProjM(1,2)", "0.01")),
        ],
        MASSES,
    )


def _written(numerator: str, denominator: str, one: Particle) -> CustomPropagator:
    return CustomPropagator(
        *propagator_terms(numerator, denominator, one.spin, LineParameters(one.mass, one.width))
    )


@pytest.mark.parametrize(
    "text",
    [
        "ta- ta+ > ta- ta+",
        "ta- ta- > ta- ta-",
        "e- ta- > e- ta- s",
        "ta- ta+ > s s",
        "ta- ta- > s s",
        "ta- s > ta+ s",
        "e- s > e- s",
        "e+ s > e+ s",
        "e- e+ > s s",
    ],
)
def test_the_usual_propagators_are_those_of_their_text(text: str) -> None:
    written, usual = (amplitude_of(model(custom), text) for custom in (True, False))
    p = momenta_of(usual)
    for found, expected in zip(written.evaluate(p, 0.118), usual.evaluate(p, 0.118), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert_invariant(written)


def test_a_double_pole_has_the_square_of_the_propagator() -> None:
    def with_pole(numerator: str, denominator: str) -> Model:
        scalar = PARTICLES[2]
        custom = replace(scalar, propagator=_written(numerator, denominator, scalar))
        return small_model(
            [*of("e-", "ta-"), custom],
            [vertex("ta+ ta- s", ("FFS", "0.3", "0.2")), vertex("e+ e- s", ("FFS", "0.1", "0.1"))],
            MASSES,
        )

    numerator = "complex(0,1)*Mass(id)*Width(id)"
    double = amplitude_of(with_pole(numerator, f"({POLE})**2"), "e- e+ > ta- ta+")
    single = amplitude_of(with_pole("complex(0,1)", POLE), "e- e+ > ta- ta+")
    p = momenta_of(single)
    s = ((p[:, 0] + p[:, 1]) ** 2 * np.diag(METRIC)).sum(axis=1)
    factor = abs(90.0 * 4.0 / (s - 90.0**2 + 90.0j * 4.0)) ** 2
    np.testing.assert_allclose(
        double.squared(p, 0.118), factor * single.squared(p, 0.118), rtol=1e-11
    )


@pytest.mark.parametrize("text", ["ta- ta+ > ta- ta+", "ta- ta- > s s"])
def test_kept_tapes_have_structures_and_propagators(text: str, tmp_path: Path) -> None:
    made = amplitude_of(model(True), text)
    p = momenta_of(made)
    for _ in range(2):
        kept = TreeAmplitude(made.reaction, made.model, cache=TapeCache(tmp_path))
        np.testing.assert_array_equal(kept.squared(p, 0.118), made.squared(p, 0.118))
    assert len(list(tmp_path.iterdir())) == 1
