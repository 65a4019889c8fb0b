"""The recursion over sets of legs: nothing in it that no diagram has, nothing missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from amplitudes import mandelstam, reaction
from small_models import amplitude_of, momenta_of, small_model

from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.coupling_orders import ALL_ORDERS, OrderLimit
from madnis_py.physics.diagrams.formed_particles import FormedParticles, formed_particles
from madnis_py.physics.diagrams.reactions import reaction_of
from madnis_py.physics.diagrams.recursion import Recursion, recursion_of
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import CouplingOrder, Particle, Vertex, VertexTerm

MODEL = Model("sm")
VERTICES = VertexTable(MODEL)

REACTIONS = [
    "g g > g g g",
    "u u~ > e+ e- g g",
    "u u > t t~ u u",
    "u d~ > w+ w+ w-",
    "u c > w+ w+ d s QCD=0",
    "u u~ > d d~ g QED=2",
    "u u~ > d d~ QED^2==2",
    "e+ e- > h z a",
    "g g > t t~ g, t > b w+",
]


def step_of(text: str) -> Recursion:
    return recursion_of(reaction(text, MODEL), VERTICES)


@pytest.mark.parametrize("text", REACTIONS)
def test_every_field_that_is_made_is_in_a_diagram(text: str) -> None:
    step = step_of(text)
    in_diagrams = {
        (tree.legs, tree.pdg) for amplitude in step.final_trees() for tree in amplitude.subtrees()
    }
    sets = [units for units in range(1, step.everything + 1, 1) if not units & 1]
    made = {(step.legs(units), field.pdg) for units in sets for field in step.fields(units)}
    assert made <= in_diagrams
    assert made


@pytest.mark.parametrize("text", REACTIONS)
def test_powers_known_without_a_recursion_are_those_of_the_diagrams(text: str) -> None:
    step = step_of(text)
    assert step.powers == {goal.powers for goal in step.goals}


@pytest.mark.parametrize(
    "orders",
    [(OrderLimit("QED", 0),), (OrderLimit("QED", 4, "==", True), OrderLimit("QCD", 0, ">"))],
)
def test_a_reaction_without_diagrams_has_no_powers_and_no_goals(
    orders: tuple[OrderLimit, ...],
) -> None:
    step = recursion_of(reaction_of((2, 3), (1, 4), *orders), VERTICES)  # u s > d c takes a W
    assert not step.powers
    assert not step.goals


def trees_of(units: int, codes: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, int]]]:
    """What a set of legs becomes, by all splittings of it in two or three."""
    places = positions(units)
    if len(places) == 1:
        yield codes[places[0]], (0, 0)
        return
    for colours in product(range(3), repeat=len(places)):
        parts = [
            sum(1 << k for k, c in zip(places, colours, strict=True) if c == n) for n in (0, 1, 2)
        ]
        if not parts[0] or not parts[1]:
            continue
        for below in product(*(set(trees_of(part, codes)) for part in parts if part)):
            for vertex in VERTICES.meeting(tuple(pdg for pdg, _ in below)):
                powers = [vertex.powers, *(inside for _, inside in below)]
                yield vertex.pdg, (sum(p[0] for p in powers), sum(p[1] for p in powers))


@pytest.mark.parametrize(
    "codes", [(2, -2), (2, -2, 21), (1, 2, -1), (24, -24, 22, 23), (2, -1, 11, -12), (25, 25, 23)]
)
def test_what_particles_form_is_what_all_of_their_trees_become(codes: tuple[int, ...]) -> None:
    every = set(trees_of((1 << len(codes)) - 1, codes))
    assert FormedParticles(VERTICES, (), lowest=False).of(codes) == every
    assert FormedParticles(VERTICES, (), lowest=False).of(reversed(codes)) == every
    lowest = FormedParticles(VERTICES, (), lowest=True).of(codes)
    assert lowest == {
        (pdg, (strong, weak))
        for pdg, (strong, weak) in every
        if strong + 2 * weak == min(a + 2 * b for other, (a, b) in every if other == pdg)
    }


def test_reactions_share_what_their_particles_form(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, ...]] = []
    original = FormedParticles._made

    def counted(table: FormedParticles, particles: tuple[int, ...]) -> object:
        made.append(particles)
        return original(table, particles)

    monkeypatch.setattr(FormedParticles, "_made", counted)
    vertices = VertexTable(MODEL)
    for text in ("u u~ > g g g", "g u > g g u", "g g > g u u~", "u u~ > g g g"):
        _ = recursion_of(reaction(text, MODEL), vertices).goals
    assert len(made) == len(set(made))
    assert formed_particles(vertices, (), True, 4) is formed_particles(vertices, (), True, 5)


def test_an_order_that_the_model_limits_is_spent_at_any_vertex() -> None:
    """Cheap and at most one: at either of two vertices, the dear order being at the other one.

    |M|^2 = (2 a b sum 1 / (x - m^2))^2 / 2 of three channels, for two identical particles.
    """
    orders = (CouplingOrder("QED", 2, 1), CouplingOrder("NP", 1, 2, 1))
    vertices = tuple(
        Vertex(("s", "s", "s"), (VertexTerm("1", "SSS", (coupling,)),), powers)
        for coupling, powers in (("a", (0, 1, 0)), ("b", (0, 0, 1)))
    )
    scalar = Particle("s", "s", 9_000_001, 1, 1, 0, mass="Ms")
    model = small_model((scalar,), vertices, {"Ms": 30.0, "a": 7.0, "b": 11.0})
    amplitude = amplitude_of(Model("small", {}, replace(model.tables, orders=orders)), "s s > s s")
    p = momenta_of(amplitude)
    channels = sum(1 / (x - 30.0**2) for x in mandelstam(p))
    expected = (2 * 7 * 11 * channels) ** 2 / 2
    np.testing.assert_allclose(amplitude.squared(p, 0.1), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("final", "limit", "expected"),
    [
        ("s s", OrderLimit("NP", 1), 7.0**2 + 2 * 7 * 11),
        ("s s", OrderLimit("NP", 1, "=="), 2 * 7 * 11),
        ("s s", OrderLimit("NP", -2), 7.0**2),
        ("s s s", OrderLimit("NP", 0), 7.0**3 + 3 * 7**2 * 11),
        ("s s s", OrderLimit("NP", 0, "=="), 3 * 7.0**2 * 11),
        ("s s s", OrderLimit("WEIGHTED", 0), 7.0**3 + 3 * 7**2 * 11),
    ],
)
def test_a_vertex_may_lower_the_power_of_another_one(
    final: str, limit: OrderLimit, expected: float
) -> None:
    """Couplings a with NP = -1 and b with NP = 2 against one coupling without orders."""
    one = amplitude_at(_alike({"g": (0, 0)}, {"g": 1.0}), final, ALL_ORDERS)
    model = _alike({"a": (0, -1), "b": (0, 2)}, {"a": 7.0, "b": 11.0})
    np.testing.assert_allclose(amplitude_at(model, final, limit) / one, expected**2, rtol=1e-10)


def test_squares_have_what_negative_powers_leave_below_a_limit() -> None:
    """Products of a a (-2), a b (1) and b b (4); below zero are a a a a and a a a b."""
    one = amplitude_at(_alike({"g": (0, 0)}, {"g": 1.0}), "s s", ALL_ORDERS)
    model = _alike({"a": (0, -1), "b": (0, 2)}, {"a": 7.0, "b": 11.0})
    squares = {
        OrderLimit("NP", -1, squared=True): 7.0**4 + 4 * 7.0**3 * 11,
        OrderLimit("NP", 2, "==", squared=True): 4 * 7**2 * 11**2 + 2 * 7**2 * 11**2,
        OrderLimit("NP", 8, "==", squared=True): 11.0**4,
    }
    for limit, expected in squares.items():
        found = amplitude_at(model, "s s", limit)
        np.testing.assert_allclose(found / one, expected, rtol=1e-10)


def _alike(powers: dict[str, tuple[int, int]], values: dict[str, float]) -> Model:
    """Scalars with three-point vertices that differ in their powers alone."""
    orders = (CouplingOrder("NP", 1, 1),)
    vertices = tuple(
        Vertex(("s", "s", "s"), (VertexTerm("1", "SSS", (name,)),), own)
        for name, own in powers.items()
    )
    scalar = Particle("s", "s", 9_000_001, 1, 1, 0, mass="Ms")
    model = small_model((scalar,), vertices, {"Ms": 30.0, **values})
    return Model("small", {}, replace(model.tables, orders=orders))


def amplitude_at(model: Model, final: str, limit: OrderLimit) -> Array:
    codes = tuple(model.pdg_of[name] for name in final.split())
    scalar = codes[0]
    amplitude = TreeAmplitude(reaction_of((scalar, scalar), codes, limit), model)
    return amplitude.squared(momenta_of(amplitude), 0.1)
