"""`madnis_py.vegas` in the place of `vegas`, with the integrands that users of vegas write."""

from __future__ import annotations

import math
import pickle
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gvar
import numpy as np
import pytest
import vegas as original
from dropin_integrands import RIDGE, SQUARE, gaussian, lbatch, pull, rbatch, ridge, shorten
from vegas_dropin import TASKS, measured

from madnis_py import vegas
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.plugins.vegas import flow_decision, iterations
from madnis_py.plugins.vegas.flow_decision import TrainingCost, VariableCorrelation, decide
from madnis_py.plugins.vegas.iteration_log import IterationStatistics
from madnis_py.plugins.vegas.learned_map import LearnedMap
from madnis_py.plugins.vegas.placement import Region
from madnis_py.plugins.vegas.weighted_points import IterationPoints, PointHistory

pytestmark = pytest.mark.usefixtures("gvar_seed")


class Quadratic(vegas.RBatchIntegrand):  # type: ignore[misc]
    def __call__(self, x: Array) -> Array:
        return 3.0 * x[0] ** 2  # type: ignore[no-any-return]


def with_jacobian(x: Any, jac: Any) -> list[float]:
    return [x[0], x[1] * jac[0] * jac[1]]


@rbatch
def from_dictionary(x: Any) -> dict[str, Any]:
    return {"a": x["r"] * x["angles"][1], "both": [x["angles"][0], x["r"] ** 2]}


NAMED = {"r": [0.0, 1.0], "angles": [[0.0, 1.0], [0.0, 2.0]]}
CASES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "one point at a time": ([[0, 1]] * 3, gaussian, {}),
    "an array": (SQUARE, lambda x: [x[0], [x[1]] * 1][0], {}),
    "an array of arrays": (SQUARE, lambda x: np.array([[x[0], x[1]], [x[0] ** 2, 1.0]]), {}),
    "a dictionary": (SQUARE, lambda x: {"one": 1.0, "x": [x[0], x[1]]}, {}),
    "batch index on the left": (SQUARE, ridge, {}),
    "batch index on the right": (SQUARE, vegas.rbatchintegrand(lambda x: x[0] * x[1]), {}),
    "an object of a class": (SQUARE, Quadratic(), {}),
    "named variables": (NAMED, from_dictionary, {}),
    "limits of any shape": ([[[0, 1], [0, 2]], [[0, 1], [-1, 1]]], lambda x: x[0, 1] + x[1, 1], {}),
    "a map of vegas": (vegas.AdaptiveMap([[0, 0.2, 1], [0, 0.5, 1]]), ridge, {}),
    "an integrator of vegas": (original.Integrator(SQUARE, neval=500), ridge, {}),
    "the Jacobian": (SQUARE, with_jacobian, {"uses_jac": True}),
    "strata": (SQUARE, ridge, {"nstrat": [10, 5]}),
    "no strata": (SQUARE, ridge, {"beta": 0.0}),
    "errors instead of values": (SQUARE, ridge, {"adapt_to_errors": True}),
    "no correlations": (SQUARE, lambda x: [x[0], x[1]], {"correlate_integrals": False}),
}


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_vegas_where_vegas_draws_the_points(name: str) -> None:
    region, integrand, settings = CASES[name]
    results = []
    for package in (original, vegas):
        gvar.ranseed(5)
        settings = {"nitn": 3} | settings
        results.append(package.Integrator(region, **settings)(integrand))
    theirs, ours = results
    assert isinstance(ours, type(theirs))
    assert str(ours) == str(theirs)
    assert ours.summary().startswith(theirs.summary())
    assert (ours.chi2, ours.dof, ours.Q, ours.sum_neval) == (
        theirs.chi2,
        theirs.dof,
        theirs.Q,
        theirs.sum_neval,
    )


@pytest.fixture(scope="module")
def flow_of_the_ridge() -> tuple[Any, Any, int]:
    """An integrator whose flow has taken over, its result, the evaluations of the integrand."""
    gvar.ranseed(1)
    seen = []

    @lbatch
    def counted(x: Array) -> Array:
        seen.append(len(x))
        return np.stack([ridge(x), x[:, 0] * ridge(x)], axis=1)

    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, steps=120, batch=1024)
        integrator = vegas.Integrator(SQUARE, method="flow")
        result = integrator(counted, nitn=6, neval=5000)
    return integrator, result, sum(seen)


