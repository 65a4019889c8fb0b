"""Partial widths of one incoming particle, and the map of its phase space."""

from __future__ import annotations

import math
from pathlib import Path

import laws
import numpy as np
import pytest
from channels import volume

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.events.event_batch import INCOMING
from madnis_py.events.files.formats import open_events
from madnis_py.integration.estimate import Estimate
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.decays.partial_widths import partial_width
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run


def process(definition: str, **tables: object) -> Process:
    return Process.from_card(Card.parse({"process": {"definition": definition}, **tables}))


def width(definition: str, points: int = 20_000, **tables: object) -> Estimate:
    integrand = CrossSection(process(definition, **tables))
    assert integrand.unit == "GeV"
    return train_vegas(integrand, VegasSettings(points=points), seed=1)[1]


MAPS = ["h > z e+ e-", "h > e+ e- mu+ mu-", "t > b e+ ve", "t > b w+"]


@pytest.mark.parametrize("definition", MAPS)
@pytest.mark.parametrize("phase_space", ["diagrams", "flat"])
def test_the_map_of_a_decay_has_the_laws_of_all_maps(definition: str, phase_space: str) -> None:
    one = process(definition, channels={"phase_space": phase_space})
    for channel in one.channels:
        mapping = channel.mapping
        laws.mapping_inverse_undoes_forward(mapping, 1e-9)
        laws.mapping_particles_are_on_shell(mapping, tuple(map(one.model.mass, one.flavours[0])))
        laws.mapping_is_zero_outside_the_cube(mapping)
        laws.mapping_inverse_is_zero_outside_the_support(mapping)


@pytest.mark.parametrize("definition", MAPS)
def test_the_jacobian_adds_up_to_the_volume_of_phase_space(definition: str) -> None:
    one = process(definition)
    masses = [one.model.mass(pdg) for pdg in one.flavours[0]]
    mapping = one.channels[0].mapping
    x = np.random.default_rng(1).random((200_000, mapping.dim))
    jacobian = mapping.forward(x)[1]
    error = jacobian.std() / math.sqrt(len(x))
    expected = volume(masses[0], tuple(masses[1:]))
    assert abs(jacobian.mean() - expected) < 5 * error + 1e-6 * expected


@pytest.mark.parametrize(
    ("definition", "parent", "products"),
    [
        ("z > e+ e-", 23, [(11, -11)]),
        ("z > l+ l-", 23, [(11, -11), (13, -13)]),
        ("t > b w+", 6, [(24, 5)]),
        ("h > b b~", 25, [(5, -5)]),
        ("w+ > j j", 24, [(2, -1), (4, -3)]),
        ("h > z l+ l-", 25, [(23, 11, -11), (23, 13, -13)]),
    ],
)
def test_a_width_by_integration_is_that_of_the_closed_form_or_quadrature(
    definition: str, parent: int, products: list[tuple[int, ...]]
) -> None:
    found = width(definition, 100_000 if len(products[0]) > 2 else 5_000)
    model = process(definition).model
    expected = sum(partial_width(parent, one, model) for one in products)
    assert found.error < 1e-3 * expected
    assert abs(found.value - expected) < 5 * found.error + 1e-9 * expected


def test_a_top_decays_through_the_w_as_its_branching_ratio_says() -> None:
    """sigma x BR up to 2 % off the mass shell of the W."""
    found = width("t > b e+ ve")
    model = process("t > b e+ ve").model
    narrow = partial_width(6, (24, 5), model) * partial_width(24, (12, -11), model) / model["WW"]
    assert found.value == pytest.approx(narrow, rel=0.02)
    assert width("t > b w+, w+ > e+ ve").value < found.value


def test_a_decay_has_the_scale_of_its_mass_unless_the_card_says_another() -> None:
    scales = process("t > b w+").card.scales
    assert (scales.renormalization, scales.alpha_s_running) == (173.0, True)
    given = process("t > b w+", scales={"renormalization": 50.0}, beams={"energy": [6500.0] * 2})
    assert given.card.scales.renormalization == 50.0


def test_a_decay_is_infinite_with_soft_gluons() -> None:
    with pytest.raises(CardError, match="expected cuts that keep the mass of"):
        CrossSection(process("t > b w+ g"))
    cuts = {"b,g": {"mass_min": 20.0}, "b,w+": {"mass_max": 150.0}}
    assert 0 < width("t > b w+ g", 2_000, cuts=cuts).value < 1


def test_a_run_of_a_decay_makes_events_at_rest(tmp_path: Path) -> None:
    one = process("t > b e+ ve", training={"preset": "quick"})
    run = Run(one, tmp_path / "run", 1, method="vegas")
    run.integrate(4_000)
    run.generate(100, tmp_path / "events.lhe.gz")
    assert run.record.unit == "GeV"
    reader = open_events(tmp_path / "events.lhe.gz")
    assert reader.init.beam_pdg == (6, 0)
    assert reader.init.beam_energies == (173.0, 0.0)
    (batch,) = reader
    batch.check()
    np.testing.assert_array_equal((batch.status == INCOMING).sum(axis=1), 1)
    np.testing.assert_array_equal(batch.momenta[:, 0], np.tile([173.0, 0, 0, 0], (100, 1)))
    assert (batch.mothers[:, 1] == 1).all()
    assert batch.weight.mean() == pytest.approx(run.record.sigma_pb)
