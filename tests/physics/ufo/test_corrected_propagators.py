"""Propagators of a model whose numerators have parameters, as corrections to widths have them."""

from pathlib import Path

import numpy as np
import pytest
from small_models import amplitude_of, assert_invariant, momenta_of
from ufo_models import copied, own, with_vertices_of

from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.model_library import named_tables


def amplitude(values: dict[str, float]) -> TreeAmplitude:
    model = with_vertices_of(own("effective", values), "x", "x1")
    return amplitude_of(model, "e- e+ > ta- ta+")


def test_a_correction_to_a_width_is_the_derivative_of_the_propagator() -> None:
    corrected, plain = amplitude({}), amplitude({"eps": 0.0})
    p = momenta_of(corrected)
    step = 1e-3
    above, below = (
        amplitude({"eps": 0.0, "WX": 8.0 * (1 + sign * step)}).squared(p, 0.118) for sign in (1, -1)
    )
    slope = (above - below) / (2 * step)
    found = (corrected.squared(p, 0.118) - plain.squared(p, 0.118)) / 1e-5
    np.testing.assert_allclose(found, slope, rtol=3e-4)
    assert np.abs(slope / plain.squared(p, 0.118)).min() > 1e-3
    assert_invariant(corrected)


@pytest.mark.parametrize(
    ("numerator", "sentence"),
    [("dWX", ""), ("nothing", "names of parameters; got nothing"), ("foo(dWX)", "one of Metric")],
)
def test_names_in_propagators_are_those_of_parameters(
    numerator: str, sentence: str, tmp_path: Path
) -> None:
    folder = copied("effective", tmp_path, {"propagators.py": ("* dWX", f"* {numerator}")})
    model = Model("effective", {}, named_tables(str(folder)))
    lacking = {one.lacking for one in model.vertices if "x1" in one.particles}
    assert lacking
    assert all(sentence in one if sentence else one == "" for one in lacking)


def test_a_propagator_that_runs_with_alpha_s_is_refused(tmp_path: Path) -> None:
    running = 'value="eps*WX*aS"'
    changes = {"parameters.py": ('value="eps*WX"', running)}
    folder = copied("effective", tmp_path, changes)
    with (folder / "parameters.py").open("a") as file:
        file.write(
            'aS = Parameter(name="aS", nature="external", type="real", value=0.118, '
            'texname="a", lhablock="SMINPUTS", lhacode=[3])\n'
        )
    tables = named_tables(str(folder))
    lacking = [one.lacking for one in tables.vertices if "x1" in one.particles]
    assert lacking
    assert all("do not depend on alpha_s; got dWX" in one for one in lacking)
