"""The Standard Model of UFO through the reader, against the numbers of MadGraph and our tables."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from amplitudes import ALPHA_S, reaction, without_width
from places import SHARED
from ufo_models import installed

from madnis_py.physics.amplitudes.drell_yan import closed_form
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.decays.partial_widths import decay_table
from madnis_py.physics.definition.conserved_numbers import ConservedNumbers
from madnis_py.physics.diagrams.flavour_symmetry import FlavourSymmetry
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.model_library import widths_of_file
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta

FOLDER = SHARED / "reference" / "matrix_elements"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
CKM = {"lamWS": 0.2253, "AWS": 0.808, "rhoWS": 0.132, "etaWS": 0.341}


def standard_model(values: dict[str, float]) -> Model:
    """The restriction that has the parameters which are not zero."""
    end = "-ckm" if values.get("lamWS") else ""
    tables = installed(f"ufo_sm{end}")
    known = {one.name for one in tables.parameters}
    return Model("ufo_sm", {key: value for key, value in values.items() if key in known}, tables)


@pytest.mark.parametrize("name", NAMES)
def test_squared_amplitudes_are_those_of_madgraph(name: str) -> None:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    given = content["parameters"]
    ckm = given["CKM"] if isinstance(given["CKM"], dict) else {}
    model = standard_model({k: v for k, v in (given | ckm).items() if isinstance(v, float)})
    one = reaction(content["mg5_command"].split("generate ")[1], model)
    zero = without_width(one, model, t_channel_widths=True, external_widths=True)
    p = as_momenta([point["momenta"] for point in content["points"]])
    amplitude = TreeAmplitude(one, model, zero)
    expected = [point["me2"] for point in content["points"]]
    np.testing.assert_allclose(amplitude.squared(p, ALPHA_S), expected, rtol=1e-10)
    assert len(amplitude.diagrams) == content["n_diagrams"]


@pytest.mark.parametrize(
    "text", ["e+ e- > mu+ mu-", "e+ e- > u d~ s c~", "g g > b e+ ve b~ mu- vm~", "e+ e- > t t~ h"]
)
def test_complex_masses_are_those_of_our_tables(text: str) -> None:
    """Derived parameters of the model with complex masses, MW from MZ, alpha and G_F."""
    read, ours = (
        Model(model.name, model.values, model.tables, complex_masses=True)
        for model in (standard_model({}), Model("sm"))
    )
    one = TreeAmplitude(reaction(text, ours), ours)
    other = TreeAmplitude(reaction(text, read), read)
    p = generic_momenta([ours.mass(pdg) for pdg in one.legs], 2)
    np.testing.assert_allclose(other.squared(p, ALPHA_S), one.squared(p, ALPHA_S), rtol=1e-10)


def test_every_vertex_is_that_of_our_tables() -> None:
    """Particles, sizes of couplings and powers, whatever the order of the particles is."""
    found, expected = contents(standard_model(CKM)), contents(Model("sm", CKM))
    assert found.keys() == expected.keys()
    for key, sizes in expected.items():
        assert found[key] == pytest.approx(sizes, rel=1e-13), key


def contents(model: Model) -> dict[tuple[object, ...], list[float]]:
    """Particles and powers -> sizes of couplings, but for vertices of four vectors."""
    return {
        (tuple(sorted(vertex.particles)), vertex.orders): sorted(
            abs(model.coupling(text)) for text in vertex.couplings
        )
        for vertex in model.vertices
        if not vertex.terms[0].lorentz.startswith("VVVV")
    }


def test_left_handed_particles_symmetries_and_conserved_numbers_are_those_of_our_tables() -> None:
    ours, read = Model("sm"), standard_model({})
    codes = [row.pdg for row in ours.particles]
    assert [read.is_left_handed(pdg) for pdg in codes] == [ours.is_left_handed(p) for p in codes]
    assert FlavourSymmetry.of(read) == FlavourSymmetry.of(ours)
    assert [ConservedNumbers(read).total([pdg]) for pdg in codes] == [
        ConservedNumbers(ours).total([pdg]) for pdg in codes
    ]
    assert {row.pdg: row.group for row in read.particles} == {
        row.pdg: row.group for row in ours.particles
    }


def test_drell_yan_is_the_closed_form_of_our_tables() -> None:
    forms = [closed_form(reaction("u u~ > e+ e-", m), m) for m in (Model("sm"), standard_model({}))]
    p = as_momenta(
        [[[400, 0, 0, 400], [400, 0, 0, -400], [400, 320, 0, 240], [400, -320, 0, -240]]]
    )
    first, second = (form.squared(p, ALPHA_S) for form in forms if form is not None)
    np.testing.assert_allclose(first, second, rtol=1e-13)
    assert closed_form(reaction("b b~ > mu+ mu-", Model("sm")), Model("sm")) is None


@pytest.mark.parametrize("particle", [23, 24, 6])
def test_partial_widths_are_the_expressions_of_the_model(particle: int) -> None:
    """Those of the file decays.py, which amplitudes do not use."""
    model = standard_model({})
    stated = widths_of_file("ufo_sm", model.values)
    for one in decay_table(particle, model).partial:
        if len(one.products) == 2:
            key = particle, tuple(sorted(one.products, reverse=True))
            assert one.width == pytest.approx(stated[key], rel=1e-10)
