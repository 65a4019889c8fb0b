"""Amplitudes against the numbers of MadGraph, over all reference files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from amplitudes import ALPHA_S, STABLE, numbered, reaction, without_width
from places import SHARED

from madnis_py.physics.amplitudes.matrix_element import Weights
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.momenta import as_momenta

FOLDER = SHARED / "reference" / "matrix_elements"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
FLOOR = 2e-12
"""To which MadGraph's double and quadruple precision agree at worst."""

Propagators = tuple[tuple[int, tuple[int, ...]], ...]


class Reference:
    """One file and our amplitude for it."""

    def __init__(self, name: str, cache: TapeCache | None = None) -> None:
        self.content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
        self._cache = cache
        given = self.content["parameters"]
        ckm = given["CKM"] if isinstance(given["CKM"], dict) else {}
        values = {key: value for key, value in (given | ckm).items() if isinstance(value, float)}
        self.values = {key: value for key, value in values.items() if key in Model("sm").parameters}
        self.points: list[dict[str, Any]] = self.content["points"]

    def built(
        self, t_channel_widths: bool = True, values: Mapping[str, float] = MappingProxyType({})
    ) -> TreeAmplitude:
        """The amplitude with all widths; parameters of the file unless named."""
        model = Model("sm", {**self.values, **values})
        definition = self.content["mg5_command"].split("generate ")[1]
        one = reaction(definition, model)
        zero = without_width(one, model, t_channel_widths=t_channel_widths, external_widths=True)
        return TreeAmplitude(one, model, zero, self._cache)

    @cached_property
    def ours(self) -> TreeAmplitude:
        return self.built()

    @cached_property
    def p(self) -> np.ndarray:
        return as_momenta([point["momenta"] for point in self.points])

    @cached_property
    def weights(self) -> Weights:
        return self.ours.weights(self.p, ALPHA_S)

    def column(self, key: str) -> np.ndarray:
        """An entry of all points."""
        return np.array([point[key] for point in self.points])

    def with_entry(self, key: str) -> tuple[list[int], np.ndarray]:
        """The points that have an entry, and their numbers of it, (n, columns)."""
        chosen = [number for number, point in enumerate(self.points) if key in point]
        assert chosen
        return chosen, np.array([self.points[number][key] for number in chosen])


@pytest.fixture(scope="module", params=NAMES)
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    return Reference(request.param, TapeCache(tmp_path_factory.mktemp(request.param)))


def test_squared_amplitudes_are_those_of_madgraph(reference: Reference) -> None:
    np.testing.assert_allclose(reference.weights.me2, reference.column("me2"), rtol=FLOOR)


def test_squared_amplitudes_without_widths_are_those_of_madgraph(reference: Reference) -> None:
    me2 = reference.built(values=STABLE).squared(reference.p, ALPHA_S)
    np.testing.assert_allclose(me2, reference.column("me2_zero_width"), rtol=FLOOR)


def test_all_diagrams_are_found_once(reference: Reference) -> None:
    found = sorted((diagram.propagators, diagram.max_vertex) for diagram in reference.ours.diagrams)
    rows = reference.content["diagrams"]
    assert found == sorted((propagators(row), row["max_vertex"]) for row in rows)
    assert len(found) == reference.content["n_diagrams"]


def test_squares_of_diagrams_are_those_of_madgraph(reference: Reference) -> None:
    chosen, amp2 = reference.with_entry("amp2")
    expected = by_key(
        (propagators(row), amp2[:, np.array(row["amps"]) - 1].sum(axis=1))
        for row in reference.content["diagrams"]
    )
    squares = reference.ours.evaluate(reference.p, ALPHA_S)[1][chosen].T
    found = by_key(
        zip((diagram.propagators for diagram in reference.ours.diagrams), squares, strict=True)
    )
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(
            ordered(found[key]), ordered(expected[key]), rtol=1e-11, err_msg=str(key)
        )


def propagators(row: dict[str, Any]) -> Propagators:
    return tuple(sorted((pdg, tuple(leg - 1 for leg in legs)) for pdg, legs in row["propagators"]))


def by_key(pairs: Iterator[tuple[Propagators, np.ndarray]]) -> dict[Propagators, list[np.ndarray]]:
    found = defaultdict(list)
    for key, column in pairs:
        found[key].append(column)
    return found


def ordered(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Diagrams that share their propagators, in the order of their size."""
    return np.sort(np.stack(columns), axis=0)


def test_squares_of_colour_flows_are_those_of_madgraph(reference: Reference) -> None:
    chosen, jamp2 = reference.with_entry("jamp2")
    legs = [str(leg + 1) for leg in range(reference.ours.n_particles)]
    expected = {
        numbered([tuple(flow.get(leg, (0, 0))) for leg in legs]): jamp2[:, column]
        for column, flow in enumerate(reference.content["color_flows"])
    }
    flows = reference.weights.flows[chosen].T
    found = dict(zip(map(numbered, reference.ours.flows), flows, strict=True))
    assert len(found) == len(reference.ours.flows)
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-11, err_msg=str(key))


def test_single_helicities_are_those_of_madgraph(reference: Reference) -> None:
    columns = {tuple(row): column for column, row in enumerate(reference.ours.helicities.tolist())}
    np.testing.assert_allclose(
        reference.weights.helicities.sum(axis=1), reference.weights.me2, rtol=1e-13
    )
    for point in reference.content.get("helicity_resolved", {"points": []})["points"]:
        expected = np.zeros(len(columns))
        total = sum(point["me2"])
        for states, value in zip(point["helicities"], point["me2"], strict=True):
            if tuple(states) in columns:
                expected[columns[tuple(states)]] = value
            else:
                assert value < 1e-24 * total, states
        found = reference.weights.helicities[point["point_index"]]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * total)


needs_files = pytest.mark.skipif(not NAMES, reason="reference numbers are not here")


@needs_files
def test_widths_of_the_t_channel_can_be_left_out() -> None:
    """The only propagator of u b > d t is a W between the incoming particles."""
    single_top = Reference("ub_dt")
    without, stable = single_top.built(t_channel_widths=False), single_top.built(values=STABLE)
    me2, squares = without.evaluate(single_top.p, ALPHA_S)
    np.testing.assert_allclose(me2, single_top.column("me2_zero_width"), rtol=FLOOR)
    np.testing.assert_allclose(squares, stable.evaluate(single_top.p, ALPHA_S)[1], rtol=FLOOR)
    assert (np.abs(me2 / single_top.column("me2") - 1) > 1e-9).all()


@needs_files
@pytest.mark.parametrize("name", ["udx_epve", "t_bepve", "uux_epemg"])
def test_widths_of_the_s_channel_and_of_decays_are_kept(name: str) -> None:
    resonance = Reference(name)
    me2, squares = resonance.built(t_channel_widths=False).evaluate(resonance.p, ALPHA_S)
    np.testing.assert_allclose(me2, resonance.column("me2"), rtol=FLOOR)
    np.testing.assert_allclose(
        squares, resonance.ours.evaluate(resonance.p, ALPHA_S)[1], rtol=FLOOR
    )
    assert np.abs(me2 / resonance.column("me2_zero_width") - 1).max() > 1e-9
