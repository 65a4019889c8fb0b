"""Parts of |M|^2 by squared orders: against formulas, definitions with one of them, and scaling."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from amplitudes import ALPHA_S, amplitude, mandelstam, points, reaction
from ufo_models import own

from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.mirrored import Mirrored, mirror


def told_apart(text: str, model: Model, *names: str) -> TreeAmplitude:
    """The amplitude of a definition, with parts by some orders."""
    return TreeAmplitude(reaction(text, model), model, told_apart=names)


@pytest.mark.parametrize(
    ("text", "names", "orders"),
    [
        ("u u~ > u u~ QED=2", ("QED",), {(0,), (2,), (4,)}),
        ("u u~ > u u~ QED=2", ("QCD", "QED"), {(0, 4), (2, 2), (4, 0)}),
        ("u u~ > u u~", ("QED",), {(0,)}),
        ("u u~ > u u~ QED=2 QCD^2<=2", ("QED",), {(2,), (4,)}),
        ("u u~ > u u~ QED=2 $$ z", ("QCD",), {(0,), (2,), (4,)}),
        ("u u > w+ w+ d d QED=4", ("QED",), {(4,), (6,), (8,)}),
        ("b b~ > t t~ QED=2, t > b w+", ("QCD",), {(0,), (2,), (4,)}),
    ],
)
def test_parts_are_those_of_definitions_with_their_orders_alone(
    text: str, names: tuple[str, ...], orders: set[tuple[int, ...]]
) -> None:
    one, p = told_apart(text, Model("sm"), *names), points(text, 5)
    parts, whole = one.parts(p, ALPHA_S), one.squared(p, ALPHA_S)
    assert set(parts) == orders
    np.testing.assert_allclose(sum(parts.values()), whole, rtol=1e-12)
    core, comma, decays = text.partition(",")
    for powers, part in parts.items():
        asked = " ".join(f"{name}^2=={power}" for name, power in zip(names, powers, strict=True))
        alone = amplitude(f"{core} {asked}{comma}{decays}").squared(p, ALPHA_S)
        np.testing.assert_allclose(part, alone, rtol=1e-10, atol=1e-13 * np.abs(whole).max())


@pytest.mark.parametrize("c", [1.0, -0.3])
def test_a_contact_term_has_the_parts_of_the_formula(c: float) -> None:
    """A photon and a contact term of vector currents, |M|^2 = 2 (a + b)^2 (t^2 + u^2) / 3."""
    text, model = "u u~ > e+ e- NP<=1", own("four_fermion", {"cue": c})
    one = told_apart(text, model, "NP")
    p = points("u u~ > e+ e-", 20)
    s, t, u = mandelstam(p)
    a, b = -2 / 3 * model["ee"].real ** 2 / s, c / model["Lambda"] ** 2
    angle = 2 * (t**2 + u**2) / 3
    parts = one.parts(p, ALPHA_S)
    assert [*parts] == [(0,), (1,), (2,)]
    np.testing.assert_allclose(parts[0,], a**2 * angle, rtol=1e-10)
    np.testing.assert_allclose(parts[1,], 2 * a * b * angle, rtol=1e-10)
    np.testing.assert_allclose(parts[2,], b**2 * angle, rtol=1e-10)
    np.testing.assert_allclose(sum(parts.values()), one.squared(p, ALPHA_S), rtol=1e-12)


def test_parts_at_one_coefficient_give_the_whole_at_any_other() -> None:
    text, p = "u u~ > e+ e- NP<=1", points("u u~ > e+ e-", 10)
    parts = told_apart(text, own("four_fermion", {"cue": 0.7}), "NP").parts(p, ALPHA_S)
    for c in (-2.0, 0.1, 5.0):
        model = own("four_fermion", {"cue": c})
        whole = TreeAmplitude(reaction(text, model), model).squared(p, ALPHA_S)
        found = sum((c / 0.7) ** power * part for (power,), part in parts.items())
        np.testing.assert_allclose(found, whole, rtol=1e-10)


def test_products_that_colour_forbids_are_a_part_of_0() -> None:
    text = "u d > u d QED=2 / w+"
    parts = told_apart(text, Model("sm"), "QED").parts(points(text, 5), ALPHA_S)
    assert [*parts] == [(0,), (2,), (4,)]
    np.testing.assert_allclose(parts[2,], 0, atol=1e-14 * parts[0,].max())


def test_parts_survive_a_pickle_and_mirrors_have_them() -> None:
    text, model = "u u~ > e+ e- NP<=1", own("four_fermion")
    one, p = told_apart(text, model, "NP"), points("u u~ > e+ e-", 5)
    same = pickle.loads(pickle.dumps(one))
    exchanged = TreeAmplitude(mirror(one.reaction), model, told_apart=("NP",))
    mirrored = Mirrored(one, range(one.n_diagrams))
    for powers, part in one.parts(p, ALPHA_S).items():
        np.testing.assert_array_equal(same.parts(p, ALPHA_S)[powers], part)
        np.testing.assert_allclose(
            mirrored.parts(p, ALPHA_S)[powers], exchanged.parts(p, ALPHA_S)[powers], rtol=1e-12
        )


def test_elements_that_agree_in_the_whole_alone_are_not_the_same() -> None:
    """Flavours share a matrix element only if they share its parts."""
    model = Model("sm")
    p = points("u u~ > u u~", 5)
    one = told_apart("u u~ > u u~ QED=2", model, "QED")
    other = told_apart("u u~ > u u~ QED=2", model, "QCD")
    np.testing.assert_array_equal(one.squared(p, ALPHA_S), other.squared(p, ALPHA_S))
    assert one.identity != other.identity
    assert told_apart("u u~ > u u~ QED=2", model, "QED").identity == one.identity
