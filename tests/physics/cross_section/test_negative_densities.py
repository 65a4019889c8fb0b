"""Negative parton densities: flavours, signs and sums of events beside quadratures by flavour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from drell_yan_quadrature import Electroweak, mass_edges
from grids import COUPLING, INFO, grid_of_pythia, grid_text, write_set
from toy_oracles import gauss_panels

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import GenerationError, IntegrandError
from madnis_py.events.channel_maxima import channel_maxima
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.events.unweighting import Unweighter
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.physics.pdf.pdf import AbstractPdf, load_pdf
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run
from madnis_py.run.stages.event_file import weight_unit
from madnis_py.run.stages.results import Result
from madnis_py.run.stages.run_warnings import cancelling_signs
from madnis_py.run.verification.event_file_verification import verify_events

EVENTS, POINTS = 10_000, 40_000
BEAM = 6500.0
QUARKS = (1, 2, 3, 4)

# x f = a + b log x, which the interpolation reproduces; u~ changes its sign at x = e^-1.25, d~ is
# negative throughout.
LINES = {
    2: (2.5, 0.3),
    -2: (-0.5, -0.4),
    1: (1.2, 0.1),
    -1: (-0.35, 0.0),
    3: (0.2, 0.0),
    -3: (0.2, 0.0),
}
OWN = "own, above 2 TeV"
NNPDF = "NNPDF31_nnlo_as_0118_luxqed, above 4 TeV"
LOWEST = {OWN: 2000.0, NNPDF: 4000.0}


def grid(folder: Path, lines: dict[int, tuple[float, float]]) -> Path:
    x = np.geomspace(1e-4, 1.0, 30)
    densities = {pdg: (a + b * np.log(x))[:, None] for pdg, (a, b) in lines.items()}
    return write_set(
        folder / "lines", INFO + COUPLING, grid_text(x.tolist(), [1.0, 10.0, 1e3, 1e5], densities)
    )


def drell_yan(pdf: Path, lowest: float, **tables: object) -> Process:
    card = {"process": {"definition": "p p > e+ e-"}, "cuts": {"e+,e-": {"mass_min": lowest}}}
    return Process.from_card(Card.parse({**card, "beams": {"pdf": str(pdf)}, **tables}))


def parts(pdf: AbstractPdf, lowest: float, mu: float = 91.188) -> dict[tuple[int, int], Array]:
    """Positive and negative part of the cross section of each pair of partons in pb, shape (2,)."""
    m, m_weight = gauss_panels(mass_edges(lowest, 2 * BEAM, []), 8)
    y, y_weight = gauss_panels(np.linspace(-1, 1, 41), 8)
    reach = np.log(2 * BEAM / m)
    x = [(m[:, None] / (2 * BEAM) * np.exp(sign * reach[:, None] * y)).ravel() for sign in (1, -1)]
    flavours = [*QUARKS, *(-quark for quark in QUARKS)]
    densities = [pdf.density(flavours, one, mu**2) / one[:, None] for one in x]
    found = {}
    for pair in ((sign * quark, -sign * quark) for quark in QUARKS for sign in (1, -1)):
        product = np.prod(
            [values[:, flavours.index(pdg)] for values, pdg in zip(densities, pair, strict=True)],
            axis=0,
        )
        partonic = (
            Electroweak().sigma(m**2, pair[0] % 2 == 0) * m_weight * 2 * m / (2 * BEAM) ** 2 * reach
        )
        found[pair] = np.array(
            [
                partonic @ (one.reshape(len(m), -1) @ y_weight)
                for one in (np.maximum(product, 0), np.minimum(product, 0))
            ]
        )
    return found


@pytest.fixture(scope="module", params=[OWN, pytest.param(NNPDF, marks=pytest.mark.slow)])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, dict[tuple[int, int], Array]]:
    """A run, and what it has to find."""
    folder = tmp_path_factory.mktemp("run")
    pdf = (
        grid(folder, LINES)
        if request.param == OWN
        else grid_of_pythia(request.param.partition(",")[0], folder)
    )
    lowest = LOWEST[request.param]
    run = Run(drell_yan(pdf, lowest), folder / "run", seed=3, method="vegas").execute(
        EVENTS, POINTS
    )
    return run, parts(load_pdf(str(pdf)), lowest)


def events_of(run: Run) -> EventBatch:
    return EventBatch.concatenate(list(open_events(run.events_file)))


def test_the_cross_section_is_the_signed_sum(
    made: tuple[Run, dict[tuple[int, int], Array]],
) -> None:
    run, expected = made
    result = Result.model_validate(run.record.content()["vegas"])
    assert (
        abs(result.sigma_pb - sum(part.sum() for part in expected.values()))
        < 5 * result.sigma_error_pb
    )
    whole = sum(np.abs(part).sum() for part in expected.values())
    assert result.sigma_absolute_pb == pytest.approx(whole, rel=5e-3)
    negative = -sum(part[1] for part in expected.values()) / whole
    assert negative > 1e-3
    assert result.unweighting.negative_share == pytest.approx(negative, rel=0.1)


def test_flavours_of_events_have_the_numbers_and_signs_of_the_quadrature(
    made: tuple[Run, dict[tuple[int, int], Array]],
) -> None:
    run, expected = made
    events, result = events_of(run), Result.model_validate(run.record.content()["vegas"])
    whole = sum(np.abs(part).sum() for part in expected.values())
    for pair, truth in expected.items():
        own = (events.pdg[:, :2] == pair).all(axis=1)
        for part, of_sign in zip(truth, (events.weight > 0, events.weight < 0), strict=True):
            share = abs(part) / whole
            error = np.sqrt(share * (1 - share) / EVENTS) + 1e-3 * share
            assert abs(np.mean(own & of_sign) - share) <= 5 * error
        weight = np.where(own, events.weight, 0.0)
        of_unit = weight.mean() * events.weight.std() / np.sqrt(EVENTS) / events.weight.mean()
        error = np.sqrt(weight.var() / EVENTS + of_unit**2 + result.sigma_error_pb**2)
        assert abs(weight.mean() - truth.sum()) <= 5 * error


def test_the_mean_of_the_weights_is_the_cross_section(
    made: tuple[Run, dict[tuple[int, int], Array]],
) -> None:
    run, _ = made
    events, result = events_of(run), Result.model_validate(run.record.content()["vegas"])
    assert events.weight.mean() == pytest.approx(result.sigma_pb, rel=1e-9)
    sizes, negative = np.abs(events.weight), result.unweighting.negative_share
    error = 2 * np.sqrt(negative * (1 - negative) / EVENTS) / (1 - 2 * negative)
    assert abs(sizes.mean() / result.sigma_absolute_pb - 1) < 5 * error + 2e-3
    assert verify_events(run.events_file).faults == ()
    assert run.record.content()["unweighting"]["negative_share"] == np.mean(events.weight < 0)


def test_variations_of_signed_weights_give_the_cross_section_at_other_scales(
    made: tuple[Run, dict[tuple[int, int], Array]],
) -> None:
    run, expected = made
    events, groups = events_of(run), open_events(run.events_file).init.weight_groups
    pdf, lowest = (
        load_pdf(str(run.process.card.beams.pdf)),
        run.process.card.cuts.by_name["e+,e-"].mass_min or 0.0,
    )
    sigma = sum(part.sum() for part in expected.values())
    half = sum(part.sum() for part in parts(pdf, lowest, 91.188 / 2).values()) / sigma
    factors = [float(weight.attributes["MUF"]) for group in groups for weight in group.weights]
    assert factors.count(0.5) == 3
    for column in events.variations.T[np.array(factors) == 0.5]:
        ratio = column.mean() / events.weight.mean()
        error = np.std(column - ratio * events.weight) / np.sqrt(EVENTS) / events.weight.mean()
        assert abs(ratio - half) < 5 * error + 1e-6


def test_events_whose_signs_cancel_are_refused_and_few_of_them_are_a_warning() -> None:
    few = np.array([1.0, 1.0, 1.0, -1.0, 1.0, 1.0])
    assert weight_unit(few, 8.0) == pytest.approx(12.0)
    (sentence,) = cancelling_signs(few)
    assert (
        "the signs of 6 events leave 2.67 effective ones: their weights in pb are uncertain by 61%"
        in sentence
    )
    assert cancelling_signs(np.ones(6)) == []
    with pytest.raises(
        GenerationError, match=r"got -0\.33 on average of 3: more events are needed"
    ):
        weight_unit(np.array([1.0, -1.0, -1.0]), 8.0)


def test_distributions_of_points_and_events_agree(
    made: tuple[Run, dict[tuple[int, int], Array]],
) -> None:
    run, _ = made
    found, result = (
        run.histograms(40_000).every,
        Result.model_validate(run.record.content()["vegas"]),
    )
    assert found
    for one in found:
        assert one.weighted is not None
        error = np.hypot(one.weighted.all_errors[-1], result.sigma_error_pb)
        assert abs(one.weighted.total - result.sigma_pb) < 5 * error
        assert one.comparison is None or one.comparison.p_value > 1e-6


class Cancelling(AbstractIntegrand):
    """3/2 - 3/2 below 1/2, of which nothing is left, and 1 above."""

    dim, n_channels, n_features = 1, 1, 1

    def evaluate(self, x: torch.Tensor, channel: torch.Tensor) -> Evaluation:
        below = x[:, 0] < 0.5
        return Evaluation(
            (~below).double(), x, torch.ones_like(x), torch.where(below, 3.0, 1.0).double()
        )


def test_points_whose_parts_cancel_become_events() -> None:
    n = 40_000
    samples = ImportanceSampler(Cancelling(), seed=4).sample(torch.tensor([n]), "points")
    unweighter = Unweighter(channel_maxima(samples, 1, 0.0))
    accepted = unweighter.accept(
        samples, torch.rand(n, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    )
    below = (samples.x[accepted.index, 0] < 0.5).double().mean().item()
    assert abs(below - 3 / 4) < 5 * np.sqrt(3 / 16 / len(accepted.ratio))
    summary = accepted.tally.summary(n, 1.0)
    assert summary.cut_acceptance == 1.0
    assert abs(summary.negative_share - 3 / 8) < 5 * np.sqrt(15 / 64 / n)
    assert summary.efficiency == pytest.approx(2 / 3, abs=0.02)


def test_a_magnitude_below_the_value_is_refused() -> None:
    class Wrong(Cancelling):
        def evaluate(self, x: torch.Tensor, channel: torch.Tensor) -> Evaluation:
            evaluation = super().evaluate(x, channel)
            return Evaluation(4 * evaluation.value, x, evaluation.prior, evaluation.magnitude)

    with pytest.raises(
        IntegrandError,
        match=r"magnitude is less than the size of the value in channel 0, event \d+, x =",
    ):
        ImportanceSampler(Wrong()).sample(torch.tensor([10]), "points")


def test_a_negative_cross_section_is_refused_with_its_value(tmp_path: Path) -> None:
    pdf = grid(tmp_path, {2: (1.0, 0.0), -2: (-1.0, 0.0)})
    card = drell_yan(pdf, 2000.0).card.updated({"process": {"definition": "u u~ > e+ e-"}})
    run = Run(Process.from_card(card), tmp_path / "run", method="vegas")
    with pytest.raises(
        GenerationError,
        match=r"integrate: expected a cross section > 0; got -0\.\d+ \+- .* pb from",
    ):
        run.integrate(20_000)
