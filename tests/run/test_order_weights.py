"""Runs with weights by squared coupling orders: against formulas and runs of each order alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from places import ROOT
from toy_oracles import gauss_panels

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files.formats import open_events
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.process.process import Process
from madnis_py.physics.process.process_set import ProcessSet
from madnis_py.run.closing_table import order_table
from madnis_py.run.run import Run
from madnis_py.run.samples.sample_run import SampleRun
from madnis_py.run.stages.order_results import OrderEstimate

ENERGY, PT_MIN = 500.0, 50.0
PICOBARN = 3.8937937217185e8
SQUARED = "u u~ > u u~ QED=2 / z h"
FOUR_FERMION = f"{ROOT / 'tests' / 'models' / 'four_fermion'}"

Tables = dict[str, dict[str, object]]


def card(definition: str | list[str], *names: str, **tables: Mapping[str, object]) -> Card:
    """A collision of partons at a fixed energy."""
    given: Tables = {
        "process": {"definition": definition},
        "beams": {"pdf": "none", "energy": [ENERGY / 2, ENERGY / 2]},
        "cuts": {"jet": {"pt_min": PT_MIN}},
        "events": {"order_weights": [*names]} if names else {},
    }
    return Card.parse(given | tables, "test")


def quark_parts(t: Array, u: Array) -> dict[str, Array]:
    """|M|^2 of u u~ > u u~ with gluons and photons by powers of the electromagnetic coupling."""
    s, model = ENERGY**2, Model("sm")
    g2, e2 = 4 * math.pi * model["aS"], 4 * math.pi * model.alpha_qed * 4 / 9
    direct = (s**2 + u**2) / t**2 + (t**2 + u**2) / s**2
    crossed = u**2 / (s * t)
    return {
        "QED^2==0": 4 / 9 * g2**2 * (direct - 2 / 3 * crossed),
        "QED^2==2": 32 / 9 * g2 * e2 * crossed,
        "QED^2==4": 2 * e2**2 * (direct + 2 / 3 * crossed),
    }


def quark_cross_sections() -> dict[str, float]:
    """Cross sections of the parts in pb."""
    s = ENERGY**2
    reach = math.sqrt(1 - 4 * PT_MIN**2 / s)
    cos, weight = gauss_panels(np.linspace(-reach, reach, 21), 16)
    parts = quark_parts(-s / 2 * (1 - cos), -s / 2 * (1 + cos))
    flux = PICOBARN / (32 * math.pi * s)
    return {name: float(flux * (part @ weight)) for name, part in parts.items()}


def events_of(path: Path) -> EventBatch:
    return EventBatch.concatenate([*open_events(path)])


def names_of(path: Path) -> list[str]:
    """Names of the variations of a file of events."""
    groups = open_events(path).init.weight_groups
    return [weight.identifier for group in groups for weight in group.weights]


@pytest.fixture(scope="module")
def quarks(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run with QED told apart."""
    process = Process.from_card(card(SQUARED, "QED"))
    return Run(process, tmp_path_factory.mktemp("run"), 3, method="vegas").execute(200, 8000)


def test_cross_sections_by_squared_orders_are_those_of_the_formulas(quarks: Run) -> None:
    expected, record = quark_cross_sections(), quarks.record
    assert record.orders is not None
    assert [one.order for one in record.orders] == [*expected]
    for one in record.orders:
        assert one.sigma_error_pb < 0.02 * abs(expected[one.order])
        assert abs(one.sigma_pb - expected[one.order]) < 5 * one.sigma_error_pb
    assert order_table(record).row_count == 3


def test_values_and_covariances_of_squared_orders_add_up_to_the_whole(quarks: Run) -> None:
    orders, record = quarks.record.orders or (), quarks.record
    assert sum(one.sigma_pb for one in orders) == pytest.approx(record.sigma_pb, rel=1e-12)
    variance = sum(sum(one.covariance_pb2) for one in orders)
    assert math.sqrt(variance) == pytest.approx(record.sigma_error_pb, rel=1e-9)


def test_an_order_with_one_large_point_is_named(quarks: Run) -> None:
    names, values, covariance = ("NP^2==0", "NP^2==1"), np.ones(2), np.diag([1.0, 4.0])
    found = OrderEstimate(names, 1000, values, covariance, np.array([0.01, 2.0]))
    (sentence,) = found.sentences
    assert sentence.startswith("NP^2==1: one point has 50% of the variance")
    assert not any("variance" in one for one in quarks.record.warning_sentences)


