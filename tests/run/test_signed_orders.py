"""Runs of interferences of coupling orders, whose cross section is negative."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from toy_oracles import gauss_panels

from madnis_py.card.card import Card
from madnis_py.events.files.formats import open_events
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

ENERGY, PT_MIN = 500.0, 50.0
PICOBARN = 3.8937937217185e8


def expected_sigma() -> float:
    """Gluon times photon in u u~ > u u~: |M|^2 = 32/9 g^2 e^2 Q^2 u^2 / (s t), in pb."""
    s, model = ENERGY**2, Model("sm")
    reach = math.sqrt(1 - 4 * PT_MIN**2 / s)
    cos, weight = gauss_panels(np.linspace(-reach, reach, 11), 16)
    t, u = -s / 2 * (1 - cos), -s / 2 * (1 + cos)
    couplings = (4 * math.pi) ** 2 * model["aS"] * model.alpha_qed * 4 / 9
    me2 = 32 / 9 * couplings * u**2 / (s * t)
    return float(PICOBARN * (me2 @ weight) / (32 * math.pi * s))


def test_a_negative_interference_is_integrated_and_its_events_have_negative_weights(
    tmp_path: Path,
) -> None:
    card = Card.parse(
        {
            "process": {"definition": "u u~ > u u~ QCD^2==2 / z"},
            "beams": {"pdf": "none", "energy": [ENERGY / 2, ENERGY / 2]},
            "cuts": {"jet": {"pt_min": PT_MIN}},
        }
    )
    run = Run(Process.from_card(card), tmp_path / "run", method="vegas")
    result = run.integrate(20_000)
    assert result.sigma_error_pb < 0.01 * abs(result.sigma_pb)
    assert abs(result.sigma_pb - expected_sigma()) < 5 * result.sigma_error_pb
    file = run.generate(200)
    weights = np.concatenate([batch.weight for batch in open_events(file)])
    assert len(weights) == 200
    assert (weights < 0).all()
    assert np.isclose(weights.mean(), result.sigma_pb, rtol=1e-9)
