"""Polarised processes from cards: frames, beams, formulas, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from amplitudes import ALPHA_S, points
from flat_mapping import flat_integrand

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process

LEPTONS: dict[str, object] = {"pdf": "none", "energy": [250.0, 250.0]}
PROTONS: dict[str, object] = {"pdf": "toy", "energy": [6500.0, 6500.0]}

NO_KEYS: dict[str, object] = {}


def process(definition: str, beams: Mapping[str, object] = LEPTONS, **keys: object) -> Process:
    return Process.from_card(
        Card.parse(
            {
                "process": {"definition": definition, "allow_divergent": True, **keys},
                "beams": dict(beams),
            }
        )
    )


def values(integrand: CrossSection, count: int = 100) -> Array:
    x = torch.rand(
        count, integrand.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    return np.asarray(integrand.evaluate(x, torch.zeros(len(x), dtype=torch.int64)).value)


def rates(definition: str, beams: Mapping[str, object] = LEPTONS, **keys: object) -> Array:
    """The integrand of a definition at the same points of flat phase space."""
    return values(flat_integrand(process(definition, beams, **keys)))


@pytest.mark.parametrize(
    ("definition", "beams", "parts"),
    [
        ("e+ e- > w+ w-", LEPTONS, ["e+ e- > w+{0} w-", "e+ e- > w+{T} w-"]),
        ("p p > t t~", PROTONS, ["p p > t{L} t~", "p p > t{R} t~"]),
        ("u u~ > e+ e-", LEPTONS, ["u u~ > e+{L} e-", "u u~ > e+{R} e-"]),
        ("p p > e+ e-", PROTONS, ["p p > e+ e-{-}", "p p > e+ e-{+}"]),
        ("p p > w+ w-", PROTONS, [f"p p > w+{{{a}}} w-{{{b}}}" for a in "0T" for b in "0T"]),
        ("ve e- > ve e-", LEPTONS, ["ve{L} e- > ve e-"]),
    ],
)
def test_cross_sections_of_polarised_particles_add_up(
    definition: str, beams: Mapping[str, object], parts: list[str]
) -> None:
    total = sum(rates(part, beams) for part in parts)
    np.testing.assert_allclose(total, rates(definition, beams), rtol=1e-9)


@pytest.mark.parametrize("degrees", [(0.8, -0.3), (-1.0, 1.0)])
def test_polarised_beams_weigh_the_cross_sections_of_helicities(
    degrees: tuple[float, float],
) -> None:
    """sigma = sum (1 +- P1) (1 +- P2) / 4 sigma_{+-+-}."""
    signs = {"L": -1, "R": 1}
    parts = sum(
        (1 + signs[a] * degrees[0]) * (1 + signs[b] * degrees[1]) / 4
        * rates(f"e-{{{a}}} e+{{{b}}} > mu- mu+")
        for a, b in ("LR", "RL")
    )  # fmt: skip
    found = rates("e- e+ > mu- mu+", LEPTONS | {"polarization": list(degrees)})
    np.testing.assert_allclose(found, parts, rtol=1e-11)


def test_neutrinos_are_polarised_by_themselves() -> None:
    natural = rates("ve e- > ve e-", LEPTONS | {"polarization": [-1.0, 0.5]})
    np.testing.assert_allclose(
        natural, rates("ve e- > ve e-", LEPTONS | {"polarization": [0.0, 0.5]}), rtol=0
    )


def test_drell_yan_with_polarised_leptons_does_not_take_the_formula_of_all_helicities() -> None:
    polarised = process("u u~ > e+{L} e-").matrix_element()
    assert isinstance(polarised, TreeAmplitude)
    in_beams = process("u u~ > e+ e-", LEPTONS | {"polarization": [0.5, 0.0]}).matrix_element()
    assert isinstance(in_beams, TreeAmplitude)
    assert not isinstance(process("u u~ > e+ e-").matrix_element(), TreeAmplitude)


def test_a_z_at_rest_has_the_spin_of_the_quarks_along_the_beam() -> None:
    definition = "p p > {}, z > e+ e-"
    longitudinal, transverse, unpolarised = (
        rates(definition.format(z), PROTONS) for z in ("z{0}", "z{T}", "z")
    )
    np.testing.assert_allclose(transverse, unpolarised, rtol=1e-6, atol=1e-9 * unpolarised.max())
    assert (longitudinal <= 1e-9 * unpolarised.max()).all()


def test_the_partonic_centre_of_mass_is_the_default_frame() -> None:
    definition = "p p > w+{0} w- g"
    default, same, other = (
        rates(definition, PROTONS, **keys) for keys in ({}, {"me_frame": [2, 1]}, {"me_frame": [4]})
    )
    np.testing.assert_allclose(same, default, rtol=0)
    inside = default > 0
    assert (np.abs(other[inside] / default[inside] - 1) > 1e-3).any()


def test_frames_without_polarised_particles_change_helicities_of_events_alone() -> None:
    p = points("g g > t t~")
    plain, framed = (
        process("g g > t t~", LEPTONS, **keys).matrix_element().weights(p, ALPHA_S)
        for keys in (NO_KEYS, {"me_frame": [1, 2]})
    )
    np.testing.assert_allclose(framed.me2, plain.me2, rtol=1e-11)
    assert framed.helicities.shape != plain.helicities.shape  # spin along one axis is conserved


@pytest.mark.parametrize(
    ("definition", "keys", "sentence"),
    [
        ("u u~ > w+{0} w-", {"me_frame": [1, 5]}, "legs from 1 to 4; got [1, 5]"),
        ("u u~ > w+{0} w-", {"me_frame": [1, 3]}, "both incoming legs or none; got [1, 3]"),
        ("u u~ > w+{0} w-", {"me_frame": [3]}, "a frame in which polarised particles move"),
        ("u u~ > z{T} g", {"me_frame": [4]}, "legs that have a rest frame; got [4]"),
        ("u u~ > w+{0} w-", {"me_frame": [1, 1]}, "different legs, counted from 1"),
        ("u u~ > w+{0} w-", {"me_frame": [0]}, "different legs, counted from 1"),
        (
            "u u~ > w+{0} w-, w+ > e+ ve",
            {"me_frame": [3, 4]},
            "a frame in which polarised particles move; got [3, 4]",
        ),
    ],
)
def test_frames_that_do_not_define_the_states_are_refused(
    definition: str, keys: dict[str, object], sentence: str
) -> None:
    with pytest.raises(CardError) as error:
        process(definition, LEPTONS, **keys)
    assert "process.me_frame" in str(error.value)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("definition", "beams", "sentence"),
    [
        (
            "p p > e+ e-",
            PROTONS | {"polarization": [0.5, 0]},
            "[0]: expected 0 for a beam with parton densities",
        ),
        ("w+ w- > z z", LEPTONS | {"polarization": [0.5, 0]}, "[0]: expected 0 for w+; got 0.5"),
        ("ve e- > ve e-", LEPTONS | {"polarization": [0.5, 0]}, "[0]: expected -1 for ve"),
        ("e+ e-{R} > mu+ mu-", LEPTONS | {"polarization": [0, -1]}, "[1]: expected a share"),
        ("e+ e- > mu+ mu-", LEPTONS | {"polarization": [0, 80]}, "two numbers from -1 to 1"),
        ("e+ e- > mu+ mu-", LEPTONS | {"polarization": 0.5}, "two numbers from -1 to 1"),
    ],
)
def test_beams_that_cannot_be_polarised_so_are_refused(
    definition: str, beams: Mapping[str, object], sentence: str
) -> None:
    with pytest.raises(CardError) as error:
        process(definition, beams)
    assert "beams.polarization" in str(error.value)
    assert sentence in str(error.value)


def test_left_handed_vectors_are_not_longitudinal() -> None:
    warning = "polarisation: z{L} is left-handed, of helicity -1; {0} is longitudinal"
    assert warning in process("u u~ > z{L} h").caveats
    assert warning not in process("u u~ > z{0} t{L} t~").caveats


def test_providers_which_sum_over_helicities_are_refused() -> None:
    provider = {"provider": "python", "function": "numpy:ones"}
    with pytest.raises(CardError, match="expected no polarised particles and beams for a provider"):
        process("e+ e- > w+{0} w-", LEPTONS, matrix_element=provider)
