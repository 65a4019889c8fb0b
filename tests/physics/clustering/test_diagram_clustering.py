"""Clustering of events: MadEvent's own numbers, cases worked out by hand, and symmetries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import PdfError
from madnis_py.physics.clustering.diagram_clustering import (
    ClusteringSettings,
    DiagramClustering,
    carried_flavours,
    largest_jet_flavour,
)
from madnis_py.physics.clustering.merging_nodes import MergingNodes
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.process.process import Process

MADEVENT = json.loads((Path(__file__).parent / "data/madevent_events.json").read_text())
EVENTS = MADEVENT["events"]


def clustering_of(pdg: list[int], settings: ClusteringSettings | None = None) -> DiagramClustering:
    """That of definite particles, with all the couplings that the lowest order has."""
    model = Process.from_card("drell_yan").model
    names = [model.particle_name(code) for code in pdg]
    text = f"{' '.join(names[:2])} > {' '.join(names[2:])}"
    card = Card.parse({"process": {"definition": text}, "beams": {"pdf": "none"}}, "test")
    process = Process.from_card(card)
    (group,) = process.groups
    return DiagramClustering(
        pdg,
        process.diagrams(group),
        process.model,
        settings or ClusteringSettings(),
        carried_flavours(group.reaction.legs, pdg),
    )


def all_scales(clustering: DiagramClustering, p: Array) -> Array:
    """mu_F of both beams and mu_R of one event, attributed to each of its diagrams."""
    every = np.arange(len(clustering.columns))
    repeated = as_momenta(np.repeat(np.asarray(p)[None], len(every), axis=0))
    return clustering._kernel.scales(repeated, every)[0]


def final(mass: float, pt: float, phi: float, rapidity: float) -> list[float]:
    """A momentum in GeV."""
    mt = np.hypot(mass, pt)
    return [
        mt * np.cosh(rapidity),
        pt * np.cos(phi),
        pt * np.sin(phi),
        mt * np.sinh(rapidity),
    ]


def event(*outgoing: list[float]) -> Array:
    """The event with these final momenta, whose transverse momenta add up to 0."""
    total = np.array(outgoing).sum(axis=0)
    np.testing.assert_allclose(total[1:3], 0, atol=1e-9)
    plus, minus = (total[0] + total[3]) / 2, (total[0] - total[3]) / 2
    return np.array([[plus, 0, 0, plus], [minus, 0, 0, -minus], *outgoing])


def nodes_of(told: dict[str, Any]) -> tuple[dict[str, Any], Array]:
    """What each diagram of an event gives, and the momenta repeated for each of them."""
    clustering = clustering_of(told["pdg"], ClusteringSettings(coupling_flavour=5))
    every = np.arange(len(clustering.columns))
    repeated = as_momenta(np.repeat(np.array(told["p"])[None], len(every), axis=0))
    return clustering._kernel.nodes(repeated, every), repeated


def agrees(told: dict[str, Any], nodes: dict[str, Any], k: int) -> bool:
    """Whether diagram k gives the scales, nodes, jets and densities that MadEvent writes."""
    pdg, mu, jets = told["pdg"], nodes["mu"][k], nodes["jet_kt"][k, 2:]
    couplings = nodes["couplings"][k]
    kt = np.where(jets > 0, jets, 13000.0)
    good = [
        close([mu[2], max(mu[:2])], [told["rscale"], told["scalup"]]),
        close(couplings[couplings > 0], told["asrwt"]),
        np.allclose(kt, told["pt_clust"][-len(kt) :], atol=1e-5, rtol=0),
    ]
    for beam, density in enumerate(told["pdfrwt"]):
        evolution = nodes["evolution"][k, beam]
        evolution = evolution[evolution[:, 0] > 0]
        lines = nodes["lines"][k, beam, : len(evolution)]
        codes = [sign * pdg[leg] if leg >= 0 else code for leg, sign, code in lines]
        firsts = [mu[3 + beam]] if len(evolution) else [mu[3 + beam], mu[3]]
        good += [
            codes == density["pdg"][1:],
            any(close([first, *evolution[:, 2]], density["mu"]) for first in firsts),
            close(density["x"][0] * evolution[-1:, 0], density["x"][1:][-1:]),
        ]
    return all(good)


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_everything_that_madevent_writes_of_a_clustering_follows_from_one_of_its_diagrams(
    number: int,
) -> None:
    """Scales, nodes with a coupling of their own, kT of jets, flavours and scales of densities.

    The first density of a beam that has not radiated is written at the scale of the other beam if
    they share their central vertex, MadEvent having overwritten it; the weight has its own.
    """
    nodes, p = nodes_of(EVENTS[number])
    assert any(agrees(EVENTS[number], nodes, k) for k in range(len(p)))


def two_loop_alpha_s(q2: Array) -> Array:
    """That of MadEvent's set nn23lo1: 0.130 at 91.188 GeV, five flavours, by Runge-Kutta steps."""
    steps = 400
    size = np.log(np.asarray(q2) / 91.188**2) / steps
    b0, b1 = 23 / (12 * np.pi), 58 / (24 * np.pi**2)

    def slope(a: Array) -> Array:
        return -b0 * a**2 - b1 * a**3

    value = np.full(np.shape(q2), 0.130)
    for _ in range(steps):
        middle = value + size / 2 * slope(value)
        value = value + size * slope(middle)
    return value


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_the_weight_of_an_event_is_that_of_madevent(number: int) -> None:
    """<totfact>: couplings and densities of all nodes, alpha_s^3 at mu_R, and first densities.

    To the accuracy of the grid, NNPDF23_lo_as_0130_qed as Pythia ships it.
    """
    told = EVENTS[number]
    try:
        pdf = load_pdf("NNPDF23_lo_as_0130_qed", "builtin")
    except PdfError:
        pytest.skip("needs the parton densities of an installed Pythia")
    nodes, p = nodes_of(told)
    k = next(k for k in range(len(p)) if agrees(told, nodes, k))
    one = MergingNodes(
        nodes["mu"][k : k + 1, 3:],
        nodes["couplings"][k : k + 1],
        nodes["lines"][k : k + 1],
        nodes["evolution"][k : k + 1],
        nodes["jet_kt"][k : k + 1],
    )
    alpha_s = two_loop_alpha_s(np.array([told["rscale"] ** 2]))
    weight = one.coupling_weight(two_loop_alpha_s, alpha_s, 1.0) * alpha_s**3
    flavours = np.array([told["pdg"]], np.int32)
    for beam, density in enumerate(told["pdfrwt"]):
        x = np.array([p[0, beam, 0] / 6500])
        weight *= one.density_weight(pdf.density, beam, x, flavours, 1.0)[0]
        first = pdf.density(density["pdg"][:1], x, np.array([density["mu"][0] ** 2]))
        weight *= first[0] / x
    np.testing.assert_allclose(weight, told["totfact"], rtol=3e-3)


