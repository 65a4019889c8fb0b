"""Lorentz structures in the kernels of a device, against those of the processor."""

import numpy as np
import pytest
import torch
from small_models import amplitude_of, momenta_of, of, small_model, vertex
from ufo_models import own

from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.errors import DeviceError
from madnis_py.physics.model.particles import Particle
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.matrix_elements_on_device import matrix_element_on_device

PARTICLES = (
    *of("e-", "a"),
    Particle("phi", "phi~", 9000011, 1, 1, -1.0, mass="MPHI"),
    Particle("n", "n", 9000012, 2, 1, 0.0, mass="MNN"),
    Particle("G", "G", 9000039, 5, 1, 0.0, mass="MG"),
    Particle("gvt", "gvt", 9000040, 4, 1, 0.0, mass="MGVT"),
)
MASSES = {"MPHI": 40.0, "MNN": 70.0, "MG": 200.0, "MGVT": 120.0}
NARROW = small_model(
    PARTICLES,
    [
        vertex("a phi phi~", ("VSS", "0.3")),
        vertex("a a phi phi~", ("VVSS", "0.18")),
        vertex("e+ e- a", ("FFV", "0.3", "0.3"), ("Sigma(-1,3,1,2)*P(-1,3)", "0.002j")),
        vertex("n e- phi~", ("FFS", "0.1", "0.2")),
        vertex("e+ n phi", ("FFS", "0.2", "0.1")),
    ],
    MASSES,
)
WIDE = small_model(
    PARTICLES,
    [
        vertex("e+ e- G", ("Gamma(1003,1,2)*(P(2003,2) - P(2003,1))", "0.01")),
        vertex("G phi phi~", ("P(1001,2)*P(2001,3)", "0.01")),
        vertex("gvt e- phi~", ("P(1,3)*ProjP(1,2)", "0.01")),
        vertex("e+ gvt phi", ("P(2,3)*ProjM(1,2)", "0.01")),
    ],
    MASSES,
)
COUNT = 150


@pytest.mark.parametrize("text", ["e- e+ > e- e+ a", "n n > e- e+ a", "e- a > n phi a"])
def test_programs_have_the_results_of_the_processor(text: str) -> None:
    amplitude = amplitude_of(NARROW, text)
    p = momenta_of(amplitude, COUNT)
    squared, diagrams = amplitude.evaluate(p, 0.118)
    on_device = matrix_element_on_device(amplitude, EmulatedKernels())
    coupling = torch.full((COUNT,), 0.118, dtype=torch.float64)
    live = LiveEvents.all(COUNT, torch.device("cpu"))
    found, found_diagrams = on_device.evaluate(torch.from_numpy(p), coupling, live)
    np.testing.assert_allclose(found.numpy(), squared, rtol=1e-9)
    np.testing.assert_allclose(found_diagrams.numpy(), diagrams, rtol=1e-8)


def test_the_helicity_of_an_event_may_be_chosen_for_every_spin() -> None:
    amplitude = amplitude_of(WIDE, "G gvt > e- phi~")
    p = momenta_of(amplitude, 3)
    parts = [
        amplitude.at_helicities(p, 0.118, np.tile(states, (3, 1)))
        for states in amplitude.helicities
    ]
    np.testing.assert_allclose(np.sum(parts, axis=0), amplitude.squared(p, 0.118), rtol=1e-11)


@pytest.mark.parametrize("text", ["G gvt > e- phi~", "e- e+ > phi phi~"])
def test_spin_2_and_three_halves_are_refused_on_a_device(text: str) -> None:
    with pytest.raises(DeviceError, match="expected particles of spin 0, 1/2 and 1"):
        matrix_element_on_device(amplitude_of(WIDE, text), EmulatedKernels())


def test_form_factors_are_refused_on_a_device() -> None:
    amplitude = amplitude_of(own("effective"), "e- e+ > ta- ta+")
    with pytest.raises(DeviceError, match="expected vertices without form factors"):
        matrix_element_on_device(amplitude, EmulatedKernels())
