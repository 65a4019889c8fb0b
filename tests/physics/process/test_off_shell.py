"""Particles that are kept off their mass shell, "$ z", as MadEvent keeps them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from amplitudes import invariant, points
from drell_yan_quadrature import Electroweak, cross_sections
from numpy.typing import NDArray
from scipy.stats import qmc
from toy_oracles import gauss_panels

from madnis_py.arrays import Array
from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.errors import CardError, DeviceError
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.on_device.matrix_elements_on_device import matrix_element_on_device
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.process.evaluation import evaluate_points
from madnis_py.physics.process.process import Process

WIDTHS = float(np.geomspace(0.25, 200, 21)[12])
"""An edge of the panels of the quadrature: 13.8 widths."""

MODEL = Model("sm")
REPLICAS = 8


@cache
def process(definition: str, widths: float | None = None) -> Process:
    table = {"definition": definition, "bwcutoff": widths}
    return Process.from_card(Card.parse({"process": table, "beams": {"pdf": "none"}}))


def pair_at(mass: float, count: int = 5) -> Array:
    """Momenta of two massless particles to two, sqrt(s) in GeV."""
    p = generic_momenta([0.0] * 4, 2, count)
    return as_momenta(p * mass / np.sqrt(invariant(p, 0, 1))[:, None, None])


class WithoutZOnShell(Electroweak):
    """Photon and Z, but near the mass of the Z the share of the photon alone."""

    def sigma(self, s: Array | float, up: bool, pt_min: float = 0.0) -> Array:
        """See `Electroweak.sigma`."""
        cos, weight = gauss_panels(np.linspace(-1, 1, 5), 8)
        energy2 = np.atleast_1d(s)[:, None]
        photon = _PhotonAlone().differential(energy2, up, cos)
        z = _ZAlone().differential(energy2, up, cos)
        left = (self.differential(energy2, up, cos) * photon / (photon + z)) @ weight
        near = np.abs(np.sqrt(s) - self.mz) < WIDTHS * self.wz
        return np.where(near, left, super().sigma(s, up, pt_min))


class _PhotonAlone(Electroweak):
    def propagators(
        self, s: Array | float, up: bool
    ) -> dict[tuple[bool, bool], NDArray[np.complex128]]:
        charge = 2 / 3 if up else -1 / 3
        amplitude = np.asarray(-4 * np.pi * self.alpha * charge / s, np.complex128)
        return {(a, b): amplitude for a in (True, False) for b in (True, False)}


class _ZAlone(Electroweak):
    def propagators(
        self, s: Array | float, up: bool
    ) -> dict[tuple[bool, bool], NDArray[np.complex128]]:
        photon = _PhotonAlone().propagators(s, up)
        return {key: one - photon[key] for key, one in super().propagators(s, up).items()}


@pytest.mark.parametrize("mass", [50.0, 91.188 - 13.9 * 2.441404, 130.0])
def test_away_from_the_mass_shell_nothing_changes(mass: float) -> None:
    p = pair_at(mass)
    restricted = process("u u~ > e+ e- $ z", WIDTHS).matrix_element().evaluate(p, 0.1)
    free = process("u u~ > e+ e-").matrix_element().evaluate(p, 0.1)
    for one, other in zip(restricted, free, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("mass", [91.188 - 13.7 * 2.441404, 80.0, 91.188, 110.0])
def test_on_the_mass_shell_the_share_of_the_photon_is_left(mass: float) -> None:
    p = pair_at(mass)
    me2, squares = process("u u~ > e+ e- $ z", WIDTHS).matrix_element().evaluate(p, 0.1)
    every, (photon, z) = (
        process("u u~ > e+ e-").matrix_element().squared(p, 0.1),
        process("u u~ > e+ e-").matrix_element().evaluate(p, 0.1)[1].T,
    )
    np.testing.assert_allclose(me2, every * photon / (photon + z), rtol=1e-12)
    np.testing.assert_array_equal(squares[:, 1], 0.0)
    np.testing.assert_allclose(squares[:, 0], photon, rtol=1e-12)


def test_cross_section_agrees_with_a_quadrature_with_the_same_shares() -> None:
    changes = {"process": {"definition": "p p > e+ e- $ z", "bwcutoff": WIDTHS}}
    integrand = CrossSection(Process.from_card(cards.load("drell_yan").updated(changes)))
    expected = sum(cross_sections(load_pdf("toy"), WithoutZOnShell()).values())
    everything = sum(cross_sections(load_pdf("toy")).values())
    estimates = []
    channel = torch.arange(integrand.n_channels).repeat_interleave(2**12)
    for seed in range(REPLICAS):
        x = torch.from_numpy(qmc.Sobol(integrand.dim, seed=seed).random_base2(12))
        result = integrand.evaluate(x.repeat(integrand.n_channels, 1), channel)
        alpha = result.prior / result.prior.sum(dim=1, keepdim=True)
        weights = result.value * alpha[torch.arange(len(channel)), channel]
        estimates.append(float(weights.sum()) / len(x))
    error = np.std(estimates, ddof=1) / np.sqrt(REPLICAS)
    assert error < 1e-2 * expected
    assert abs(np.mean(estimates) - expected) < 5 * error
    assert expected < 0.9 * everything


def test_helicities_and_flows_are_those_of_what_is_left() -> None:
    p = pair_at(91.0)
    element = process("u u~ > e+ e- $ z").matrix_element()
    weights = element.weights(p, 0.1)
    np.testing.assert_allclose(weights.me2, element.squared(p, 0.1), rtol=1e-12)
    np.testing.assert_allclose(weights.helicities.sum(axis=1), weights.me2, rtol=1e-12)


@pytest.mark.parametrize(
    ("definition", "lines"),
    [
        ("u u~ > e+ e- $ z", 1),
        ("u d > u d QED=2 $ z", 0),  # between the quarks
        ("u d~ > w+ z $ w-", 0),
        ("u d~ > e+ ve $ w+", 1),
        ("u u~ > w+ w- $ z a", 1),  # the photon has no width, but its line is marked
        ("u u~ > t t~, (t > b e+ ve $ w+)", 1),
    ],
)
def test_lines_are_those_in_the_s_channel_of_their_step(definition: str, lines: int) -> None:
    of_definition = process(definition)
    (group,) = of_definition.groups
    found = {line for diagram in of_definition.diagrams(group) for line in diagram.off_shell}
    assert len([line for line in found if MODEL.width(line[0]) > 0]) == lines


def test_orders_of_the_beams_share_what_is_left() -> None:
    both = Process.from_card(
        Card.parse({"process": {"definition": "p p > e+ e- $ z"}, "beams": {"pdf": "toy"}})
    )
    p = pair_at(90.0)
    turned = as_momenta(p[:, [1, 0, 2, 3]])
    quark, antiquark = (both.matrix_element(legs) for legs in ((2, -2, -11, 11), (-2, 2, -11, 11)))
    np.testing.assert_allclose(quark.squared(p, 0.1), antiquark.squared(turned, 0.1), rtol=1e-12)


def test_what_cannot_keep_particles_off_their_mass_shell_says_so() -> None:
    restricted = process("u u~ > e+ e- $ z")
    with pytest.raises(DeviceError, match="expected a definition without particles off their mass"):
        matrix_element_on_device(restricted.matrix_element(), EmulatedKernels())
    content = {"points": [{"momenta": points("u u~ > e+ e-", 1)[0].tolist()}]}
    with pytest.raises(CardError, match="for --weights or --single"):
        evaluate_points(restricted, content, "momenta", weights=True)