def close(ours: Any, theirs: Any) -> bool:
    """Whether they agree to the digits that MadEvent writes."""
    return len(ours) == len(theirs) and bool(np.allclose(ours, theirs, rtol=3e-7, atol=0))


def test_a_pair_of_leptons_has_its_mass_as_scale() -> None:
    p = event(final(0, 60, 0.3, 0.7), final(0, 60, 0.3 + np.pi, -0.4))
    mass = np.sqrt(2 * 60**2 * (np.cosh(1.1) + 1))
    np.testing.assert_allclose(all_scales(clustering_of([2, -2, 11, -11]), p), mass)


@pytest.mark.parametrize("beams", [[21, 21], [1, -1]])
def test_a_pair_of_tops_has_the_transverse_mass_as_scale(beams: list[int]) -> None:
    p = event(final(173, 80, 1.0, 0.2), final(173, 80, 1.0 + np.pi, 1.5))
    clustering = clustering_of([*beams, 6, -6])
    np.testing.assert_allclose(all_scales(clustering, p), np.hypot(173, 80), rtol=2e-6)


@pytest.mark.parametrize("legs", [[21, 21, 21, 21], [1, 2, 1, 2], [21, 1, 21, 1], [1, -1, 2, -2]])
def test_two_jets_have_their_transverse_momentum_as_scale(legs: list[int]) -> None:
    p = event(final(0, 95, -2.0, 1.2), final(0, 95, np.pi - 2.0, -0.3))
    np.testing.assert_allclose(all_scales(clustering_of(legs), p), 95.0, rtol=2e-6)


def test_a_boson_alone_has_its_mass_as_scale() -> None:
    p = event(final(91.188, 0, 0, 0.8))
    np.testing.assert_allclose(all_scales(clustering_of([2, -2, 23]), p), 91.188)


def test_a_jet_beside_a_boson_is_radiated_by_a_beam_and_the_scale_lies_between_both() -> None:
    """q q~ > Z g: the gluon, of kT = p_T, leaves a beam; then q q~ > Z, of m_T of the Z.

    The quark lines end at the last vertex, which is the central one too. It is measured in the
    frame of the incoming momenta as they were, as only three lines are left.
    """
    p = event(final(91.188, 50, 0.0, 0.3), final(0, 50, np.pi, -0.9))
    scales = all_scales(clustering_of([2, -2, 23, 21]), p)
    np.testing.assert_allclose(scales, np.hypot(91.188, 50))


