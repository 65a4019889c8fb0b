"""Histograms of runs: weighted points against unweighted events, and the folder of pictures."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from command_line import Outcome, call

from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.events.histograms.pictures import picture
from madnis_py.parallel.executors import thread_executor
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.observable import Observable
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run
from madnis_py.run.stages.distributions import Distributions, default_folder, file_name

EVENTS, POINTS = 5000, 40_000

CARD = """
[process]
definition = "p p > e+ e-"

[beams]
pdf = "toy"

[cuts]
"e+,e-" = { mass_min = 60.0 }

[histograms]
"pt(e-)" = { bins = 12, range = [0.0, 60.0] }
"eta(lepton[1])" = { bins = 10 }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("card") / "small.toml"
    path.write_text(CARD)
    made = Run(
        Process.from_card(cards.load(path)), tmp_path_factory.mktemp("run"), 5, method="vegas"
    )
    return made.execute(EVENTS, POINTS)


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    return lambda *arguments: call(arguments, capsys, monkeypatch)


@pytest.fixture(scope="module")
def found(run: Run) -> Distributions:
    return run.histograms(POINTS)


def test_events_have_the_distributions_of_weighted_points(run: Run, found: Distributions) -> None:
    p_values = {one.name: one.comparison.p_value for one in found.every if one.comparison}
    assert len(p_values) == len(found.every) >= 10
    assert min(p_values.values()) > 1e-3
    assert found.events_file == run.events_file


def test_totals_agree_with_the_cross_section_of_the_run(run: Run, found: Distributions) -> None:
    for one in found.every:
        assert one.weighted is not None
        assert one.events is not None
        error = np.hypot(one.weighted.all_errors[-1], run.record.content()["sigma_error_pb"])
        assert abs(one.weighted.total - run.record.content()["sigma_pb"]) < 5 * error
        assert one.events.total == pytest.approx(run.record.content()["sigma_pb"], rel=1e-9)


def test_nominal_bins_lie_in_the_band_of_their_scale_variations(found: Distributions) -> None:
    for one in found.every:
        low, high = one.bands["scale_variation"]
        assert (low <= one.histogram.contents).all()
        assert (one.histogram.contents <= high).all()
        assert low[-1] < 0.99 * one.histogram.total < 1.01 * one.histogram.total < high[-1]


def test_the_card_chooses_bins_and_further_observables(found: Distributions) -> None:
    edges = {one.name: one.histogram.edges for one in found.every}
    np.testing.assert_allclose(edges["pt(e-)"], np.arange(0.0, 61.0, 5.0))
    assert len(edges["eta(lepton[1])"]) == 11
    assert edges["mass(e+,e-)"][0] <= 60.0 < 91.2 < edges["mass(e+,e-)"][-1]


def test_the_same_run_has_the_same_histograms_for_any_number_of_threads(
    run: Run, found: Distributions
) -> None:
    alone = json.dumps(found.record())
    with thread_executor(2) as executor:
        assert (
            json.dumps(Run.open(run.directory.path, executor=executor).histograms(POINTS).record())
            == alone
        )


def test_another_table_of_histograms_is_the_same_run(run: Run, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(run.directory.path, tmp_path / "moved"))
    card = moved / "card.toml"
    card.write_text(card.read_text().replace("bins = 12", "bins = 6"))
    found = {one.name: one for one in Run.open(moved).histograms(2000).every}
    assert len(found["pt(e-)"].histogram.edges) == 7


def test_a_run_without_events_shows_weighted_points(run: Run, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(run.directory.path, tmp_path / "moved"))
    (moved / "events.lhe.gz").rename(moved / "elsewhere.lhe.gz")
    record = json.loads((moved / "run.json").read_text())
    record["generated"]["file"] = str(tmp_path / "gone" / "events.lhe.gz")
    (moved / "run.json").write_text(json.dumps(record))
    found = Run.open(moved).histograms(2000)
    assert found.events_file is None
    assert all(one.events is None and one.comparison is None for one in found.every)
    (moved / "elsewhere.lhe.gz").rename(moved / "events.lhe.gz")
    assert Run.open(moved).histograms(2000).events_file == moved / "events.lhe.gz"


