"""What is kept of the points of a run: weights, distributions, correlations, diagrams."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import small_process

from madnis_py.arrays import Array
from madnis_py.errors import CheckpointError
from madnis_py.integration.samples import Samples
from madnis_py.run.diagnostics.correlations import mutual_information, strongest_correlation
from madnis_py.run.diagnostics.diagnostics import DIAGNOSTICS, Diagnostics
from madnis_py.run.diagnostics.event_distributions import EventDistributions
from madnis_py.run.diagnostics.weight_spectrum import WeightSpectrum
from madnis_py.run.record import RunRecord
from madnis_py.run.run import Run

POINTS = 20_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("diagnostics")
    found = Run(small_process(folder), folder / "run", 5)
    found.integrate(POINTS)
    return found


@pytest.fixture(scope="module")
def record(run: Run) -> RunRecord:
    return run.record


@pytest.fixture(scope="module")
def kept(run: Run) -> Diagnostics:
    found = Diagnostics.read(run.directory.path)
    assert found is not None
    return found


def test_the_mean_weight_of_trials_is_the_efficiency(kept: Diagnostics, record: RunRecord) -> None:
    for name, spectrum in kept.weights.items():
        result = record.result_of(name)
        assert result is not None
        assert math.isclose(spectrum.mean, result.unweighting.efficiency, rel_tol=1e-6)
        total = sum(spectrum.shares) + spectrum.zero + spectrum.below + spectrum.above
        assert math.isclose(total, 1.0, rel_tol=1e-3)


def test_weights_of_one_size_are_in_one_bin() -> None:
    n = 100
    weight = torch.full((n,), 3.0, dtype=torch.float64)
    nothing = torch.empty(n, 0, dtype=torch.float64)
    points = Samples(
        torch.zeros(n, dtype=torch.int64), nothing, weight, weight, nothing, nothing, weight, weight
    )
    spectrum = WeightSpectrum.of(points, np.array([6.0]))
    (filled,) = np.flatnonzero(spectrum.shares)
    assert spectrum.edges[filled] <= 0.5 < spectrum.edges[filled + 1]
    assert (spectrum.shares[filled], spectrum.mean, spectrum.overweight) == (1.0, 0.5, 0.0)


def test_true_and_learned_distributions_have_the_cross_section_of_the_run(
    kept: Diagnostics, record: RunRecord
) -> None:
    (mass,) = (one for one in kept.distributions if one.observable == "mass(e+,e-)")
    for name, content in mass.samplers.items():
        result = record.result_of(name)
        assert result is not None
        error = 5 * result.sigma_error_pb * math.sqrt(10)  # of a tenth of the points
        beyond = 0.01 * result.sigma_pb  # outside of the bins
        assert abs(sum(content.true) - result.sigma_pb) < error + beyond
        assert abs(sum(content.learned) - sum(content.true)) < error + beyond
        assert np.allclose(np.sum(content.channels, axis=0), content.learned, rtol=1e-3)


def test_labels_of_distributions_are_typeset(kept: Diagnostics) -> None:
    labels = {one.observable: one.label for one in kept.distributions}
    assert labels["pt(e+)"] == "$p_{T}(e^{+})$"
    assert labels["mass(e+,e-)"] == "$m_{e^{+} e^{-}}$"


def test_diagrams_come_by_the_shares_of_their_channels(
    kept: Diagnostics, record: RunRecord
) -> None:
    shares = [one.share for one in kept.diagrams]
    assert shares == sorted(shares, reverse=True)
    known = {channel.name: channel.share for channel in record.channels or ()}
    assert {one.channel: one.share for one in kept.diagrams} == known
    assert all(len(one.drawing.vertices) == 2 for one in kept.diagrams)


def test_distributions_of_events_have_the_cross_section_of_the_run(
    run: Run, record: RunRecord, kept: Diagnostics
) -> None:
    path = run.generate(1000, run.directory.path / "thousand.lhe")
    made = EventDistributions.read(run.directory.path)
    assert made is not None
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made.observables.keys() == {one.observable for one in kept.distributions}
    (mass,) = (one for one in kept.distributions if one.observable == "mass(e+,e-)")
    contents, true = made.observables["mass(e+,e-)"], mass.samplers["madnis"].true
    assert record.sigma_pb is not None
    assert math.isclose(sum(contents.values), record.sigma_pb, rel_tol=0.03)
    filled = np.array(true) > 0.02 * record.sigma_pb  # about twenty events in a bin
    apart = np.abs(np.array(contents.values) - true)[filled]
    assert (apart < 5 * np.array(contents.errors)[filled]).all()


def test_diagnostics_are_small(run: Run) -> None:
    assert (run.directory.path / DIAGNOSTICS).stat().st_size < 500_000


def test_damaged_diagnostics_are_a_sentence(run: Run, tmp_path: Path) -> None:
    text = (run.directory.path / DIAGNOSTICS).read_text()
    (tmp_path / DIAGNOSTICS).write_text(text.replace('"mean":', '"median":', 1))
    with pytest.raises(
        CheckpointError, match=r"diagnostics.json: weights.vegas.mean: expected a value; got none"
    ):
        Diagnostics.read(tmp_path)


def gaussian(correlation: float, n: int = 40_000) -> tuple[Array, Array]:
    random = np.random.default_rng(3)
    a, b = random.standard_normal((2, n))
    return a, correlation * a + math.sqrt(1 - correlation**2) * b


def test_independent_coordinates_have_no_mutual_information() -> None:
    a, b = gaussian(0.0)
    assert mutual_information(a, b, np.ones(len(a))) < 0.002


def test_mutual_information_of_a_gaussian_is_that_of_the_formula() -> None:
    a, b = gaussian(0.6)
    exact = -math.log2(1 - 0.6**2) / 2  # -log(1 - rho^2) / 2
    assert math.isclose(mutual_information(a, b, np.ones(len(a))), exact, rel_tol=0.1)


def test_weights_can_make_a_correlation() -> None:
    a, b = np.random.default_rng(3).random((2, 40_000))
    along = np.exp(-0.5 * ((a - b) / 0.1) ** 2)
    assert mutual_information(a, b, np.ones(len(a))) < 0.002
    assert mutual_information(a, b, along) > 0.5


def test_the_strongest_correlation_is_found() -> None:
    n, random = 20_000, np.random.default_rng(3)
    x = torch.from_numpy(random.random((n, 4)))
    channel = torch.arange(n) // (n // 2)
    ridge = torch.exp(-0.5 * ((x[:, 1] + x[:, 3] - 1) / 0.15) ** 2)
    weight = torch.where(channel == 1, ridge, torch.ones(n, dtype=torch.float64))
    nothing = torch.empty(n, 0, dtype=torch.float64)
    points = Samples(channel, x, weight, weight, nothing, nothing, weight, weight)
    found = strongest_correlation({"vegas": points}, ["flat", "ridge"], [0, 1])
    assert found is not None
    assert (found.channel, found.coordinates) == ("ridge", (2, 4))
    assert found.clouds["vegas"].wanted_information > 0.3
    assert found.clouds["vegas"].drawn_information < 0.01