def test_the_flow_finds_the_integral_and_all_covariances(
    flow_of_the_ridge: tuple[Any, Any, int],
) -> None:
    integrator, result, _ = flow_of_the_ridge
    assert integrator.sampler == "flow"
    assert isinstance(result, vegas.RAvgArray)
    assert abs(pull(result[0], RIDGE)) < 5
    assert abs(pull(result[1] / result[0], 0.5)) < 5
    assert 0.5 < gvar.evalcorr(result)[0, 1] < 1.0
    assert result.dof == 2 * (len(result.itn_results) - 1) == 10
    assert result.Q > 1e-5


def test_the_flow_counts_every_evaluation(flow_of_the_ridge: tuple[Any, Any, int]) -> None:
    _, result, seen = flow_of_the_ridge
    assert result.sum_neval == seen - 1  # one more asks for the shape, in vegas too
    assert result.sum_neval <= 6 * 5000


def test_the_flow_is_better_than_vegas_with_the_same_evaluations(
    flow_of_the_ridge: tuple[Any, Any, int],
) -> None:
    _, result, _ = flow_of_the_ridge
    theirs = original.Integrator(SQUARE)(ridge, nitn=6, neval=5000)
    assert result[0].sdev < theirs.sdev


def test_the_summary_says_what_happened(flow_of_the_ridge: tuple[Any, Any, int]) -> None:
    _, result, _ = flow_of_the_ridge
    summary = result.summary()
    assert summary.startswith("itn   integral")
    assert "VEGAS, relative standard deviation" in summary
    assert "to 6: the flow, relative standard deviation" in summary
    assert "The flow learned for" in summary
    assert result.report == pickle.loads(pickle.dumps(result)).report


def test_a_pickled_integrator_goes_on_with_its_flow(
    flow_of_the_ridge: tuple[Any, Any, int],
) -> None:
    integrator, _, _ = flow_of_the_ridge
    again = pickle.loads(pickle.dumps(integrator))
    results = []
    for one in (integrator, again, vegas.Integrator(integrator)):
        gvar.ranseed(4)
        results.append(str(one(ridge, nitn=2, adapt=False).itn_results))
    integrator.set(adapt=True)
    assert again.sampler == "flow"
    assert results[0] == results[1] == results[2]


def test_the_class_has_its_public_name_in_messages_and_pickles(
    flow_of_the_ridge: tuple[Any, Any, int],
) -> None:
    integrator, _, _ = flow_of_the_ridge
    assert str(vegas.Integrator) == "<class 'madnis_py.vegas.Integrator'>"
    assert repr(integrator).startswith("<madnis_py.vegas.Integrator object")
    assert type(pickle.loads(pickle.dumps(integrator))) is pickle.loads(
        pickle.dumps(vegas.Integrator)
    )


def test_points_of_the_flow_are_points_of_the_region(
    flow_of_the_ridge: tuple[Any, Any, int],
) -> None:
    integrator, _, _ = flow_of_the_ridge
    batches = list(integrator.random_batch(yield_hcube=True, yield_y=True))
    x, y, weight, hcube = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert x.shape == y.shape == (len(weight), 2)
    assert len(hcube) == len(x)
    assert (x >= 0).all()
    assert (x <= 1).all()
    assert float(weight @ ridge(x)) == pytest.approx(RIDGE, rel=0.05)
    weight, x = integrator.sample(nbatch=5000, mode="lbatch")
    assert float(weight @ ridge(x)) == pytest.approx(RIDGE, rel=0.05)
    one = next(integrator.random())
    assert np.shape(one[0]) == (2,)
    assert integrator.map.dim == 2
    assert not np.allclose(np.diff(integrator.map.grid[0]), np.diff(integrator.map.grid[0])[0])


def test_only_methods_without_a_flow_take_it_away(flow_of_the_ridge: tuple[Any, Any, int]) -> None:
    integrator = vegas.Integrator(flow_of_the_ridge[0])
    result = integrator(ridge, nitn=2, method="vegas")
    assert integrator.sampler == "vegas"
    assert "VEGAS throughout, as asked for." in result.summary()
    assert abs(pull(result, RIDGE)) < 5


