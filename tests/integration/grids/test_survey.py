"""A survey that is stored and read again."""

from __future__ import annotations

import torch
from toy_integrands import CamelBack

from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas


def test_a_survey_comes_back_from_its_tensors() -> None:
    survey = Survey.of(*train_vegas(CamelBack(), VegasSettings(points=200), 3))
    again = Survey.from_tensors(survey.tensors())
    assert [part.value for part in again.iterations] == [part.value for part in survey.iterations]
    torch.testing.assert_close(again.sigma, survey.sigma)
    assert torch.equal(again.flow.grid, survey.flow.grid)
