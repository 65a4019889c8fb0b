"""The integrator where everything is computed on a device."""

from __future__ import annotations

import torch
from integrands import gaussian

from madnis_py.integrator.integrator import Integrator


def test_an_integrator_on_a_device_gives_what_one_on_the_processor_gives() -> None:
    there = Integrator(gaussian, bounds=[(0, 1)] * 2, seed=1, device="emulated")
    here = Integrator(gaussian, bounds=[(0, 1)] * 2, seed=1)
    for integrator in (there, here):
        integrator.train(steps=2, batch_size=100)
    points = [integrator.sample(50) for integrator in (there, here)]
    torch.testing.assert_close(points[0].x, points[1].x, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(points[0].weight, points[1].weight, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(
        there.log_prob(points[0].x), points[0].log_prob, rtol=1e-5, atol=1e-5
    )
    assert len(there.unweight(20, scan=500)) == 20
    assert abs(there.metrics(500, rng=1).kish - here.metrics(500, rng=1).kish) < 1e-3
