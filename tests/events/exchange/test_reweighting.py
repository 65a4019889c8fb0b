"""Weights of events for other parameters and models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Outcome, call

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.reweighting import Hypothesis, Reweighting, reweight_file
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

LEPTONS = """
[process]
definition = "e+ e- > mu+ mu-"
[beams]
energy = [45.0, 45.0]
pdf = "none"
[parameters]
MZ = {mass}
WZ = {width}
"""

HADRONS = """
[process]
definition = "p p > {final}"
model = "sm_zprime"
[beams]
pdf = "toy"
[cuts]
"e+,e-" = {{ mass_min = 300.0, mass_max = 600.0 }}
[parameters]
MZP = {mass}
WZP = {width}
kZPl = {coupling}
[systematics]
scale_factors = []
pdf_members = false
"""


def card(text: str, **values: object) -> Card:
    import tomllib

    return Card.parse(tomllib.loads(text.format(**values)))


def generated(card: Card, folder: Path, events: int, seed: int = 1) -> tuple[Run, Path]:
    run = Run(Process.from_card(card), folder, seed, method="vegas")
    run.integrate(points=20_000)
    return run, run.generate(events)


def hypothesis(card: Card) -> Hypothesis:
    return Hypothesis.from_card(card, "card")


def read(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


@pytest.fixture(scope="module")
def leptons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Muon pairs at 90 GeV, just below the Z."""
    made = card(LEPTONS, mass=91.188, width=2.44)
    return generated(made, tmp_path_factory.mktemp("leptons"), 2000)[1]


def muon_pairs(mass: float, width: float, cosine: np.ndarray) -> np.ndarray:
    """e+ e- > mu+ mu- by photon and Z at s = (90 GeV)^2, up to a constant, by helicities."""
    model = Process.from_card(card(LEPTONS, mass=mass, width=width)).model
    sw2 = 1 - (model.mass(24) / mass) ** 2
    right, left = sw2, sw2 - 0.5
    s = 90.0**2
    z = s / (s - mass**2 + 1j * mass * width) / (sw2 * (1 - sw2))
    same = sum(abs(1 + g * g * z) ** 2 for g in (left, right))
    other = 2 * abs(1 + left * right * z) ** 2
    return same * (1 + cosine) ** 2 + other * (1 - cosine) ** 2


def test_another_mass_of_the_z_has_the_weights_of_the_closed_form(leptons: Path) -> None:
    events = read(leptons)
    before, after = card(LEPTONS, mass=91.188, width=2.44), card(LEPTONS, mass=90.0, width=3.0)
    ratio = Reweighting(hypothesis(before), hypothesis(after)).ratios(events)
    (e_plus, mu_plus) = (np.argmax(events.pdg == code, axis=1) for code in (-11, -13))
    each = np.arange(len(events))
    first, second = (events.momenta[each, place, 1:] for place in (e_plus, mu_plus))
    cosine = (first * second).sum(axis=1) / 45.0**2
    expected = muon_pairs(90.0, 3.0, cosine) / muon_pairs(91.188, 2.44, cosine)
    couplings = [Process.from_card(one).model.alpha_qed for one in (before, after)]
    expected *= (couplings[1] / couplings[0]) ** 2
    assert ratio == pytest.approx(expected, rel=1e-4)


