"""Scales and x beyond the ends of a grid: their share is reported, and refused if too large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from drell_yan_quadrature import Electroweak, mass_edges
from grids import COUPLING, INFO, grid_text, write_set
from toy_oracles import gauss_panels

from madnis_py.card.card import Card
from madnis_py.card.tables import SystematicsTable
from madnis_py.errors import GenerationError
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.pdf.grid_limits import ShareOutside, grid_limits_of, varied_limits
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

BEAM = 6500.0
LOWEST = 500.0


def grid(folder: Path, x_min: float, x_max: float) -> Path:
    """Quarks with x f = (1 - x)^3 between two x, the same at every scale from 2 GeV on."""
    x = np.geomspace(x_min, x_max, 40)
    quarks = dict.fromkeys((1, 2, 3, 4, -1, -2, -3, -4), ((1 - x) ** 3)[:, None])
    return write_set(
        folder / "ends", INFO + COUPLING, grid_text(x.tolist(), [2.0, 10.0, 1e3, 1e5], quarks)
    )


def process(pdf: str | Path, definition: str = "p p > e+ e-", **tables: object) -> Process:
    common = {
        "process": {"definition": definition},
        "cuts": {"e+,e-": {"mass_min": LOWEST}},
        "beams": {"pdf": str(pdf)},
    }
    return Process.from_card(Card.parse({**common, **tables}))


def outside(cross_section: CrossSection, points: int = 40_000) -> list[ShareOutside]:
    flow, _ = train_vegas(cross_section, VegasSettings(points=4000), seed=1)
    counts = torch.full((cross_section.n_channels,), points // cross_section.n_channels)
    return cross_section.outside_grid(
        ImportanceSampler(cross_section, flow, PriorWeights(), seed=2).sample(counts, "look")
    )


def share_below(pdf: Path, x_min: float) -> float:
    """Part of the cross section with an x below, by quadrature."""
    m, m_weight = gauss_panels(mass_edges(LOWEST, 2 * BEAM, []), 8)
    y, y_weight = gauss_panels(np.linspace(-1, 1, 201), 4)
    reach = np.log(2 * BEAM / m)
    x = [(m[:, None] / (2 * BEAM) * np.exp(sign * reach[:, None] * y)).ravel() for sign in (1, -1)]
    density = [load_pdf(str(pdf)).density([1], one, 91.188**2)[:, 0] / one for one in x]
    product = (density[0] * density[1]).reshape(len(m), -1)
    inside = (np.minimum(*x) >= x_min).reshape(len(m), -1)
    partonic = sum(Electroweak().sigma(m**2, up) for up in (True, False)) * m_weight * m * reach
    return 1 - float(partonic @ ((product * inside) @ y_weight) / (partonic @ (product @ y_weight)))


def test_the_share_below_the_grid_is_that_of_a_quadrature(tmp_path: Path) -> None:
    pdf = grid(tmp_path, 0.01, 1.0)
    (found,) = outside(CrossSection(process(pdf)))
    assert (found.limit.quantity, found.limit.side) == ("x", "below")
    assert found.limit.bound == pytest.approx(0.01)
    expected = share_below(pdf, 0.01)
    assert 0.05 < expected < 0.9
    assert abs(found.share - expected) < 0.02
    assert found.too_much
    assert "cuts that keep the events inside" in found.refusal


def test_points_above_the_largest_x_are_counted_though_nothing_comes_from_them(
    tmp_path: Path,
) -> None:
    cross_section = CrossSection(process(grid(tmp_path, 1e-4, 0.3)))
    (found,) = outside(cross_section)
    assert (found.limit.quantity, found.limit.side, found.share) == ("x", "above", 0.0)
    assert found.points > 0.01
    assert found.too_much


def test_inside_the_grid_nothing_is_told(tmp_path: Path) -> None:
    assert outside(CrossSection(process(grid(tmp_path, 1e-4, 1.0)))) == []


def test_a_cross_section_from_below_the_scales_of_the_grid_is_refused_before_anything_is_trained(
    tmp_path: Path,
) -> None:
    low = process(grid(tmp_path, 1e-4, 1.0), scales={"factorization": 1.0})
    sentence = (
        r"parton densities: expected at most 1% beyond their ends; "
        r"got the cross section with the factorization scale "
        r'below 2 GeV, where the grid of "ends" begins: '
        r"100 % of the cross section, 100 % of the points\. "
        r"To change: scales\.factorization: another scale, "
        r"or beams\.pdf: a set that reaches further"
    )
    with pytest.raises(GenerationError, match=sentence):
        Run(low, tmp_path / "run").integrate(20_000)
    assert not list((tmp_path / "run").glob("survey*"))


@pytest.mark.parametrize(("definition", "beyond"), [("g g > t t~", True), ("u u~ > e+ e-", False)])
def test_the_end_of_the_coupling_matters_where_the_coupling_does(
    definition: str, beyond: bool
) -> None:
    cross_section = process(
        "toy",
        definition,
        cuts={"lepton,lepton": {"mass_min": 50.0}},
        scales={"renormalization": 0.5},
    )
    found = [one.limit.quantity for one in outside(CrossSection(cross_section), 4000)]
    assert ("renormalization scale" in found) == beyond


def test_a_small_share_is_a_warning_and_stands_in_the_record(tmp_path: Path) -> None:
    pdf = grid(tmp_path, 0.0021, 1.0)
    run = Run(
        process(pdf, systematics={"scale_factors": []}), tmp_path / "run", seed=2, method="vegas"
    )
    run.integrate(40_000)
    (found,) = run.record.content()["outside_grid"]
    assert abs(found["share"] - share_below(pdf, 0.0021)) < 2e-3
    assert 0 < found["share"] < 0.01
    (sentence,) = (one for one in run.record.warning_sentences if "x below" in one)
    assert sentence.startswith(
        'integrate: the cross section with x below 0.0021, where the grid of "ends" begins: 0.'
    )


def test_variations_below_the_grid_are_a_warning_of_the_cross_section_and_no_events(
    tmp_path: Path,
) -> None:
    pdf = grid(tmp_path, 1e-4, 1.0)
    run = Run(process(pdf, scales={"factorization": 3.0}), tmp_path / "run", method="vegas")
    run.integrate(20_000)
    assert any(
        "variations of the events with 0.5 times the factorization scale below 2 GeV" in one
        for one in run.record.warning_sentences
    )
    with pytest.raises(
        GenerationError, match=r"To change: systematics\.scale_factors and pdf_sets"
    ):
        run.generate(10)
    assert not run.events_file.exists()


@pytest.mark.parametrize(
    ("factors", "varied"),
    [
        ([0.5, 1.0], {("factorization scale", 0.5), ("renormalization scale", 0.5)}),
        ([[0.5, 1.0], [0.5, 2.0]], {("renormalization scale", 0.5), ("factorization scale", 2.0)}),
        ([], set()),
    ],
)
def test_each_scale_has_the_limits_of_its_own_factors(
    tmp_path: Path, factors: list[object], varied: set[tuple[str, float]]
) -> None:
    limits = grid_limits_of(load_pdf(str(grid(tmp_path, 1e-4, 1.0))), with_coupling=True)
    settings = SystematicsTable.model_validate({"scale_factors": factors, "pdf_members": False})
    found = varied_limits(limits, settings, with_coupling=True)
    assert {(one.quantity, one.factor) for one in found} == varied