def test_a_new_region_takes_the_flow_away(flow_of_the_ridge: tuple[Any, Any, int]) -> None:
    integrator = vegas.Integrator(flow_of_the_ridge[0])
    integrator.set(map=[[0, 2], [0, 2]])
    assert integrator.sampler == "vegas"
    assert list(integrator.map.region()) == [(0.0, 2.0), (0.0, 2.0)]


def test_named_variables_and_dictionaries_pass_through_the_flow(short_training: None) -> None:
    @rbatch
    def integrand(x: Any) -> dict[str, Any]:
        height = ridge(np.stack([x["r"], x["angles"][1] / 2], axis=1))
        return {"ridge": height, "moments": [height * x["angles"][0], height * x["r"]]}

    integrator = vegas.Integrator(NAMED, method="flow")
    result = integrator(integrand, nitn=5, neval=3000)
    assert isinstance(result, vegas.RAvgDict)
    assert integrator.sampler == "flow"
    assert abs(pull(result["ridge"], 2 * RIDGE)) < 5
    assert abs(pull(result["moments"][0] / result["ridge"], 0.5)) < 5
    weight, x = integrator.sample(mode="rbatch")
    assert x["angles"].shape == (2, len(weight))


def test_a_flow_that_is_asked_for_does_not_depend_on_times(
    short_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iterations, "ENOUGH_EFFECTIVE", 1)  # considered from the first iteration on
    means = []
    for seconds in (0.0, 1e-3):
        monkeypatch.setattr(flow_decision, "TRAINING_SECONDS", seconds)
        gvar.ranseed(1)
        result = vegas.Integrator(SQUARE, method="flow")(ridge, nitn=8, neval=3000)
        means.append([one.mean for one in result.itn_results])
    assert means[0] == means[1]


def test_a_flow_that_is_no_better_is_taken_away(
    short_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(flow: LearnedMap, *_: object) -> bool:
        for block in flow.flow.coupling_blocks:
            block.subnet.biases[-1].data.add_(np.random.default_rng(1).normal(0, 2))
            block.subnet.biases[-1].data[..., ::2].mul_(3.0)
        return True

    monkeypatch.setattr(LearnedMap, "learn", spoil)
    integrator = vegas.Integrator([[0, 1]] * 3, method="flow")
    result = integrator(gaussian, nitn=8, neval=1000)
    assert integrator.sampler == "vegas"
    assert "The flow was no better than the grids" in result.summary()
    assert abs(pull(result, 1.0)) < 5


def test_a_product_stays_with_vegas_without_loading_torch() -> None:
    @lbatch
    def product(x: Array) -> Array:
        return np.exp(-50 * ((x - 0.5) ** 2).sum(axis=1))  # type: ignore[no-any-return]

    integrator = vegas.Integrator([[0, 1]] * 4)
    result = integrator(product, nitn=10, neval=8000)
    assert integrator.sampler == "vegas"
    assert "product of functions of one variable" in result.summary()
    gvar.ranseed(2026)
    assert str(result) == str(original.Integrator([[0, 1]] * 4)(product, nitn=10, neval=8000))


def test_few_evaluations_stay_with_vegas() -> None:
    assert "too few for a flow" in vegas.Integrator(SQUARE)(ridge, nitn=3, neval=1000).summary()


def points(v: Array, weight: Array) -> IterationPoints:
    return IterationPoints(v, np.zeros(len(v), dtype=np.int64), weight, np.abs(weight))


def correlation(weight: Callable[[Array], Array]) -> VariableCorrelation:
    v = np.random.default_rng(3).random((20_000, 3))
    return VariableCorrelation.of(
        points(v, weight(v)), original.AdaptiveMap([[0, 1]] * 3), Region(np.zeros(3), np.ones(3))
    )


def test_only_integrands_that_are_no_products_couple_their_variables() -> None:
    assert not correlation(lambda v: np.exp(-20 * (v - 0.3) ** 2).prod(axis=1)).significant
    assert not correlation(lambda v: np.sin(9 * v).prod(axis=1)).significant
    assert correlation(lambda v: np.exp(-20 * (v[:, 0] - v[:, 1]) ** 2)).significant
    assert correlation(
        lambda v: np.exp(-50 * (np.hypot(v[:, 0] - 0.5, v[:, 2] - 0.5) - 0.3) ** 2)
    ).significant


def decision(relative_std: float, seconds: float, left: int, weight: Array | None = None) -> bool:
    weight = np.ones(5000) if weight is None else weight
    history = PointHistory((points(np.full((len(weight), 4), 0.5), weight),))
    iterations = [IterationStatistics(relative_std, 10_000, seconds)] * 2
    return decide(
        history, iterations, VariableCorrelation(1.0, 100.0), left, TrainingCost(2000, 4)
    ).flow


def test_the_flow_is_chosen_where_its_gain_pays_the_training() -> None:
    assert decision(relative_std=3.0, seconds=0.01, left=1_000_000)
    assert decision(relative_std=3.0, seconds=10.0, left=10_000)
    assert not decision(relative_std=3.0, seconds=0.01, left=10_000)
    assert not decision(relative_std=0.1, seconds=10.0, left=1_000_000)  # a gain of 1.25 at best


def test_no_flow_is_expected_to_beat_cancellations() -> None:
    signs = np.ones(5000)
    signs[:2400] = -1.0
    assert not decision(relative_std=26.0, seconds=10.0, left=1_000_000, weight=signs)


def test_unknown_settings_are_refused_in_the_words_of_vegas() -> None:
    for use in (
        lambda: vegas.Integrator(SQUARE, foo=1),
        lambda: vegas.Integrator(SQUARE).set(foo=1),
        lambda: vegas.Integrator(SQUARE)(ridge, foo=1),
    ):
        with pytest.raises(AttributeError, match='no parameter named "foo"'):
            use()


def test_settings_that_a_flow_does_not_honour_are_told() -> None:
    with pytest.warns(UserWarning, match="gpu_pad: padded batches are a matter of VEGAS alone"):
        integrator = vegas.Integrator(SQUARE, gpu_pad=True)
    assert "gpu_pad is set" in integrator(ridge, nitn=2, neval=100_000).summary()
    with pytest.warns(UserWarning, match="mpi: processes of MPI"):
        vegas.Integrator(SQUARE).set(mpi=True)


def test_a_method_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="method: expected one of auto, vegas, flow; got 'neural'"):
        vegas.Integrator(SQUARE, method="neural")