def test_the_file_has_the_weight_in_a_group_and_the_new_cross_section(
    leptons: Path, tmp_path: Path
) -> None:
    before, after = (card(LEPTONS, mass=mass, width=2.44) for mass in (91.188, 90.5))
    reweighting = Reweighting(hypothesis(before), hypothesis(after))
    done = reweight_file(leptons, tmp_path / "new.lhe.gz", reweighting, "lighter")
    reader = open_events(tmp_path / "new.lhe.gz")
    assert [group.name for group in reader.init.weight_groups] == ["reweighting"]
    events = read(tmp_path / "new.lhe.gz")
    assert np.array_equal(events.weight, read(leptons).weight)
    assert events.variations[:, -1].mean() == pytest.approx(done.cross_section)
    direct, _ = generated(after, tmp_path / "direct", 10)
    sigma = direct.record.vegas
    assert sigma is not None
    error = hypot(done.error, sigma.sigma_error_pb)
    assert abs(done.cross_section - sigma.sigma_pb) < 5 * error
    assert error < 0.01 * done.cross_section
    assert 0.9 < done.n_eff / done.events <= 1.0
    with pytest.raises(InputError, match="expected no weight 'lighter' yet"):
        reweight_file(tmp_path / "new.lhe.gz", tmp_path / "x.lhe", reweighting, "lighter")


@pytest.mark.parametrize("kept", ["nothing", "helicities", "colours"])
def test_the_same_card_leaves_every_weight(kept: str, leptons: Path) -> None:
    same = hypothesis(card(LEPTONS, mass=91.188, width=2.44))
    ratios = Reweighting(same, same, kept).ratios(read(leptons))  # type: ignore[arg-type]
    assert ratios == pytest.approx(1.0, rel=1e-12)


def test_kept_helicities_have_the_same_mean_as_their_sum(leptons: Path) -> None:
    events = read(leptons)
    both = [hypothesis(card(LEPTONS, mass=mass, width=2.44)) for mass in (91.188, 90.0)]
    summed, kept = (
        Reweighting(both[0], both[1], one).ratios(events) for one in ("nothing", "helicities")
    )
    difference = kept - summed
    assert difference.std() > 0.01
    assert abs(difference.mean()) < 5 * difference.std() / len(events) ** 0.5


def test_particles_in_another_order_have_the_same_weight(leptons: Path) -> None:
    events = read(leptons)
    order = [0, 1, *range(events.n_particles - 1, 1, -1)]
    names = ("pdg", "status", "mothers", "colour", "momenta", "mass", "lifetime", "spin")
    turned = replace(events, **{name: getattr(events, name)[:, order] for name in names})
    both = [hypothesis(card(LEPTONS, mass=mass, width=2.44)) for mass in (91.188, 90.0)]
    reweighting = Reweighting(both[0], both[1])
    assert reweighting.ratios(turned) == pytest.approx(reweighting.ratios(events), rel=1e-9)


BEAMS = {"energy": [100.0, 100.0], "pdf": ["none", "none"]}


def without_sets(definition: str | list[str], **tables: dict[str, Any]) -> Card:
    """A card of colliding electrons."""
    return Card.parse({"process": {"definition": definition}, "beams": BEAMS, **tables}, "card")


def test_processes_of_the_same_particles_are_told_by_the_numbers_of_events(tmp_path: Path) -> None:
    polarised = ["e+ e- > z{0} z{0} @3", "e+ e- > z{T} z{T} @5"]
    made = without_sets("e+ e- > z z")
    events = read(generated(made, tmp_path / "run", 100)[1])

    def ratios(definition: str | list[str], of: EventBatch) -> Array:
        return Reweighting(hypothesis(made), hypothesis(without_sets(definition))).ratios(of)

    first, second = (ratios(one, events) for one in polarised)
    assert (first < second).all()  # longitudinal pairs are rare
    for number, alone in ((3, first), (5, second)):
        own = replace(events, process_id=np.full(len(events), number, np.int32))
        assert np.array_equal(ratios(polarised, own), alone)
    sentence = "the number of one process of card, 3 or 5, which have the same particles; got 1"
    with pytest.raises(InputError, match=sentence):
        ratios(polarised, events)


