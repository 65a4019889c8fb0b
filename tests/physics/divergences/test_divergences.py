"""Infinite cross sections are refused before anything is integrated; docs/divergences.md."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from command_line import Outcome, call
from divergent_cards import (
    APART,
    DIVERGENT,
    FINITE,
    FIXED,
    HADRONS,
    ISOLATED,
    NO_WIDTH,
    PAIR,
    PHOTON,
    Case,
)
from limit_events import events_near

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.estimate import Estimate
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.divergences.divergences import divergences_of, require_finite
from madnis_py.physics.divergences.singular_limits import singular_limits_of
from madnis_py.physics.observables.cuts import Cuts
from madnis_py.physics.process.process import Process

Command = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return lambda *arguments: call(arguments, capsys, monkeypatch)


@cache
def process_of(case: Case) -> Process:
    return Process.from_card(case.card)


def with_cut(case: Case, name: str, key: str, value: float) -> Case:
    return replace(case, cuts=case.cuts | {name: case.cuts.get(name, {}) | {key: value}})


@pytest.mark.parametrize("case", FINITE, ids=str)
def test_a_finite_cross_section_is_not_refused(case: Case) -> None:
    require_finite(process_of(case))


@pytest.mark.parametrize(("case", "words"), DIVERGENT, ids=str)
def test_an_infinite_cross_section_is_refused_until_the_cuts_of_the_message_are_made(
    case: Case, words: str
) -> None:
    process = process_of(case)
    with pytest.raises(
        CardError, match=r"^case: cuts: expected cuts that leave a finite cross section; got "
    ):
        require_finite(process)
    found = divergences_of(process)
    assert any(words in divergence.singularity for divergence in found), found
    for divergence in found:
        case = with_cut(case, *divergence.missing_cut)
    require_finite(process_of(case))


@pytest.mark.parametrize(("case", "parameter"), NO_WIDTH, ids=str)
def test_a_resonance_without_width_is_refused_where_it_comes_on_its_mass_shell(
    case: Case, parameter: str
) -> None:
    with pytest.raises(
        CardError, match=rf"^case: parameters\.{parameter}: expected GeV > 0 where the cuts let"
    ):
        CrossSection(process_of(case))
    require_finite(process_of(replace(case, parameters={})))


def test_a_particle_that_has_no_width_in_the_model_must_not_decay() -> None:
    case = Case("e+ e- > ta+ vt e- ve~", {"e-": {"pt_min": 10.0}})
    expected = (
        "^case: cuts: expected cuts that keep the mass of vt e- ve~ from the 1.777 GeV of ta-, "
        "which has no width"
    )
    with pytest.raises(CardError, match=expected):
        CrossSection(process_of(case))
    require_finite(process_of(with_cut(case, "vt,e-,ve~", "mass_min", 2.0)))


@pytest.mark.parametrize(
    ("case", "entry"),
    [
        (
            Case("p p > e+ e-", {"e+,e-": {"mass_max": 80.0}}),
            '"e+,e-" = { mass_max = 80, mass_min = 10 }',
        ),
        (
            Case("p p > e+ e-", {"e+,e-": {"mass_max": 6.0}}),
            '"e+,e-" = { mass_max = 6, mass_min = 1 }',
        ),
        (Case("p p > z j", {"jet": {"eta_max": 2.5}}), "jet = { eta_max = 2.5, pt_min = 10 }"),
        (
            Case("e+ e- > e+ e-", beams={"energy": [5.29, 5.29], "pdf": "none"}),
            '"e+" = { pt_min = 1 }',
        ),
        (
            Case("e+ e- > t t~ a", beams={"energy": [175.0, 175.0], "pdf": "none"}),
            "photon = { pt_min = 0.1 }",
        ),
    ],
    ids=str,
)
def test_a_proposed_line_keeps_what_the_card_says_there_and_leaves_room_for_events(
    case: Case, entry: str
) -> None:
    with pytest.raises(CardError, match=re.escape(entry)):
        require_finite(process_of(case))


def test_the_message_names_particles_limit_propagator_and_cut() -> None:
    with pytest.raises(CardError) as refused:
        CrossSection(process_of(Case("e+ e- > mu+ mu- a", PHOTON | ISOLATED)))
    assert str(refused.value) == (
        "case: cuts: expected cuts that leave a finite cross section; "
        'got "e+ e- > mu+ mu- a", where nothing keeps mu+ '
        "and mu- from becoming parallel (pole of the propagator of a); "
        '"mu+,mu-" = { mass_min = 10 } would do '
        "(allow_divergent = true in [process] integrates all the same)"
    )


@pytest.mark.parametrize("photon", [{}, {"photon": {"pt_min": 5.0}}], ids=["none", "photon"])
def test_spared_decay_products_are_asked_for_beside_the_cuts_that_would_do(
    photon: dict[str, dict[str, float]],
) -> None:
    beams = {"energy": [250.0, 250.0], "pdf": "none"}
    case = Case("e+ e- > z h, z > mu+ mu- a", {"decay_products": False, **photon}, beams=beams)
    of_photon = "" if photon else ", photon = { pt_min = 10 }"
    with pytest.raises(CardError) as refused:
        require_finite(process_of(case))
    assert (
        'decay_products = true, "mu-,photon" = { mass_min = 10 }, '
        f'"mu+,photon" = {{ mass_min = 10 }}{of_photon} would do'
    ) in str(refused.value)
    closed = {one.missing_cut for one in divergences_of(process_of(case))}
    cuts = {name: {key: least} for name, key, least in closed} | photon
    assert divergences_of(process_of(replace(case, cuts={"decay_products": False, **cuts})))
    require_finite(process_of(replace(case, cuts={"decay_products": True, **cuts})))


def test_cuts_of_other_flavours_do_not_help() -> None:
    cuts = {"jet": {"pt_min": 20.0, "eta_max": 5.0}, "e+,e-": {"mass_min": 15.0}}
    (divergence,) = divergences_of(process_of(Case("u u~ > l+ l- g", cuts, beams=HADRONS)))
    assert "mu+ mu-" in divergence.reaction
    assert divergence.missing_cut == ("mu+,mu-", "mass_min", 10.0)


def test_a_cut_is_proposed_for_each_flavour() -> None:
    case = Case("u u~ > l+ l- g", {"jet": {"pt_min": 20.0}}, beams=HADRONS)
    assert {divergence.missing_cut[0] for divergence in divergences_of(process_of(case))} == {
        "e+,e-",
        "mu+,mu-",
    }


def share_near_limits(case: Case) -> float:
    """The largest share of events that pass the cuts, of those near a limit of any flavours."""
    process, shares = process_of(case), [0.0]
    for group, flavours in zip(process.groups, first_flavours(process), strict=True):
        masses = [process.model.mass(pdg) for pdg in group.reaction.legs]
        cuts = Cuts(process.selection.of(flavours))
        for seed, limit in enumerate(
            singular_limits_of(process.diagrams(group), group.reaction.legs, process.model)
        ):
            if limit.kind == "energy" or len(limit.legs) < len(masses) - 2:
                shares.append(
                    float(cuts.passes(events_near(limit, masses, 1e-5, 2000, seed)).mean())
                )
    return max(shares)


def first_flavours(process: Process) -> list[int]:
    """For each group, which of the flavours of the process are its first."""
    return [0, *accumulate(len(group.flavours) for group in process.groups)][:-1]


@pytest.mark.parametrize("case", [case for case in FINITE if case.has_hadrons], ids=str)
def test_no_event_near_a_limit_passes_the_cuts_of_a_finite_cross_section(case: Case) -> None:
    assert share_near_limits(case) == 0


@pytest.mark.parametrize("case", [case for case, _ in DIVERGENT if case.has_hadrons], ids=str)
def test_events_near_a_limit_pass_the_cuts_of_an_infinite_cross_section(case: Case) -> None:
    assert share_near_limits(case) > 0


def integrated(process: Process, n: int) -> Estimate:
    """The cross section after a few refinements of VEGAS grids."""
    cross_section = CrossSection(process)
    points = max(500, min(10_000, 40_000 // cross_section.n_channels))
    flow, _ = train_vegas(cross_section, VegasSettings(points=points, iterations=8), 1)
    return ImportanceSampler(cross_section, flow, PriorWeights(), seed=2).integrate(n, iterations=5)


@pytest.mark.parametrize("case", [case for case in FINITE if case.is_small], ids=str)
def test_a_finite_cross_section_can_be_integrated(case: Case) -> None:
    cross_section = CrossSection(process_of(case))
    flow, _ = train_vegas(cross_section, VegasSettings(points=300, iterations=2), 1)
    estimate = ImportanceSampler(cross_section, flow, PriorWeights(), seed=1).integrate(
        1000, iterations=2
    )
    assert 0 < estimate.error < estimate.value


@pytest.mark.slow
@pytest.mark.parametrize("case", FINITE, ids=str)
def test_a_finite_cross_section_does_not_move_with_the_number_of_points(case: Case) -> None:
    few, many = (integrated(process_of(case), n) for n in (20_000, 160_000))
    assert abs(few.value - many.value) < 5 * math.hypot(few.error, many.error)
    assert many.error < 0.1 * many.value
    assert many.error < few.error
    assert many.chi2 < many.dof + 5 * math.sqrt(2 * many.dof)


def along(
    case: Case, name: str, key: str, limits: tuple[float, ...], n: int = 100_000
) -> list[Estimate]:
    """Cross sections with a further cut that is lowered step by step."""
    return [integrated(process_of(with_cut(case, name, key, limit)), n) for limit in limits]


TAUS = "e+ e- > ta+ ta- mu+ mu-"
DECADES = (1.0, 0.1, 0.01)

GROWING = (
    (Case("e+ e- > mu+ mu- a", PHOTON | ISOLATED), "mu+,mu-", "mass_min", DECADES),
    (Case("e+ e- > mu+ mu- a", PHOTON | PAIR), "photon,lepton", "mass_min", DECADES),
    (Case("e+ e- > e+ e-"), "e+", "pt_min", (10.0, 1.0, 0.1)),
    (Case("a a > mu+ mu-"), "mu+", "pt_min", DECADES),
    (Case("e- a > e- z"), "e-", "pt_min", DECADES),
    (Case("u g > z u", beams=HADRONS), "u", "pt_min", DECADES),
    (Case("u u~ > z g", {"g": {"eta_max": 2.5}}, beams=HADRONS), "g", "pt_min", DECADES),
    (Case("g g > t t~ a", beams=FIXED | {"energy": [500.0, 500.0]}), "photon", "pt_min", DECADES),
    (Case("u u~ > e+ e-", beams=HADRONS), "e+,e-", "mass_min", (10.0, 1.0, 0.1)),
    (
        Case(TAUS, {"mu+": {"energy_min": 5.0}, "mu-": {"energy_min": 5.0}} | APART),
        "mu+,mu-",
        "mass_min",
        DECADES,
    ),
    (
        Case(TAUS, {"mu+": {"eta_max": 2.5}, "mu-": {"eta_max": 2.5}} | APART),
        "mu+,mu-",
        "mass_min",
        DECADES,
    ),
)
"""Infinite cross sections with a cut that makes them finite."""

SETTLING = (
    (Case("e+ e- > mu+ mu- a", PHOTON | ISOLATED | APART), "mu+,mu-", "mass_min", DECADES),
    (Case("u g > z u", {"u": {"eta_max": 2.5}}, beams=HADRONS), "u", "pt_min", (1e-2, 1e-3, 1e-4)),
    (Case("u u~ > z g", {"z": {"eta_max": 2.5}}, beams=HADRONS), "g", "pt_min", (1e-2, 1e-3, 1e-4)),
    (Case("u u~ > ve ve~ vm vm~", beams=HADRONS), "event", "sqrt_s_min", (10.0, 1.0, 0.1)),
)
"""Finite cross sections, though a propagator has a pole there, and a cut that goes to it."""


@pytest.mark.slow
@pytest.mark.parametrize(("case", "name", "key", "limits"), GROWING, ids=str)
def test_what_is_refused_grows_without_bound(
    case: Case, name: str, key: str, limits: tuple[float, ...]
) -> None:
    """A logarithm adds the same in each decade, a power more; 20 % are left to smaller terms."""
    first, second, third = along(case, name, key, limits)
    step, next_step = second.value - first.value, third.value - second.value
    assert step > 5 * math.hypot(first.error, second.error)
    assert next_step > 0.8 * step - 5 * math.hypot(first.error, 2 * second.error, third.error)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "name", "key", "limits"), SETTLING, ids=str)
def test_what_passes_does_not_grow(
    case: Case, name: str, key: str, limits: tuple[float, ...]
) -> None:
    _, second, third = along(case, name, key, limits)
    assert abs(third.value - second.value) < 0.005 * third.value + 5 * math.hypot(
        second.error, third.error
    )


UNGUARDED = """
[process]
definition = "a a > mu+ mu-"
[beams]
energy = [125.0, 125.0]
pdf = "none"
"""


@pytest.fixture
def unguarded(tmp_path: Path) -> Path:
    path = tmp_path / "unguarded.toml"
    path.write_text(UNGUARDED)
    return path


def test_the_command_line_refuses_with_status_2_and_leaves_nothing(
    command: Command, unguarded: Path
) -> None:
    done = command("run", unguarded, "-o", unguarded.parent / "run")
    assert done.status == 2
    assert "mu+ = { pt_min = 10 }" in done.err.replace('"', "")
    assert not (unguarded.parent / "run").exists()


def test_commands_that_do_not_integrate_take_any_cuts(command: Command, unguarded: Path) -> None:
    p = np.array([[1.0, 0, 0, 1.0], [1.0, 0, 0, -1.0], [1.0, 0.6, 0, 0.8], [1.0, -0.6, 0, -0.8]])
    momenta = unguarded.parent / "momenta.json"
    momenta.write_text(json.dumps({"points": [{"momenta": p.tolist()}]}))
    assert command("evaluate", unguarded, "--momenta", momenta).status == 0
    assert command("diagrams", unguarded).status == 0
    assert command("export-umami", unguarded, "-o", unguarded.parent / "lib.so").status == 0


@pytest.mark.parametrize("by_option", [True, False])
def test_who_knows_better_integrates_and_is_warned(
    command: Command, unguarded: Path, by_option: bool
) -> None:
    if not by_option:
        unguarded.write_text(UNGUARDED.replace("[beams]", "allow_divergent = true\n[beams]"))
    run = unguarded.parent / "run"
    option = ["--allow-divergent"] if by_option else []
    done = command(
        "run", unguarded, "-o", run, "--method", "vegas", "--points", "2000", "-n", "10", *option
    )
    assert done.status == 0, done.err
    warning = "the cross section is infinite (allow_divergent)"
    assert any(
        one["sentence"].startswith(warning)
        for one in json.loads((run / "run.json").read_text())["warnings"]
    )
    assert warning in done.out


MERGED = {
    "beams": {"pdf": "toy"},
    "scales": {"factorization": "clustering", "renormalization": "clustering"},
    "merging": {"scheme": "mlm", "xqcut": 20.0, "auto_ptj_mjj": False},
}


def merged(definition: str) -> Process:
    return Process.from_card(Card.parse({"process": {"definition": definition}, **MERGED}))


@pytest.mark.parametrize("definition", ["p p > z j", "u u~ > z g g", "g g > t t~ g g"])
def test_the_least_kt_of_merged_jets_is_cut_enough(definition: str) -> None:
    assert not divergences_of(merged(definition))


@pytest.mark.parametrize("definition", ["u u~ > z d d~ QCD=0", "u u~ > e+ e- g"])
def test_the_least_kt_of_merged_jets_cuts_on_nothing_else(definition: str) -> None:
    assert divergences_of(merged(definition))


def test_a_single_merged_jet_has_the_least_kt_as_its_transverse_momentum() -> None:
    """So the cross section is that with a cut on p_T, which the clustering knows nothing of."""
    by_kt = merged("u u~ > z g")
    by_pt = Process.from_card(by_kt.card.updated({"cuts": {"jet": {"pt_min": 20.0}}}))
    estimates = [integrated(process, 40_000) for process in (by_kt, by_pt)]
    difference = estimates[0].value - estimates[1].value
    assert abs(difference) < 5 * math.hypot(*(one.error for one in estimates))
    assert all(one.error < 0.01 * one.value for one in estimates)