def test_set_returns_what_brings_the_old_settings_back() -> None:
    integrator = vegas.Integrator(SQUARE, nitn=3, neval=2000)
    before = integrator.settings()
    old = integrator.set(nitn=7, method="flow", neval=500, rtol=0.1)
    assert (old["nitn"], old["method"], old["neval"], old["rtol"]) == (3, "auto", 2000, 0)
    assert "method = flow, points drawn by vegas" in integrator.settings()
    integrator.set(old)
    assert integrator.settings() == before


class Listener:
    """An analyzer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def begin(self, itn: int, integrator: Any) -> None:
        self.told.append((itn, integrator.nitn))

    def end(self, itn_result: Any, result: Any) -> None:
        self.told.append((str(itn_result), result.nitn))


def test_analyzers_hear_of_every_iteration_and_tolerances_end_them(short_training: None) -> None:
    listener = Listener()
    integrator = vegas.Integrator(SQUARE, method="flow", analyzer=listener, rtol=2e-3)
    result = integrator(ridge, nitn=40, neval=2000)
    assert result.nitn < 40
    assert result.sdev < 2e-3 * result.mean
    assert listener.told[::2] == [(k, 40) for k in range(result.nitn)]
    assert listener.told[1::2] == [(str(r), k) for k, r in enumerate(result.itn_results, start=1)]


def test_the_reporter_of_vegas_prints(
    short_training: None, capsys: pytest.CaptureFixture[str]
) -> None:
    vegas.Integrator(SQUARE, analyzer=vegas.reporter(), method="flow")(ridge, nitn=2)
    assert "itn  2" in capsys.readouterr().out


def test_what_is_saved_after_an_iteration_is_read_again(
    short_training: None, tmp_path: Path
) -> None:
    results, both = str(tmp_path / "results.pkl"), tmp_path / "both.pkl"
    integrator = vegas.Integrator(SQUARE, method="flow")
    with both.open("wb") as stream:
        result = integrator(ridge, nitn=4, neval=2000, save=results, saveall=stream)
    assert str(pickle.loads(Path(results).read_bytes())) == str(result)
    with both.open("rb") as stream:
        *_, (last, again) = (pickle.load(stream) for _ in range(4))
    assert str(last) == str(result)
    assert again.sampler == integrator.sampler
    again(ridge, nitn=1, adapt=False)


def test_results_are_averaged_by_the_function_of_vegas(
    flow_of_the_ridge: tuple[Any, Any, int],
) -> None:
    _, result, _ = flow_of_the_ridge
    assert str(vegas.ravg(result.itn_results[2:])) != str(result)
    assert str(vegas.ravg(result.itn_results)) == str(original.ravg(result.itn_results))


def test_an_integrand_that_raises_leaves_the_integrator_usable(short_training: None) -> None:
    listener = Listener()
    integrator = vegas.Integrator(SQUARE, method="flow", nitn=4, neval=2000, analyzer=listener)

    @lbatch
    def broken(x: Array) -> Array:
        if len(x) > 1:
            raise ZeroDivisionError
        return ridge(x)

    with pytest.raises(ZeroDivisionError):
        integrator(broken)
    assert (integrator.nitn, integrator.analyzer) == (4, listener)
    assert abs(pull(integrator(ridge), RIDGE)) < 5


def test_nan_is_refused_in_the_words_of_vegas() -> None:
    with pytest.raises(ValueError, match="integrand evaluates to nan"):
        vegas.Integrator(SQUARE, method="flow")(lambda x: math.nan, nitn=2)
    with pytest.raises(ValueError, match="class, not an object"):
        vegas.Integrator(SQUARE)(Quadratic)


def test_two_processes_give_the_points_of_one(short_training: None) -> None:
    results = []
    for nproc in (1, 2):
        gvar.ranseed(6)
        integrator = vegas.Integrator(SQUARE, nproc=nproc, method="flow")
        results.append(integrator(ridge, nitn=4, neval=2000))
        assert (integrator.sampler, integrator.nproc) == ("flow", nproc)
        integrator.set(nproc=1)
    assert gvar.mean(results[0].itn_results) == pytest.approx(gvar.mean(results[1].itn_results))


@pytest.mark.parametrize("method", ["auto", "flow"])
def test_an_integrand_without_any_value_has_the_integral_0(method: str) -> None:
    @lbatch
    def nothing(x: Array) -> Array:
        return np.zeros(len(x))

    integrator = vegas.Integrator(SQUARE, method=method)
    result = integrator(nothing, nitn=6, neval=10_000)
    assert (result.mean, integrator.sampler) == (0.0, "vegas")


def test_a_flow_learns_on_in_a_second_call_with_another_integrand(
    short_training: None, flow_of_the_ridge: tuple[Any, Any, int]
) -> None:
    @lbatch
    def steeper(x: Array) -> Array:
        return ridge(x) * np.exp(-3 * x[:, 0])

    integrator = vegas.Integrator(flow_of_the_ridge[0])
    result = integrator(steeper, nitn=4, neval=3000)
    reference = original.Integrator(SQUARE)(steeper, nitn=10, neval=20_000)
    assert integrator.sampler == "flow"
    assert "Iterations 1 to 4: the flow" in result.summary()
    assert abs(pull(result - reference, 0.0)) < 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ridge, 4 dimensions", "ridge, 8 dimensions", "crossed ring"])
def test_with_the_same_evaluations_the_error_is_five_times_smaller(name: str) -> None:
    ours, theirs = (
        measured(package, TASKS[name], neval=100_000, seed=0) for package in (vegas, original)
    )
    assert ours["sampler"] == "flow"
    assert abs(ours["pull"]) < 5
    assert ours["evaluations"] <= 1_000_000
    assert 5 * ours["error"] < theirs["error"]


@pytest.mark.slow
def test_a_product_takes_no_more_than_a_third_longer_than_with_vegas() -> None:
    ratios = []
    for seed in range(9):
        ours, theirs = (
            measured(package, TASKS["separable Gaussian"], 100_000, seed)["seconds"]
            for package in (vegas, original)
        )
        ratios.append(ours / theirs)
    assert statistics.median(ratios) < 1.3
