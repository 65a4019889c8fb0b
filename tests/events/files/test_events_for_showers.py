"""A hundred thousand events of three processes: pylhe reads them, Pythia showers them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pylhe
import pytest
from event_samples import read_lhe, shower_of

from madnis_py.card.card import load
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

EVENTS = 100_000
PROCESSES = ("drell_yan", "ttbar_1j", "w2j")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=PROCESSES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    card = load(request.param).updated({"training": {"preset": "quick"}})
    made = Run(Process.from_card(card), tmp_path_factory.mktemp(request.param) / "run", seed=2)
    made.execute(EVENTS)
    return made


def test_pylhe_reads_every_event_and_their_mean_weight_is_the_cross_section(run: Run) -> None:
    file = read_lhe(run.events_file)
    sigma = file.init.procInfo[0].xSection
    weights, variations = [], []
    for event in file.events:
        weights.append(event.eventinfo.weight)
        variations.append(len(event.weights))
        check_lines(event)
    assert len(weights) == EVENTS
    assert set(variations) == {8}
    np.testing.assert_allclose(np.mean(weights), sigma, rtol=1e-9)
    assert sigma == run.record.content()["sigma_pb"]


def check_lines(event: pylhe.LHEEvent) -> None:
    """Every colour tag begins once and ends once; helicities are known."""
    outside = [p for p in event.particles if p.status != 2]
    begins = sorted(tag for p in outside if (tag := p.color2 if p.status == -1 else p.color1))
    ends = sorted(tag for p in outside if (tag := p.color1 if p.status == -1 else p.color2))
    assert begins == ends
    assert len(set(begins)) == len(begins)
    assert all(p.spin in (-1.0, 0.0, 1.0) for p in outside)


@pytest.mark.parametrize(
    ("settings", "events"), [(("PartonLevel:MPI = off", "HadronLevel:all = off"), 1000), ((), 200)]
)
def test_pythia_showers_all_and_reports_our_cross_section(
    run: Run, tmp_path: Path, settings: tuple[str, ...], events: int
) -> None:
    path = Run.open(run.directory.path).generate(events, tmp_path / "events.lhe.gz")
    pythia = shower_of(path, settings)
    assert sum(pythia.next() for _ in range(events)) == events
    assert pythia.infoPython().sigmaGen() == pytest.approx(
        run.record.content()["sigma_pb"] * 1e-9, rel=1e-6
    )
