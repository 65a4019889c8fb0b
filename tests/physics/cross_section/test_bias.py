"""Bias of events: made more often where it is large, with weights that undo it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from madnis_py.card.card import Card
from madnis_py.errors import CardError, InputError, IntegrandError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.physics.cross_section.bias import Bias
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

TABLES = {
    "process": {"definition": "u u~ > e+ e- g"},
    "beams": {"pdf": "toy"},
    "cuts": {"jet": {"pt_min": 20.0}, "e+,e-": {"mass_min": 60.0}},
    "systematics": {"scale_factors": [0.5, 1.0], "pdf_members": False},
}
FLAVOURS = np.array([[2, -2, -11, 11, 21], [2, 21, -11, 11, 2]], np.int32)


def card(**events: object) -> Card:
    return Card.parse(TABLES | {"events": events})


@pytest.fixture(scope="module")
def model() -> Model:
    return model_from_card(card())


@pytest.fixture(scope="module")
def momenta() -> np.ndarray:
    random = np.random.default_rng(3)
    momenta = random.normal(size=(50, 5, 4)) * 50
    momenta[..., 0] = np.linalg.norm(momenta[..., 1:], axis=-1)
    return momenta


def test_functions_of_observables_are_what_they_say(model: Model, momenta: np.ndarray) -> None:
    pt = np.hypot(momenta[..., 1], momenta[..., 2])
    pair = momenta[:, 2] + momenta[:, 3]
    mass = np.sqrt(pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1))
    expected = {
        "pt(jet[1])**2": pt[:, 4] ** 2,
        "max(pt(jet[1]), 30) / 10": np.maximum(pt[:, 4], 30) / 10,
        "sqrt(mass(e+,e-)) + exp(-pt( e+ )/100)": np.sqrt(mass) + np.exp(-pt[:, 2] / 100),
        "ht * (1 + abs(log(ht)))": pt[:, 2:].sum(axis=1) * (1 + np.abs(np.log(pt[:, 2:].sum(1)))),
        "min(pt(lepton[1]), 2 * pt(lepton[2]))": np.minimum(
            pt[:, 2:4].max(1), 2 * pt[:, 2:4].min(1)
        ),
    }
    for text, values in expected.items():
        found = Bias(text, FLAVOURS, model)(momenta)
        assert found.shape == (50, 2)
        assert found == pytest.approx(np.stack([values, values], axis=1), rel=1e-12)


def test_each_combination_of_flavours_has_its_own(model: Model, momenta: np.ndarray) -> None:
    flavours = np.array([[2, -2, 11, -11, 21], [2, -2, -11, 11, 21]], np.int32)
    pt = np.hypot(momenta[..., 1], momenta[..., 2])
    assert Bias("pt(e-)", flavours, model)(momenta) == pytest.approx(pt[:, 2:4])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2", "expected a function of observables"),
        ("pt(jet[1]", "expected a function of numbers"),
        ("pt(jet[1]).real", "expected a function of numbers"),
        ("__import__('os').system('true') + ht", "unknown observable"),
        ("sin(pt(jet[1]))", "expected a function of numbers"),
        ("ht if ht else 1", "expected a function of numbers"),
        ("max(ht)", "expected a function of numbers"),
        ("pt(jet[2])", "expected pt.jet.2.. in every final state; e[+] e- [gu] has none"),
        ("pt(lepton)", "expected one value of pt.lepton.; got 2"),
        ("ppt(jet[1])", "expected a function of numbers|unknown observable"),
        ("-" * 60 + "ht", "expected at most 50 brackets"),
    ],
)
def test_what_is_no_function_of_observables_is_a_sentence(
    text: str, sentence: str, model: Model
) -> None:
    with pytest.raises(InputError, match=sentence):
        Bias(text, FLAVOURS, model)


def test_the_card_is_named(model: Model) -> None:
    with pytest.raises(CardError, match=r"events\.bias: expected pt.b. in every final state"):
        CrossSection(Process.from_card(card(bias="pt(b)")))


def test_a_bias_of_nothing_ends_the_run(model: Model, momenta: np.ndarray) -> None:
    with pytest.raises(IntegrandError, match=r"expected a number > 0 .* got -\d.* for ht = "):
        Bias("10 - ht", FLAVOURS, model)(momenta)


def test_a_device_refuses_it() -> None:
    from madnis_py.devices.device import device_of

    there = device_of("emulated")
    assert there is not None
    with pytest.raises(CardError, match=r"events\.bias: expected none on a device"):
        CrossSectionOnDevice(CrossSection(Process.from_card(card(bias="ht"))), there)


def read(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


def distribution(events: EventBatch, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p_T of the pair, which is that of the jet, in pb with its error."""
    leptons = np.isin(events.pdg, (11, -11))[..., None] & (events.status == 1)[..., None]
    pair = np.where(leptons, events.momenta, 0.0).sum(axis=1)
    pt = np.hypot(pair[:, 1], pair[:, 2])
    sums, squares = (
        np.histogram(pt, edges, weights=(events.weight / len(events)) ** power)[0]
        for power in (1, 2)
    )
    return sums, np.sqrt(squares)


def compared(tmp_path: Path, events: int, points: int) -> None:
    edges = np.array([20.0, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500])
    found = {}
    for name, bias in (("plain", {}), ("biased", {"bias": "(pt(jet[1]) / 20)**3"})):
        run = Run(Process.from_card(card(**bias)), tmp_path / name, 1, method="vegas")
        result = run.integrate(points=points)
        batch = read(run.generate(events))
        assert batch.weight.mean() == pytest.approx(result.sigma_pb, rel=1e-9)
        found[name] = (result, batch, *distribution(batch, edges))
    (plain, plain_batch, a, a_error), (biased, batch, b, b_error) = found.values()
    difference = abs(plain.sigma_pb - biased.sigma_pb)
    assert difference < 5 * np.hypot(plain.sigma_error_pb, biased.sigma_error_pb)
    assert biased.sigma_absolute_pb > 5 * biased.sigma_pb
    filled = (a > 0) & (b > 0)
    assert filled.sum() >= 8
    assert (np.abs(a - b)[filled] < 5 * np.hypot(a_error, b_error)[filled]).all()
    assert (batch.weight.max() / batch.weight.min()) > 100
    ratios = [one.variations / one.weight[:, None] for one in (plain_batch, batch)]
    assert ratios[1].shape == (events, ratios[0].shape[1])
    assert 0.3 < np.median(ratios[1]) < 3


def test_a_biased_sample_has_the_unbiased_distribution(tmp_path: Path) -> None:
    compared(tmp_path, 1000, 10_000)


@pytest.mark.slow
def test_a_large_biased_sample_has_the_unbiased_distribution(tmp_path: Path) -> None:
    compared(tmp_path, 30_000, 200_000)
