"""Lifetimes of events: their distribution, and what they leave as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from event_samples import Z_BOSON, drell_yan, with_resonance
from scipy.stats import kstest

from madnis_py.card.card import Card
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.events.lifetimes import HBAR_C, Lifetimes
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.model.model import Model
from madnis_py.run.samples.any_run import begin_run


def events_of(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


LONG_LIVED = 1e-15
"""GeV; a particle of this width flies 0.2 m."""


def test_c_tau_is_exponential_with_the_mean_that_the_width_gives() -> None:
    events = with_resonance(drell_yan(8000))
    lifetime = Lifetimes({Z_BOSON: LONG_LIVED}, 0.0).drawn(events, stream(1, "lifetimes")).lifetime
    flies = events.used & (events.pdg == Z_BOSON)
    assert flies.sum() == 4000
    assert not lifetime[~flies].any()
    assert kstest(lifetime[flies] * LONG_LIVED / HBAR_C, "expon").pvalue > 1e-6
    assert np.isclose(HBAR_C / LONG_LIVED, 197.3269804)


def test_what_does_not_exceed_the_least_c_tau_is_zero_and_the_rest_stays() -> None:
    events = with_resonance(drell_yan(2000))
    everything, long = (
        Lifetimes({Z_BOSON: LONG_LIVED}, least).drawn(events, stream(2, "lifetimes")).lifetime
        for least in (0.0, 200.0)
    )
    assert (long == np.where(everything > 200.0, everything, 0.0)).all()
    assert 0 < (long > 0).sum() < (everything > 0).sum()


def test_unstable_particles_are_those_of_the_model_with_a_width() -> None:
    lifetimes = Lifetimes.of_model(Model("sm", {"WH": 0.0}), 0.0)
    assert lifetimes.widths.keys() == {6, 23, 24}
    assert lifetimes.widths[23] == Model("sm")["WZ"]


def test_the_events_of_a_run_get_lifetimes_and_are_otherwise_the_same(tmp_path: Path) -> None:
    card = Card.parse(
        {
            "process": {"definition": "e+ e- > z h"},
            "beams": {"energy": [125.0, 125.0], "pdf": "none"},
            "parameters": {"WH": LONG_LIVED},
        }
    )
    with_lifetimes = card.updated({"events": {"lifetimes": 1e-6}})
    plain, flying = (
        events_of(begin_run(one, tmp_path / name, method="vegas").execute(300, 4000).events_file)
        for one, name in ((card, "plain"), (with_lifetimes, "flying"))
    )
    assert (flying.lifetime[flying.pdg == 25] > 0).all()
    assert not flying.lifetime[flying.pdg != 25].any()
    assert not plain.lifetime.any()
    same = replace(flying, lifetime=plain.lifetime).columns()
    assert all((column == same[name]).all() for name, column in plain.columns().items())
