"""Widths of propagators: none where they break gauge cancellations, else a warning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from amplitudes import ALPHA_S, points

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.process.evaluation import evaluate_points
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

PROTONS: dict[str, object] = {"energy": [6500.0, 6500.0]}


def partons(energy: float) -> dict[str, object]:
    return {"pdf": "none", "energy": [energy, energy]}


def process(
    definition: str,
    beams: dict[str, object],
    cuts: dict[str, object] | None = None,
    switches: dict[str, bool] | None = None,
) -> Process:
    tables = {
        "process": {"definition": definition, **(switches or {})},
        "beams": beams,
        "cuts": cuts or {},
    }
    return Process.from_card(Card.parse(tables))


def two_body(masses: Sequence[float], energy: float, cos: float) -> Array:
    """Two to two in the centre of mass, one point."""

    def momentum(a: float, b: float) -> float:
        return math.sqrt((energy**2 - (a + b) ** 2) * (energy**2 - (a - b) ** 2)) / (2 * energy)

    before, after, sin = momentum(*masses[:2]), momentum(*masses[2:]), math.sqrt(1 - cos**2)
    vectors = [
        (0, 0, before),
        (0, 0, -before),
        (after * sin, 0, after * cos),
        (-after * sin, 0, -after * cos),
    ]
    return as_momenta([[(math.hypot(m, *v), *v) for m, v in zip(masses, vectors, strict=True)]])


# -- gauge cancellations


@cache
def by_default(definition: str) -> TreeAmplitude:
    one = process(definition, PROTONS)
    return one.tree_amplitude(one.groups[0])


def longitudinal(definition: str, energy: float, cos: float) -> float:
    """|A|^2 of longitudinal vector bosons and scalars, without averages."""
    tree = by_default(definition)
    masses = [tree.model.mass(pdg) for pdg in tree.legs]
    averages = math.prod(1 if pdg == 25 else 3 for pdg in tree.legs[:2]) * (
        2 if tree.legs[2] == tree.legs[3] else 1
    )
    squared = tree.at_helicities(two_body(masses, energy, cos), ALPHA_S, np.zeros((1, 4), np.int8))[
        0
    ]
    return float(squared * averages)


def goldstone(definition: str, cos: float) -> float:
    """|A|^2 of the Goldstone bosons in place of the vector bosons at high energies, s = 1.

    From V = lambda (|Phi|^2 - v^2 / 2)^2 and the couplings of two scalars to photon, Z and W; with
    a = (s - u) / t and b = (t - u) / s for the exchange of vectors.
    """
    model = by_default(definition).model
    e2, sin2 = model["ee"] ** 2, model["sw2"]
    neutral, charged = e2 + e2 * (1 - 2 * sin2) ** 2 / (4 * sin2 * (1 - sin2)), e2 / sin2 / 4
    quartic = model["MH"] ** 2 / (2 * model["vev"] ** 2)
    s, t, u = 1.0, -(1 - cos) / 2, -(1 + cos) / 2
    match definition:
        case "w+ w- > w+ w-":
            amplitude = -4 * quartic - neutral * ((s - u) / t + (t - u) / s)
        case "w+ w+ > w+ w+":
            amplitude = -4 * quartic - neutral * ((u - s) / t + (t - s) / u)
        case "w+ w- > z z" | "w+ w- > h h":
            amplitude = -2 * quartic - charged * ((s - u) / t + (s - t) / u)
        case _:  # z z > z z
            amplitude = -6 * quartic
    return amplitude**2


@pytest.mark.parametrize(
    "definition", ["w+ w- > w+ w-", "w+ w+ > w+ w+", "w+ w- > z z", "w+ w- > h h", "z z > z z"]
)
@pytest.mark.parametrize("cos", [0.3, -0.5])
def test_longitudinal_vector_bosons_scatter_like_goldstone_bosons_up_to_100_tev(
    definition: str, cos: float
) -> None:
    """Equivalence theorem; with all widths w+ w- > w+ w- grows by 10^4 from 10 to 100 TeV."""
    for energy in (1e4, 3e4, 1e5):
        assert longitudinal(definition, energy, cos) == pytest.approx(
            goldstone(definition, cos), rel=1e-2
        )


@pytest.mark.parametrize(("energy", "expected"), [(2e3, 1.887), (1e4, 1.891), (1e5, 1.891)])
def test_w_bosons_scatter_alike_at_all_energies(energy: float, expected: float) -> None:
    """3.2 at 2 TeV, 826 at 10 TeV with all widths."""
    found = []
    for switches in ({}, {"t_channel_widths": True, "external_widths": True}):
        one = process("w+ w- > w+ w-", PROTONS, switches=switches)
        p = two_body([one.model["MW"]] * 4, energy, 0.3)
        found.append(one.matrix_element().squared(p, ALPHA_S)[0])
    assert found[0] == pytest.approx(expected, rel=1e-3)
    assert found[1] > 1.5 * found[0]


def soft(masses: Sequence[float], energy: float, k: float) -> tuple[Array, Array]:
    """Two final particles back to back, and the same recoiling from a photon of energy k."""
    without = two_body([*masses[:2], *masses[2:]], energy, 0.4)
    photon = k * np.array(
        [1.0, math.sin(2.0) * math.cos(1.0), math.sin(2.0) * math.sin(1.0), math.cos(2.0)]
    )
    system = np.array([energy, 0.0, 0.0, 0.0]) - photon
    mass = math.sqrt(system[0] ** 2 - (system[1:] ** 2).sum())
    recoiling = [boosted(one, system, mass) for one in two_body(masses, mass, 0.4)[0, 2:]]
    return without, as_momenta([[*without[0, :2], *recoiling, photon]])


def boosted(p: Array, system: Array, mass: float) -> Array:
    energy = (p[0] * system[0] + p[1:] @ system[1:]) / mass
    return np.array([energy, *(p[1:] + (p[0] + energy) / (mass + system[0]) * system[1:])])


def eikonal(charges: Sequence[float], p: Array, photon: Array, e2: float) -> float:
    """-e^2 |sum of charge x direction x p / (p.k)|^2, incoming charges with the other sign."""
    metric = np.array([1.0, -1.0, -1.0, -1.0])
    current = sum(q * one / (one * metric @ photon) for q, one in zip(charges, p, strict=True))
    return float(-e2 * (current * metric) @ current)


@pytest.mark.parametrize(
    ("definition", "charges"),
    [
        ("e+ e- > t t~", (-1, 1, 2 / 3, -2 / 3)),
        ("e+ e- > w+ w-", (-1, 1, 1, -1)),
        ("a a > w+ w-", (0, 0, 1, -1)),
        ("u d~ > w+ z", (-2 / 3, -1 / 3, 1, 0)),
    ],
)
def test_soft_photons_are_emitted_by_the_eikonal_factor(
    definition: str, charges: tuple[float, ...]
) -> None:
    """e+ e- > t t~ a with all widths is 27 % off at 0.1 GeV."""
    beams = PROTONS if definition[0] in "ua" else partons(250.0)
    without, emitting = process(definition, beams), process(f"{definition} a", beams)
    masses = [without.model.mass(pdg) for pdg in without.flavours[0]]
    for energy in (0.1, 0.01):
        p, q = soft(masses, 500.0, energy)
        ratio = (
            emitting.matrix_element().squared(q, ALPHA_S)[0]
            / without.matrix_element().squared(p, ALPHA_S)[0]
        )
        assert ratio == pytest.approx(
            eikonal(charges, p[0], q[0, 4], without.model["ee"] ** 2), rel=1e-3
        )


# -- which propagators have a width


def lines(one: Process) -> tuple[set[str], set[str]]:
    """The propagators of unstable particles without and with a width, "z(e+ e-)"."""
    (group,) = one.groups
    zero, legs, name = one.widths(group).zero, group.reaction.legs, one.model.particle_name
    every = {
        (pdg, sum(1 << leg for leg in side))
        for diagram in one.diagrams(group)
        for pdg, side in diagram.propagators
        if one.model.width(pdg)
    }
    assert zero <= every
    texts = [
        {
            f"{name(pdg)}({' '.join(name(legs[leg]) for leg in positions(mask))})"
            for pdg, mask in chosen
        }
        for chosen in (zero, every - zero)
    ]
    return texts[0], texts[1]


@pytest.mark.parametrize(
    ("definition", "energy", "zero", "kept"),
    [
        ("e+ e- > t t~ a", 250.0, {"t(t a)", "t(t~ a)"}, {"z(t t~)", "z(t t~ a)"}),
        ("e+ e- > z h", 125.0, {"z(z h)"}, set()),
        ("e+ e- > mu+ mu-", 50.0, set(), {"z(mu+ mu-)"}),
        ("g g > t t~", 250.0, {"t(g t)", "t(g t~)"}, set()),  # on the side of the second gluon
        ("e+ e- > w+ w-", 125.0, {"z(w+ w-)"}, set()),
        (
            "e+ e- > w+ w-, w+ > e+ ve, w- > d u~",
            125.0,
            set(),
            {"z(e+ ve d u~)", "w+(e+ ve)", "w+(d u~)"},
        ),
        ("e+ e- > w+ w-, w+ > e+ ve", 125.0, {"z(e+ ve w-)"}, {"w+(e+ ve)"}),
        ("g g > t b~ w-", 250.0, {"t(g t)", "t(g b~ w-)"}, {"t(b~ w-)"}),
        ("e+ e- > z mu+ mu- / h", 125.0, {"z(z mu+ mu-)"}, {"z(mu+ mu-)"}),
        ("u d~ > w+ a", 250.0, {"w+(w+ a)"}, set()),
        ("w+ a > e+ ve", 95.0, {"w+(e+ ve)"}, set()),
    ],
)
def test_external_particles_have_no_width_but_where_they_decay(
    definition: str, energy: float, zero: set[str], kept: set[str]
) -> None:
    assert lines(process(definition, partons(energy))) == (zero, kept)


def test_particles_that_decay_by_themselves_keep_the_width_of_what_they_decay_to() -> None:
    assert lines(process("t > b w+ a", PROTONS)) == ({"t(b w+)", "w+(w+ a)"}, set())
    assert lines(process("t > b e+ ve", PROTONS)) == (set(), {"w+(e+ ve)"})


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({}, True),
        ({"mass_max": 40.0}, False),
        ({"mass_max": 60.0}, True),  # 13 widths below the pole
        ({"mass_min": 128.0}, False),
    ],
)
def test_cuts_tell_whether_an_external_particle_is_a_resonance_too(
    limits: dict[str, float], kept: bool
) -> None:
    one = process("e+ e- > z mu+ mu- / h", partons(125.0), {"mu+,mu-": limits} if limits else {})
    assert ("z(mu+ mu-)" in lines(one)[1]) == kept
    assert bool(one.caveats) == kept


def test_switches_bring_widths_back() -> None:
    switches = {"t_channel_widths": True, "external_widths": True}
    assert lines(process("u b > d t", PROTONS)) == ({"w+(b t)"}, set())
    assert lines(process("u b > d t", PROTONS, switches={"t_channel_widths": True})) == (
        set(),
        {"w+(b t)"},
    )
    assert lines(process("u b > d t", PROTONS, switches={"external_widths": True})) == (
        {"w+(b t)"},
        set(),
    )
    top = process("e+ e- > t t~ a", partons(250.0), switches=switches)
    assert lines(top) == (set(), {"t(t a)", "t(t~ a)", "z(t t~)", "z(t t~ a)"})
    assert process("g g > t b~ w-", PROTONS, switches=switches).caveats == ()


# -- what is said


def test_a_width_that_stays_is_told_with_what_it_decays_to() -> None:
    (sentence,) = process("p p > w+ w-, w+ > j j", PROTONS).caveats
    assert sentence == (
        "widths: w+ is an external particle and keeps its width where it decays (u d~, c s~); "
        "this breaks gauge cancellations by terms of order width / mass"
    )


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ("p p > z, z > t t~", "decays: z cannot be on its mass shell where it decays (t t~); "),
        ("e+ e- > z h, h > z z", "decays: h cannot be on its mass shell where it decays (z z); "),
        ("e+ e- > z h, (h > z z, z > e+ e-), z > e+ e-", None),
        ("p p > t t~, t > b w+, t~ > b~ w-", None),
    ],
)
def test_a_decay_that_is_never_on_the_mass_shell_is_told(
    definition: str, sentence: str | None
) -> None:
    beams = partons(250.0) if definition.startswith("e") else PROTONS
    told = [one for one in process(definition, beams).caveats if one.startswith("decays")]
    assert len(told) == (sentence is not None)
    assert all(one.startswith(sentence or "") for one in told)


def test_it_is_told_with_amplitudes_at_given_momenta() -> None:
    content = {"points": [{"momenta": points("g g > t b~ w-", 1)[0].tolist()}]}
    for switches in ({}, {"external_widths": True}):
        one = process("g g > t b~ w-", PROTONS, switches=switches)
        assert evaluate_points(one, content, "momenta").get("warnings", []) == list(one.caveats)
        assert len(one.caveats) == (0 if switches else 1)


def test_it_is_told_with_the_results_of_a_run(tmp_path: Path) -> None:
    definition, channels = (
        {"definition": "e+ e- > w+ w-, w+ > e+ ve"},
        {"phase_space": "flat", "prior": "flat"},
    )
    one = Process.from_card(
        Card.parse({"process": definition, "beams": partons(125.0), "channels": channels})
    )
    run = Run(one, tmp_path / "run", seed=1, method="vegas")
    run.integrate(points=2000)
    assert run.record.warning_sentences[0] == one.caveats[0]
