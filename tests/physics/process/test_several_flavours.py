"""Integrands with many initial and final flavours against one flavour at a time."""

from __future__ import annotations

import pickle
import re
from collections.abc import Hashable
from copy import copy
from functools import cache

import numpy as np
import pytest
import torch
from amplitudes import numbered
from amplitudes import points as momenta_of
from flat_mapping import flat_integrand

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement, Weights
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import DRAWS, PartonicEventSampler
from madnis_py.physics.process.mirrored import Mirrored
from madnis_py.physics.process.process import Process

TOP = "p p > t t~ j"
JETS = {"jet": {"pt_min": 20.0}, "lepton": {"sfos_mass_min": 10.0}}


def process(definition: str, **tables: object) -> Process:
    tables.setdefault("beams", {"pdf": "toy"})
    return Process.from_card(
        Card.parse({"process": {"definition": definition}, "cuts": JETS, **tables})
    )


@cache
def tops(prior: str = "auto", renormalization: str = "ht/2") -> CrossSection:
    scales = {"factorization": "sum_mt/2", "renormalization": renormalization}
    return flat_integrand(process(TOP, channels={"prior": prior}, scales=scales))


def points(
    integrand: CrossSection, n: int = 40, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.rand(
        n, integrand.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    return x, torch.zeros(n, dtype=torch.int64)


def single_flavours(whole: Process, **tables: object) -> list[CrossSection]:
    """The integrands of every combination of flavours on its own, in order."""
    name = whole.model.reaction_name
    return [flat_integrand(process(name(legs, 2), **tables)) for legs in whole.flavours]


@pytest.mark.parametrize(
    ("definition", "values"),
    [
        (TOP, {}),
        (TOP, {"MB": 0.0, "ymb": 0.0}),
        ("p p > e+ ve j", {}),
        ("u p > j j QED=0", {}),
        ("p p > l+ l- j", {}),
    ],
)
def test_the_sum_over_flavours_is_the_sum_of_single_flavours(
    definition: str, values: dict[str, float]
) -> None:
    scales = {"factorization": "ht/2", "renormalization": "ht/2"}
    whole = process(definition, scales=scales, parameters=values)
    together = flat_integrand(whole)
    x, channel = points(together)
    parts = [
        one.evaluate(x, channel).value
        for one in single_flavours(whole, scales=scales, parameters=values)
    ]
    expected = torch.stack(parts).sum(dim=0)
    assert (expected > 0).sum() > 10
    torch.testing.assert_close(together.evaluate(x, channel).value, expected, rtol=1e-12, atol=0)


def test_flavours_of_events_come_in_proportion_to_their_cross_sections() -> None:
    whole, integrand, n = process(TOP), flat_integrand(process(TOP)), 40000
    x, channel = points(integrand)
    row = int(integrand.evaluate(x, channel).value.argmax())
    point, first = x[row : row + 1], channel[:1]
    parts = np.array([one.evaluate(point, first).value.item() for one in single_flavours(whole)])
    uniform = torch.rand(n, DRAWS, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    events = PartonicEventSampler(integrand).sample(
        point.expand(n, -1).contiguous(), first.expand(n), uniform
    )
    for legs, share in zip(whole.flavours, parts / parts.sum(), strict=True):
        drawn = (events.pdg == legs).all(axis=1).sum()
        assert abs(drawn - n * share) < 5 * np.sqrt(n * share * (1 - share)) + 1e-9


def test_events_have_the_masses_and_colours_of_their_flavours() -> None:
    integrand = tops()
    x, channel = points(integrand)
    inside = integrand.evaluate(x, channel).value > 0
    uniform = torch.linspace(0, 0.999, int(inside.sum()), dtype=torch.float64)[:, None].expand(
        -1, DRAWS
    )
    events = PartonicEventSampler(integrand).sample(x[inside], channel[inside], uniform)
    gluons, quarks = events.pdg == 21, (abs(events.pdg) < 7) & (events.pdg != 21)
    assert ((events.colour > 0).sum(axis=2)[gluons] == 2).all()
    assert ((events.colour > 0).sum(axis=2)[quarks] == 1).all()
    np.testing.assert_array_equal(
        events.mass[:, 2:], np.tile([173.0, 173.0, 0.0], (len(uniform), 1))
    )


class Counted(MatrixElement):
    """Counts how often it is asked for what."""

    def __init__(self, element: MatrixElement) -> None:
        self.element = element
        self.calls: list[str] = []
        self.n_diagrams, self.n_particles = element.n_diagrams, element.n_particles
        self.flows, self.helicities = element.flows, element.helicities

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        self.calls.append("evaluate")
        return self.element.evaluate(p, alpha_s)

    def squared(self, p: Array, alpha_s: Array | float) -> Array:
        self.calls.append("squared")
        return self.element.squared(p, alpha_s)

    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        return self.element.weights(p, alpha_s)

    @property
    def identity(self) -> Hashable:
        return self.element.identity


def calls(integrand: CrossSection) -> list[str]:
    """What is asked of the matrix elements at some points."""
    counted = tuple((Counted(element), columns) for element, columns in integrand.elements)
    watched = copy(integrand)
    watched.elements = copy(integrand.elements)
    watched.elements._served = counted
    watched.scattering = copy(integrand.scattering)
    watched.scattering.elements = watched.elements
    watched.evaluate(*points(integrand))
    return [call for element, _ in counted for call in element.calls]


def test_equal_matrix_elements_are_evaluated_once() -> None:
    """g g, q q~, q g and q~ g in both orders: u and d differ in nothing here."""
    assert len(process(TOP).groups) == 13
    assert calls(tops()) == ["evaluate"] * 7


def test_bottom_quarks_without_mass_are_like_strange_ones() -> None:
    massless = process(TOP, parameters={"MB": 0.0, "ymb": 0.0})
    assert any(5 in legs for legs in massless.flavours)
    assert len(calls(flat_integrand(massless))) == 7


@pytest.mark.parametrize(
    ("prior", "call"), [("diagram", "evaluate"), ("flat", "squared"), ("propagator", "squared")]
)
def test_single_diagrams_are_computed_only_for_a_prior_that_looks_at_them(
    prior: str, call: str
) -> None:
    assert set(calls(tops(prior))) == {call}


@pytest.mark.parametrize("prior", ["flat", "propagator"])
def test_the_value_does_not_depend_on_whether_single_diagrams_are_computed(prior: str) -> None:
    torch.testing.assert_close(
        tops(prior).evaluate(*points(tops())).value,
        tops().evaluate(*points(tops())).value,
        rtol=1e-14,
        atol=0,
    )


def test_the_diagrams_of_all_subprocesses_stand_side_by_side() -> None:
    whole = process(TOP)
    assert whole.diagram_offsets == (
        0,
        *np.cumsum([len(whole.diagrams(group)) for group in whole.groups]),
    )
    number = next(
        place for place, group in enumerate(whole.groups) if (2, -2, 6, -6, 21) in group.flavours
    )
    first, end = whole.diagram_offsets[number : number + 2]
    integrand = flat_integrand(whole, *[(column,) for column in range(first, end)])
    x, channel = points(integrand)
    p, _ = integrand.momenta(x, channel)
    rows = (integrand.evaluate(x, channel).value > 0).numpy()
    q2 = np.full(len(p), 91.188**2)
    alpha_s, densities = integrand.luminosity.alpha_s(q2), integrand.luminosity.evaluate(p, q2)
    density = sum(
        densities[:, whole.flavours.index(legs)] for legs in whole.groups[number].flavours
    )
    me2, squares = whole.tree_amplitude(whole.groups[number]).evaluate(p, alpha_s)
    shares = squares / squares.sum(axis=1, keepdims=True)
    prior = integrand.evaluate(x, channel).prior.numpy()
    np.testing.assert_allclose(prior[rows], ((density * me2)[:, None] * shares)[rows], rtol=1e-12)


@pytest.mark.parametrize(
    "definition",
    [TOP, "p p > w+ z", "p p > e+ ve j", "p p > j j j QED=0", "p p > t b~ j QCD=99 QED=99"],
)
def test_mirrored_matrix_elements_are_those_of_the_other_beam_order(definition: str) -> None:
    whole, found = process(definition), 0
    for group in whole.groups:
        element = whole.matrix_element_of(group)
        if not isinstance(element, Mirrored):
            continue
        found += 1
        direct = whole.tree_amplitude(group)
        p = momenta_of(whole.model.reaction_name(group.reaction.legs, 2))
        for ours, theirs in zip(element.evaluate(p, 0.118), direct.evaluate(p, 0.118), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13 * theirs.max())
        np.testing.assert_allclose(element.squared(p, 0.118), direct.squared(p, 0.118), rtol=1e-12)
        assert sorted(map(numbered, element.flows)) == sorted(map(numbered, direct.flows))
        mirrored = flows_of(element, p)
        for flow, weight in flows_of(direct, p).items():
            np.testing.assert_allclose(mirrored[flow], weight, rtol=1e-11)
    both = sum(
        group.reaction.incoming[::-1] in {legs[:2] for legs in group.flavours}
        for group in whole.groups
    )
    assert 2 * found == len(whole.groups) - both


def flows_of(element: MatrixElement, p: Array) -> dict[tuple[tuple[int, ...], ...], Array]:
    """|J_k|^2 by colour flow."""
    return dict(zip(map(numbered, element.flows), element.weights(p, 0.118).flows.T, strict=True))


def test_every_pair_of_beam_orders_shares_one_tape() -> None:
    whole = process("p p > j j j QED=0")
    groups = {group.reaction: group for group in whole.groups}
    for group in whole.groups:
        a, b = group.reaction.incoming
        mirrored = isinstance(whole.matrix_element_of(group), Mirrored)
        other = next(
            (one for one in groups if one.incoming == (b, a) and one.final == group.reaction.final),
            None,
        )
        assert mirrored == (
            other is not None
            and a != b
            and whole.groups.index(groups[other]) < whole.groups.index(group)
        )


def test_matrix_elements_are_equal_only_if_their_tapes_are() -> None:
    whole = process("p p > w+ w- j")
    by_legs = {group.reaction.legs: whole.matrix_element_of(group) for group in whole.groups}
    up, down = by_legs[2, -2, 24, -24, 21], by_legs[1, -1, 24, -24, 21]
    assert isinstance(up, TreeAmplitude)
    assert up.identity != down.identity
    again = whole.tree_amplitude(whole.group(up.legs))
    assert again is not up
    assert up.identity == again.identity


def test_without_orders_only_the_lowest_of_all_reactions_are_taken() -> None:
    """MadGraph takes WEIGHTED<=2 for all of p p > j j: without u s > d c, which needs a W."""
    flavours = process("p p > j j").flavours
    assert not any(
        sorted(legs) == [1, 2, 3, 4] and sorted(legs[:2]) == [2, 3] and 1 in legs[2:]
        for legs in flavours
    )
    assert any(set(legs[:2]) == {2, 3} for legs in flavours)
    with_w = process("p p > j j QED=2 QCD=2").flavours
    assert any(sorted(legs[:2]) == [2, 3] and sorted(legs[2:]) == [1, 4] for legs in with_w)


def test_every_final_state_counts_once() -> None:
    for definition in ("p p > j j", "p p > t t~ j j QED=0"):
        seen = [(legs[:2], tuple(sorted(legs[2:]))) for legs in process(definition).flavours]
        assert len(set(seen)) == len(seen)


def test_alternatives_of_different_mass_are_refused() -> None:
    whole = process("p p > l+ l-", parameters={"MM": 0.1})
    with pytest.raises(
        CardError,
        match=re.escape("expected one mass for all alternatives of particle 3; got 0, 0.1 GeV"),
    ):
        flat_integrand(whole)


def test_copies_for_other_processes_give_the_same_numbers() -> None:
    integrand = tops()
    x, channel = points(integrand)
    copy = pickle.loads(pickle.dumps(integrand))
    assert torch.equal(copy.evaluate(x, channel).value, integrand.evaluate(x, channel).value)


def test_a_boson_without_couplings_has_no_column() -> None:
    zprime = {"definition": "u u~ > e+ e-", "model": "sm_zprime"}
    whole = Process.from_card(
        Card.parse({"process": zprime, "beams": {"pdf": "toy"}, "parameters": {"kZPq": 0.0}})
    )
    assert whole.diagram_offsets == (0, 2)
    assert whole.diagram_offsets[-1] == whole.matrix_elements[0].n_diagrams