@pytest.mark.parametrize("running", [False, True])
def test_the_strong_coupling_is_that_of_the_model_where_no_beam_has_a_set(
    running: bool, tmp_path: Path
) -> None:
    cuts = {"jet": {"pt_min": 10.0}, "jet,jet": {"mass_min": 10.0}}
    scales = {"alpha_s_running": running, "renormalization": 91.188}
    before, after = (
        without_sets("e+ e- > d d~ g", cuts=cuts, scales=scales, parameters={"aS": coupling})
        for coupling in (0.12, 0.13)
    )
    events = read(generated(before, tmp_path / "run", 20)[1])
    ratios = Reweighting(hypothesis(before), hypothesis(after)).ratios(events)
    assert ratios == pytest.approx(0.13 / 0.12, rel=1e-3)  # at the mass of the Z


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"definition": "e+ e- > e+ e-"}, "expected events of the processes of card; got"),
        ({"MM": 0.1}, "expected mu[+-] with a mass of 0.1 GeV as in card; got 0 GeV"),
    ],
)
def test_what_cannot_be_weighted_is_a_sentence(
    changes: dict[str, object], sentence: str, leptons: Path
) -> None:
    before = card(LEPTONS, mass=91.188, width=2.44)
    table = "process" if "definition" in changes else "parameters"
    after = before.updated({table: changes})
    with pytest.raises(InputError, match=sentence):
        Reweighting(hypothesis(before), hypothesis(after)).ratios(read(leptons))


Command = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`madnis-py` with these arguments."""
    return lambda *arguments: call(arguments, capsys, monkeypatch)


def test_the_command_takes_the_card_in_the_file(
    command: Command, leptons: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(LEPTONS.format(mass=90.0, width=2.44))
    told = command("reweight", leptons, "--card", other, "-o", tmp_path / "new.lhe")
    assert told.status == 0
    assert "pb for other.toml" in told.out
    assert open_events(tmp_path / "new.lhe").init.weight_groups[0].weights[0].identifier == "other"
    reader = open_events(leptons)
    with create_events(tmp_path / "bare.lhe", reader.init) as writer:
        writer.write(read(leptons))
    refused = command("reweight", tmp_path / "bare.lhe", "--card", other, "-o", tmp_path / "x.lhe")
    assert refused.status == 2
    assert "expected the card that the events were made with in the header" in refused.err
    named = ("--of", other)
    assert (
        command(
            "reweight", tmp_path / "bare.lhe", *named, "--card", other, "-o", tmp_path / "x.lhe"
        ).status
        == 0
    )


@pytest.mark.slow
def test_another_z_prime_has_the_distribution_of_its_own_run(tmp_path: Path) -> None:
    before = card(HADRONS, final="e+ e-", mass=400.0, width=20.0, coupling=1.0)
    after = card(HADRONS, final="e+ e-", mass=410.0, width=15.0, coupling=0.8)
    _, made = generated(before, tmp_path / "before", 20_000)
    _, direct = generated(after, tmp_path / "after", 20_000)
    reweighting = Reweighting(hypothesis(before), hypothesis(after))
    reweight_file(made, tmp_path / "new.lhe.gz", reweighting, "other")
    edges = np.linspace(300.0, 600.0, 31)
    found = []
    for path, weight_of in ((tmp_path / "new.lhe.gz", "variations"), (direct, "weight")):
        events = read(path)
        pair = np.where(
            (events.status == 1)[..., None] & np.isin(events.pdg, (11, -11))[..., None],
            events.momenta,
            0.0,
        ).sum(axis=1)
        mass = np.sqrt(pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1))
        weight = np.reshape(getattr(events, weight_of), (len(events), -1))[:, -1] / len(events)
        sums, squares, counts = (
            np.histogram(mass, edges, weights=one)[0]
            for one in (weight, weight**2, np.ones_like(weight))
        )
        found.append((sums, squares, counts))
    (new, new_error, n_new), (own, own_error, n_own) = found
    full = (n_new > 20) & (n_own > 20)
    pulls = (new - own)[full] / np.sqrt(new_error + own_error)[full]
    assert full.sum() > 15
    assert np.abs(pulls).max() < 3.5
    assert abs((pulls**2).sum() / full.sum() - 1) < 5 * np.sqrt(2 / full.sum())