def test_weights_of_every_event_are_those_of_the_formulas_and_add_up(quarks: Run) -> None:
    events = events_of(quarks.events_file)
    assert (events.pdg == (2, -2, 2, -2)).all()
    squares = np.square(events.momenta[:, 2:] - events.momenta[:, :1])
    t, u = (squares @ (1.0, -1.0, -1.0, -1.0)).T
    parts = quark_parts(t, u)
    assert names_of(quarks.events_file) == [*parts]
    whole = sum(parts.values())
    for column, part in zip(events.variations.T, parts.values(), strict=True):
        np.testing.assert_allclose(column, events.weight * part / whole, rtol=1e-9)
    np.testing.assert_allclose(events.variations.sum(axis=1), events.weight, rtol=1e-12)
    assert (events.weight > 0).all()
    assert (events.variations[:, 1] < 0).all()


def test_all_formats_keep_weights_of_squared_orders(quarks: Run, tmp_path: Path) -> None:
    events, names = events_of(quarks.events_file), names_of(quarks.events_file)
    for name in ("events.parquet", "events.h5", "events.root"):
        path = tmp_path / name
        convert(quarks.events_file, path)
        assert names_of(path) == names
        np.testing.assert_allclose(events_of(path).variations, events.variations, rtol=1e-12)


def test_parts_of_weights_are_no_uncertainty(quarks: Run) -> None:
    assert all("squared_orders" not in one.bands for one in quarks.histograms(2000).every)


