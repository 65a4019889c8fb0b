"""The toy studies: integrands, what quadrature knows of them, and the script in its quick mode."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from drell_yan_quadrature import Electroweak, cross_sections
from places import ROOT
from scipy import integrate
from torch import Tensor
from toy_integrands import MAPPINGS, CamelBack, CrossedRing, ZPrime
from toy_oracles import CamelBackOracle, crossed_ring_integral
from toy_trainings import Case, Job, Trainings, measure, shortened

from madnis_py.integration.channel_weights import ChannelWeightSettings, PriorWeights
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.integration.training.settings import TrainingSettings

FIGURES = ("5_5", "5_6", "5_8", "5_10", "5_11", "5_12")
UNCUT, CUT = CamelBackOracle(CamelBack()), CamelBackOracle(CamelBack(cut=2.5))
WEIGHTS_ONLY = Case("test", CamelBack(), TrainingSettings(), weights=ChannelWeightSettings())


def untrained(integrand: AbstractIntegrand) -> ImportanceSampler:
    return ImportanceSampler(
        integrand, VegasFlow.uniform(integrand.dim, integrand.n_channels, 1), PriorWeights(), seed=1
    )


def test_the_camel_back_is_normalised_and_its_cut_takes_what_the_error_function_says() -> None:
    assert UNCUT.integral == pytest.approx(1.0, abs=1e-12)
    left = 0.35 * 0.5 * math.erfc(1 / math.sqrt(2))
    assert CUT.integral == pytest.approx(left + 0.65, abs=1e-9)


def test_quadrature_reproduces_table_5_1_where_it_can_be() -> None:
    assert UNCUT.flat_error(UNCUT.optimal()) == pytest.approx(0.00773, abs=5e-6)
    assert CUT.flat_error(CUT.optimal()) == pytest.approx(0.01018, abs=5e-6)


def test_panels_agree_with_adaptive_quadrature() -> None:
    def weighted(power: int) -> float:
        def density(x: float) -> float:
            point = torch.tensor([x], dtype=torch.float64)
            g = CUT.integrand.density(point)[0]
            return float(
                (CUT.integrand.function(point)[0] * g[0] / g.sum()) ** power / g[0] ** (power - 1)
            )

        return float(integrate.quad(density, 2.5, 8.0, points=[4.5, 5.0, 5.5], limit=500)[0])

    assert CUT.sigmas(CUT.optimal())[0] == pytest.approx(
        math.sqrt(weighted(2) - weighted(1) ** 2), rel=1e-6
    )


@pytest.mark.parametrize(
    ("oracle", "flat", "stratified"), [(UNCUT, 0.7685, 0.7367), (CUT, 1.0017, 0.8625)]
)
def test_least_errors_are_those_of_direct_minimisation(
    oracle: CamelBackOracle, flat: float, stratified: float
) -> None:
    assert 100 * oracle.flat_floor == pytest.approx(flat, abs=6e-5)
    assert 100 * oracle.stratified_floor == pytest.approx(stratified, abs=6e-5)


@pytest.mark.parametrize("optimal", [False, True])
@pytest.mark.parametrize("oracle", [UNCUT, CUT])
def test_sampled_errors_of_fixed_weights_are_those_of_quadrature(
    oracle: CamelBackOracle, optimal: bool
) -> None:
    sampler = untrained(CamelBack(optimal, oracle.integrand.cut))
    measured = measure(sampler, torch.tensor([100_000, 100_000]))
    alpha = oracle.optimal() if optimal else oracle.uniform()
    assert measured["flat"] == pytest.approx(100 * oracle.flat_error(alpha), rel=0.015)
    assert measured["stratified"] == pytest.approx(100 * oracle.stratified_error(alpha), rel=0.015)
    assert abs(measured["value"] - oracle.integral) < 5 * measured["error"]


def test_the_crossed_ring_is_normalised() -> None:
    assert crossed_ring_integral() == pytest.approx(1.0, abs=1e-7)
    assert CrossedRing.line_norm == pytest.approx(1.06103, abs=5e-6)
    assert CrossedRing.ring_norm == pytest.approx(1.26987, abs=5e-6)


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_density_of_a_map_is_its_inverse_jacobian(name: str) -> None:
    y = 0.01 + 0.98 * torch.rand(
        200, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    )
    mapping = MAPPINGS[name]
    jacobian = torch.func.vmap(torch.func.jacrev(lambda u: mapping.points(u.unsqueeze(0))[0]))(y)
    assert torch.allclose(
        jacobian.det().abs() * mapping.density(mapping.points(y)), torch.ones(200).double()
    )


@pytest.mark.parametrize("maps", [("ring", "line"), ("flat", "ring", "line")])
@pytest.mark.parametrize("with_shapes", [False, True])
def test_every_choice_of_maps_gives_the_integral_of_the_crossed_ring(
    maps: tuple[str, ...], with_shapes: bool
) -> None:
    sampler = untrained(CrossedRing(maps, maps if with_shapes else None))  # type: ignore[arg-type]
    result = sampler.integrate(200_000)
    assert abs(result.value - 1) < 5 * result.error


@pytest.mark.parametrize("mapped", [True, False])
def test_the_drell_yan_toy_has_the_cross_section_of_quadrature(mapped: bool) -> None:
    integrand = ZPrime(width=50.0, mapped=mapped)
    pdf = integrand.cross_section.luminosity.pdfs[0]
    assert pdf is not None
    exact = sum(cross_sections(pdf, Electroweak(z_prime=True, wzp=50.0)).values())
    result = untrained(integrand).integrate(60_000)
    assert integrand.cross_section.n_channels == integrand.n_channels
    assert abs(result.value - exact) < 5 * result.error


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    job = Job(shortened(WEIGHTS_ONLY, steps=2, batch_size=50), seed=0, points=200)
    first = Trainings(tmp_path / "trainings.jsonl").outcomes([job])
    file = tmp_path / "trainings.jsonl"
    before = file.read_text()
    assert Trainings(file).outcomes([job]) == first
    assert file.read_text() == before


def test_a_training_that_was_cut_short_while_it_was_written_is_repeated(tmp_path: Path) -> None:
    file = tmp_path / "trainings.jsonl"
    jobs = [
        Job(shortened(WEIGHTS_ONLY, steps=2, batch_size=50), seed, points=200) for seed in (0, 1)
    ]
    first = Trainings(file).outcomes(jobs)
    file.write_text(file.read_text()[:-20])
    again = Trainings(file).outcomes(jobs)
    assert [outcome["flat"] for outcome in again] == [outcome["flat"] for outcome in first]


class Broken(CamelBack):
    """A camel back whose value is not a number."""

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        return replace(
            super().evaluate(x, channel),
            value=torch.full((len(x),), torch.nan, dtype=torch.float64),
        )


def test_a_training_that_breaks_down_is_reported_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    cases = [
        shortened(replace(WEIGHTS_ONLY, integrand=integrand), 2, 50)
        for integrand in (Broken(), CamelBack())
    ]
    broken, sound = Trainings(tmp_path / "trainings.jsonl").outcomes(
        [Job(case, 0, 200) for case in cases]
    )
    assert "value is nan in channel 0" in broken["failed"]
    assert sound["flat"] > 0


def test_the_quick_mode_writes_every_row_and_every_figure(tmp_path: Path) -> None:
    output = tmp_path / "toys.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "toys.py"),
        "--quick",
        "--output",
        str(output),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300, env=environment)
    result = json.loads(output.read_text())
    rows = {(row["table"], row["row"]): row for row in result["rows"]}
    assert result["benchmark"] == "toys"
    assert len(rows) == len(result["rows"]) == 12 + 12 + 3 + 18 + 5
    assert rows["5.1", "camel back, NN from flat prior"]["published"] == 0.770
    assert all(row["value"] > 0 and row["settings"] for row in result["rows"])
    assert all(
        (tmp_path / "toys" / f"figure_{number}.svg").stat().st_size > 1000 for number in FIGURES
    )