def test_a_gluon_from_a_quark_line_that_goes_to_a_boson_clusters_by_its_diagram() -> None:
    """q g > Z q: in the u channel the outgoing quark leaves the gluon; in the s channel it is what
    radiates the Z, at s-hat.
    """
    p = event(final(91.188, 50, 0.0, 0.3), final(0, 50, np.pi, -0.9))
    s_hat = float(4 * p[0, 0] * p[1, 0])
    scales = all_scales(clustering_of([2, 21, 23, 2]), p)[:, 2]
    expected = [float(np.hypot(91.188, 50)), float(np.sqrt(s_hat))]
    np.testing.assert_allclose(sorted(scales), expected, rtol=1e-9)


def test_soft_gluons_of_a_beam_merge_first_whatever_their_order() -> None:
    """u u~ > Z g g with gluons far apart: the softer one merges first, the other one next."""
    jets = [final(0, 70, 0.2, 1.0), final(0, 25, 2.8, -1.5)]
    z = [-jets[0][1] - jets[1][1], -jets[0][2] - jets[1][2]]
    boson = final(91.188, float(np.hypot(z[0], z[1])), float(np.arctan2(z[1], z[0])), 0.1)
    one = clustering_of([2, -2, 23, 21, 21])
    first = all_scales(one, event(boson, *jets))
    second = all_scales(one, event(boson, *jets[::-1]))
    np.testing.assert_allclose(sorted(first[:, 2]), sorted(second[:, 2]), rtol=1e-9)


def rotated(p: Array, angle: float) -> Array:
    """Turned around the beams."""
    c, s = np.cos(angle), np.sin(angle)
    turned = np.array(p)
    turned[..., 1], turned[..., 2] = c * p[..., 1] - s * p[..., 2], s * p[..., 1] + c * p[..., 2]
    return turned


def boosted(p: Array, rapidity: float) -> Array:
    """Boosted along the beams."""
    c, s = np.cosh(rapidity), np.sinh(rapidity)
    moved = np.array(p)
    moved[..., 0], moved[..., 3] = c * p[..., 0] + s * p[..., 3], s * p[..., 0] + c * p[..., 3]
    return moved


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_scales_are_the_same_in_a_turned_and_boosted_event(number: int) -> None:
    told = EVENTS[number]
    clustering, p = clustering_of(told["pdg"]), np.array(told["p"])
    same = all_scales(clustering, boosted(rotated(p, 1.3), 0.8))
    np.testing.assert_allclose(same, all_scales(clustering, p), rtol=1e-7)


def test_exchanged_beams_exchange_their_scales() -> None:
    """Seen from behind, rotated by pi around the x axis."""
    told = EVENTS[6]
    p, pdg = np.array(told["p"]), told["pdg"]
    behind = p * [1, 1, -1, -1]
    behind[[0, 1]] = behind[[1, 0]]
    ours = all_scales(clustering_of(pdg), p)
    theirs = all_scales(clustering_of([pdg[1], pdg[0], *pdg[2:]]), behind)
    np.testing.assert_allclose(
        sorted(map(tuple, theirs[:, [1, 0, 2]].round(6))), sorted(map(tuple, ours.round(6)))
    )


def test_jets_softer_than_the_cut_fail() -> None:
    p = as_momenta(event(final(91.188, 30, 0.0, 0.3), final(0, 30, np.pi, -0.9))[None])
    for xqcut, passes in ((29.9, True), (30.1, False)):
        clustering = clustering_of([2, -2, 23, 21], ClusteringSettings(xqcut=xqcut))
        assert clustering._kernel.scales(p, np.zeros(1, np.int64))[1].tolist() == [passes]


def test_a_diagram_is_chosen_in_proportion_to_its_square_and_not_by_the_azimuth() -> None:
    clustering = clustering_of([2, 21, 23, 2])
    phi = np.random.default_rng(1).uniform(0, 2 * np.pi, 20_000)
    p = as_momenta(
        np.stack([event(final(91.2, 50, f, 0.3), final(0, 50, f + np.pi, 0)) for f in phi])
    )
    chosen = clustering.attributed(p, np.tile([3.0, 1.0], (len(phi), 1)))
    assert abs((chosen == 0).mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / len(phi))
    for part in np.array_split(np.argsort(phi), 8):
        assert abs((chosen[part] == 0).mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / len(part))


def test_the_heaviest_quark_of_the_beams_is_a_jet_four_at_least() -> None:
    assert largest_jet_flavour([(21, 2, 23, 2)]) == 4
    assert largest_jet_flavour([(21, 2, 23, 2), (-5, 5, 23, 21)]) == 5