@pytest.mark.slow
def test_threads_do_not_change_a_byte(quarks: Run, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as executor:
        same = Run(quarks.process, tmp_path, 3, method="vegas", executor=executor)
        same.execute(200, 8000)
    assert same.events_file.read_bytes() == quarks.events_file.read_bytes()
    assert same.record.orders == quarks.record.orders


@pytest.mark.slow
def test_processes_together_have_the_orders_of_all(tmp_path: Path) -> None:
    texts = [SQUARED, "u u~ > d d~ QED=2 / z h w+"]
    run = SampleRun(ProcessSet.from_card(card(texts, "QED")), tmp_path, 1, method="vegas")
    run.execute(300, 8000)
    events, record = events_of(run.events_file), run.record
    np.testing.assert_allclose(events.variations.sum(axis=1), events.weight, rtol=1e-12)
    parts = [part.record.orders or () for part in run.parts]
    for one, *own in zip(record.orders or (), *parts, strict=True):
        assert one.sigma_pb == pytest.approx(sum(part.sigma_pb for part in own), rel=1e-12)
    assert sum(one.sigma_pb for one in record.orders or ()) == pytest.approx(record.sigma_pb)


@pytest.mark.parametrize("coefficient", [1.0, -1.0])
def test_an_interference_changes_its_sign_with_the_coefficient(
    coefficient: float, tmp_path: Path
) -> None:
    """sigma = 2 a b s / (12 pi) / 3, a = -2 e^2 / (3 s), b = c / Lambda^2."""
    tables: Tables = {
        "process": {"definition": "u u~ > e+ e- NP^2==1", "model": FOUR_FERMION},
        "parameters": {"cue": coefficient},
    }
    process = Process.from_card(card("", **tables))
    run = Run(process, tmp_path, 2, method="vegas").execute(200, 4000)
    result = run.integrate()
    expected = contact_parts(np.array(ENERGY**2), coefficient)[1] * PICOBARN
    assert result.sigma_pb == pytest.approx(expected, rel=0.01)
    assert abs(result.sigma_pb - expected) < 5 * result.sigma_error_pb
    weights = events_of(run.events_file).weight
    assert (np.sign(weights) == -coefficient).all()
    assert weights.mean() == pytest.approx(result.sigma_pb, rel=1e-9)
    assert result.unweighting.negative_share == (1.0 if coefficient > 0 else 0.0)


def contact_parts(s: Array, coefficient: float) -> list[Array]:
    """Cross sections of u u~ > e+ e- in GeV^-2 with 0, 1 and 2 powers of the contact term."""
    a, b = -2 / 3 * 4 * math.pi / 128 / s, coefficient / 2000.0**2
    return [s * part / (36 * math.pi) for part in (a**2, 2 * a * b, b**2)]


def protons(orders: str, coefficient: float, *names: str) -> Process:
    """Pairs of electrons above 500 GeV from a photon and a contact term with up quarks."""
    tables: Tables = {
        "process": {"definition": f"p p > e+ e- {orders}", "model": FOUR_FERMION},
        "beams": {"pdf": "toy"},
        "cuts": {"e+,e-": {"mass_min": 500.0}},
        "parameters": {"cue": coefficient},
        "training": {"preset": "quick", "steps": 40, "batch_size": 500},
    }
    return Process.from_card(card("", *names, **tables))


def contact_cross_sections(coefficient: float) -> Array:
    """Cross sections of `protons` in pb by powers of the contact term, by quadrature."""
    s, scale = 13000.0**2, 91.188**2
    log_tau, weight = gauss_panels(np.linspace(math.log(500.0**2 / s), 0.0, 41), 16)
    inner, inner_weight = gauss_panels(np.linspace(-1.0, 1.0, 9), 16)
    y = np.outer(-log_tau / 2, inner)
    up, down = (
        load_pdf("toy").density((2, -2), np.exp(log_tau[:, None] / 2 + sign * y).ravel(), scale).T
        for sign in (1, -1)
    )
    pairs = (up[0] * down[1] + up[1] * down[0]).reshape(y.shape)
    flux = pairs @ inner_weight * -log_tau / 2 * weight
    return np.array([flux @ part for part in contact_parts(s * np.exp(log_tau), coefficient)]) * (
        PICOBARN
    )


@pytest.mark.slow
def test_one_run_has_the_cross_section_of_every_coefficient(tmp_path: Path) -> None:
    """With photon and contact term of one sign, so that no event has a weight of 0."""
    run = Run(protons("NP<=1", -1.0, "NP"), tmp_path / "all", 5).execute(4000, 40_000)
    orders = run.record.orders or ()
    values = np.array([one.sigma_pb for one in orders])
    covariance = np.array([one.covariance_pb2 for one in orders])
    expected = contact_cross_sections(-1.0)
    assert (np.abs(values - expected) < 5 * np.sqrt(np.diag(covariance))).all()
    assert (np.sqrt(np.diag(covariance)) < 0.02 * expected).all()
    for coefficient in (1.0, 0.3, -4.0):
        powers = np.array([1.0, -coefficient, coefficient**2])
        error = math.sqrt(powers @ covariance @ powers)
        whole = contact_cross_sections(coefficient).sum()
        assert abs(values @ powers - whole) < 5 * error
    alone = {
        orders: Run(protons(orders, -1.0), tmp_path / str(place), 6).integrate(40_000)
        for place, orders in enumerate(["NP=0", "NP^2==1", "NP^2==2"])
    }
    for one, other in zip(orders, alone.values(), strict=True):
        error = math.hypot(one.sigma_error_pb, other.sigma_error_pb)
        assert abs(one.sigma_pb - other.sigma_pb) < 5 * error
    events = events_of(run.events_file)
    np.testing.assert_allclose(events.variations[:, -3:].sum(axis=1), events.weight, rtol=1e-12)
    means = events.variations[:, -3:].mean(axis=0)
    errors = events.variations[:, -3:].std(axis=0) / math.sqrt(len(events))
    assert (np.abs(means - expected) < 5 * errors + 0.01 * expected).all()


@pytest.mark.parametrize(
    ("names", "tables", "sentence"),
    [
        (["NP"], {}, r"events.order_weights: .* model sm, QCD, QED; got .*NP"),
        (["QED", "QED"], {}, "expected different coupling orders"),
        (
            ["QCD"],
            {"process": {"definition": "u u~ > t t~, t > b w+ QED=1 QCD=0, (t~ > b~ w- g QCD=1)"}},
            "expected coupling orders that the decays of the chain do not have",
        ),
    ],
)
def test_orders_that_cannot_be_told_apart_are_refused(
    names: list[str], tables: Tables, sentence: str
) -> None:
    with pytest.raises(CardError, match=sentence):
        Process.from_card(card(SQUARED, *names, **tables))


def test_processes_with_other_orders_are_refused() -> None:
    texts = [SQUARED, "u u~ > d d~ QED=0"]
    with pytest.raises(CardError, match="expected processes with the same squared orders"):
        ProcessSet.from_card(card(texts, "QED"))