def few_observables(finals: Sequence[Sequence[int]], model: Model) -> list[Observable]:
    return [Observable.parse(text, model) for text in ("pt(e+)", "mass(e+,e-)")]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture takes its time."""
    monkeypatch.setattr("madnis_py.run.stages.distributions.usual_observables", few_observables)


@pytest.mark.usefixtures("few")
def test_the_command_draws_a_run(run: Run, tmp_path: Path, command: Callable[..., Outcome]) -> None:
    shown = command(
        "histograms",
        run.directory.path,
        "--points",
        "3000",
        "--threads",
        "1",
        "-o",
        tmp_path / "drawn",
    )
    assert shown.status == 0
    assert "mass(e+,e-)" in shown.out
    assert "histograms: 3000/3000 points" in shown.out
    drawn = ("overview", "pt_ep", "mass_ep_em", "pt_em", "eta_lepton_1")
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {
        "histograms.json",
        *(f"{one}.svg" for one in drawn),
    }
    found = run.histograms(3000)
    assert json.loads((tmp_path / "drawn" / "histograms.json").read_text()) == json.loads(
        json.dumps(found.record())
    )
    assert (tmp_path / "drawn" / "pt_ep.svg").read_bytes() == picture(found.every[0], "svg")


def test_the_record_has_numbers_for_every_bin(found: Distributions) -> None:
    record = found.record()
    assert record["points"] == POINTS
    for one in record["histograms"]:
        number = len(one["edges"]) - 1
        for sample in (one["weighted"], one["events"]):
            assert len(sample["values"]) == len(sample["errors"]) == number
            assert len(sample["underflow"]) == len(sample["overflow"]) == len(sample["total"]) == 2
        for band in one["events"]["bands"].values():
            assert len(band["low"]) == len(band["high"]) == number
        assert 0 < one["comparison"]["p_value"] <= 1


@pytest.mark.usefixtures("few")
def test_the_command_draws_a_file_of_events(
    run: Run, tmp_path: Path, command: Callable[..., Outcome]
) -> None:
    path = Path(shutil.copy(run.events_file, tmp_path / "mine.lhe.gz"))
    shown = command("histograms", path, "--format", "png", "--threads", "1")
    assert shown.status == 0
    assert "mine.lhe.gz" in shown.out
    assert {"overview.png", "pt_em.png"} <= {
        one.name for one in (tmp_path / "mine_histograms").iterdir()
    }
    assert (tmp_path / "mine_histograms" / "overview.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("package", ["hist", "mplhep"])
def test_a_missing_package_is_named(
    package: str, run: Run, command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    refused = command("histograms", run.directory.path)
    assert refused.status == 2
    assert "pip install 'madnis_py[histograms]' brings them" in refused.err


def test_what_is_neither_a_run_nor_events_is_refused(
    tmp_path: Path, command: Callable[..., Outcome]
) -> None:
    assert "expected a directory with a run.json" in command("histograms", tmp_path).err
    assert "expected a file name that ends in" in command("histograms", tmp_path / "events.txt").err
    assert command("histograms", tmp_path / "none.lhe").status == 2


def test_too_few_points_for_the_channels_are_refused(
    run: Run, command: Callable[..., Outcome]
) -> None:
    refused = command("histograms", run.directory.path, "--points", "1", "--threads", "1")
    assert refused.status == 2
    assert "channels" in refused.err


@pytest.mark.parametrize(
    ("observable", "name"),
    [
        ("pt(jet[1])", "pt_jet_1"),
        ("mass(e+,t~)", "mass_ep_tx"),
        ("ht", "ht"),
        ("dr(w-,jet)", "dr_wm_jet"),
    ],
)
def test_observables_have_plain_file_names(observable: str, name: str) -> None:
    assert file_name(observable) == name


def test_pictures_of_a_file_go_beside_it(tmp_path: Path) -> None:
    assert default_folder(tmp_path / "events.lhe.gz") == tmp_path / "events_histograms"
    assert default_folder(tmp_path) == tmp_path / "histograms"


@pytest.mark.slow
@pytest.mark.parametrize("overweights", ["keep", "copies"])
@pytest.mark.parametrize("share", [0.001, 0.01])
@pytest.mark.parametrize("name", ["drell_yan", "ttbar_1j", "w2j"])
def test_a_hundred_thousand_events_have_the_distributions_of_weighted_points(
    name: str,
    share: float,
    overweights: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Ten observables at least, also where 1 % of the cross section lies above the maxima."""
    changes = {
        "events": {"overweight_share": share, "overweights": overweights},
        "systematics": {"scale_factors": [], "pdf_members": False},
    }
    card: Card = cards.load(name).updated(changes)
    made = Run(Process.from_card(card), tmp_path, 1, method="vegas").execute(100_000, 500_000)
    compared = {one.name: one.comparison for one in made.histograms(300_000).every}
    p_values = {observable: found.p_value for observable, found in compared.items() if found}
    record_property("p_values", p_values)
    assert len(p_values) >= 10
    assert min(p_values.values()) > 1e-3
