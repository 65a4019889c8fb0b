"""The sign of Epsilon where gamma5 is beside it, against another program with either sign."""

import numpy as np
import pytest
from small_models import amplitude_of, momenta_of
from ufo_models import MODELS, own

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def test_epsilon_and_gamma5_interfere_with_the_sign_of_aloha(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`ufoamp` has Epsilon^{0123} = +1 with the same gamma5; FeynRules and ALOHA have -1."""
    evaluator = pytest.importorskip("ufoamp.vertex_eval")
    process = pytest.importorskip("ufoamp.process").Process
    tables = pytest.importorskip("ufoamp.ufo_model").load(str(MODELS / "effective"))
    amplitude = amplitude_of(own("effective"), "x x > ta- ta+")
    p = momenta_of(amplitude, 2)
    found = amplitude.squared(p, 0.118)

    def theirs() -> list[float]:
        other = process(tables, [9000023, 9000023], [15, -15], gauge="unitary")
        return [other.m2([*point]) for point in p]

    opposite = theirs()
    monkeypatch.setattr(evaluator, "EPSILON_T", -evaluator.EPSILON_T)
    np.testing.assert_allclose(found, theirs(), rtol=1e-10)
    assert np.abs(found / opposite - 1).min() > 1e-2
