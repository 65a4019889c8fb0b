"""The history of a training: columns, and a picture."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from integrands import gaussian
from toy_integrands import CamelBack

from madnis_py.errors import InputError
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integrator.integrator import Integrator
from madnis_py.integrator.training_history import TrainingHistory


@pytest.fixture(scope="module")
def history() -> TrainingHistory:
    return Integrator(gaussian, dim=2).train(steps=40, batch_size=500, learning_rate=1e-2)


def test_a_history_has_a_number_for_every_step_and_figure(history: TrainingHistory) -> None:
    assert len(history) == 40
    assert history.step.tolist() == list(range(1, 41))
    for name, column in history.columns.items():
        assert column.shape == (40,), name
        assert np.isfinite(column).all(), name
    assert history.relative_std[-1] < history.relative_std[0]
    assert history.learning_rate[0] == 1e-2
    assert (np.diff(history.learning_rate) < 0).all()
    assert set(history.active_channels) == {1.0}


def test_it_is_what_a_callback_sees() -> None:
    seen: list[StepProgress] = []
    integrator = Integrator(CamelBack(), seed=1)
    history = integrator.train(
        steps=9, batch_size=200, buffer="partial", buffer_size=4, callback=seen.append
    )
    assert history.loss.tolist() == [one.loss for one in seen]
    replays = [one.batch_value is None for one in seen]
    assert any(replays)
    assert np.isnan(history.batch_value).tolist() == replays


def test_a_history_is_drawn(history: TrainingHistory, tmp_path: Path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = history.plot()
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["loss", "std/mean", "unweighting efficiency", "learning rate"]
    for axes in figure.axes:
        assert np.shape(axes.lines[0].get_xdata()) == (40,)
    figure.savefig(tmp_path / "training.svg")
    pyplot.close(figure)
    assert (tmp_path / "training.svg").stat().st_size > 5000


def test_without_matplotlib_a_sentence_says_what_to_install(
    history: TrainingHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(InputError, match=r"plot: needs matplotlib, which `pip install madnis_py\["):
        history.plot()


def test_a_history_says_what_it_is(history: TrainingHistory) -> None:
    assert repr(history).startswith("TrainingHistory(40 steps, std/mean 2")
    assert history._repr_html_().count("<tr>") == 6
    nothing = Integrator(gaussian, dim=2).train(steps=0)
    assert repr(nothing) == "TrainingHistory(0 steps)"
    assert nothing._repr_html_().count("<tr>") == 1
