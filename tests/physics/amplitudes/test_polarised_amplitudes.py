"""Amplitudes of polarised particles: sums of states, closed forms, frames, propagators."""

from __future__ import annotations

import re

import numpy as np
import pytest
from amplitudes import ALPHA_S, amplitude, invariant, mandelstam, points, polarised, turned

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tapes.helicities import Spins
from madnis_py.physics.diagrams.polarisation import polarisation_of
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.momenta import as_momenta

CENTRE_OF_MASS = Spins(frame=(0, 1))


def boosted(p: Array, velocity: Array) -> Array:
    """Momenta (..., 4) as seen from a frame in which they had been at rest."""
    gamma = 1 / np.sqrt(1 - velocity @ velocity)
    along = p[..., 1:] @ velocity
    energy = gamma * (p[..., 0] + along)
    shift = gamma**2 / (gamma + 1) * along + gamma * p[..., 0]
    return np.concatenate([energy[..., None], p[..., 1:] + shift[..., None] * velocity], axis=-1)


def centre_of_mass(p: Array) -> Array:
    total = p[:, :2].sum(axis=1)
    moved = [boosted(event, -sum_[1:] / sum_[0]) for event, sum_ in zip(p, total, strict=True)]
    return as_momenta(np.array(moved))


def decayed(p: Array, leg: int, masses: tuple[float, float], seed: int = 5) -> tuple[Array, Array]:
    """Momenta with two daughters in the place of a leg on its mass shell; those of its decay."""
    random, events, decays = np.random.default_rng(seed), [], []
    for event in p:
        parent = event[leg]
        mass = np.sqrt(parent[0] ** 2 - parent[1:] @ parent[1:])
        a, b = masses
        momentum = np.sqrt((mass**2 - (a + b) ** 2) * (mass**2 - (a - b) ** 2)) / (2 * mass)
        axis = random.normal(size=3)
        axis *= momentum / np.linalg.norm(axis)
        daughters = np.array([[np.hypot(a, momentum), *axis], [np.hypot(b, momentum), *-axis]])
        daughters = boosted(daughters, parent[1:] / parent[0])
        events.append([*event[:leg], *daughters, *event[leg + 1 :]])
        decays.append([parent, *daughters])
    return as_momenta(np.array(events)), as_momenta(np.array(decays))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("e+ e- > w+ w-", ["e+ e- > w+{0} w-", "e+ e- > w+{T} w-"]),
        ("u d~ > w+ z g", ["u d~ > w+ z{0} g", "u d~ > w+ z{-} g", "u d~ > w+ z{R} g"]),
        ("g g > t t~ g", ["g g > t{L} t~ g", "g g > t{R} t~ g"]),
        ("g g > t t~ g", ["g g > t t~{-} g", "g g > t t~{+1} g"]),
        ("t > b w+", ["t > b w+{0}", "t > b w+{T}"]),
        ("u u~ > a g", ["u u~ > a{+} g", "u u~ > a{-} g"]),
    ],
)
def test_polarised_final_states_sum_to_the_unpolarised_one(text: str, parts: list[str]) -> None:
    p = points(text)
    of_parts = [polarised(part) for part in parts]
    me2 = sum(one.squared(p, ALPHA_S) for one in of_parts)
    np.testing.assert_allclose(me2, amplitude(text).squared(p, ALPHA_S), rtol=1e-12)
    np.testing.assert_allclose(
        sum(one.evaluate(p, ALPHA_S)[1] for one in of_parts),
        amplitude(text).evaluate(p, ALPHA_S)[1],
        rtol=1e-10,
    )


@pytest.mark.parametrize("text", ["e+ e- > w+{0} w-", "g{+} g > t{L} t~", "u~ u > z{0T} z"])
def test_only_selected_helicities_are_left(text: str) -> None:
    labels = text.replace("> ", "").split()
    states = {"{0}": {0}, "{+}": {1}, "{L}": {-1}}
    for leg, label in enumerate(labels):
        found = set(polarised(text).helicities[:, leg].tolist())
        wanted = states.get(label[label.find("{") :]) if "{" in label else None
        assert found == wanted if wanted else len(found) > 1


def test_initial_states_average_over_the_selected_states_alone() -> None:
    p = points("e+ e- > w+ w-")
    parts = [polarised(f"e+{{{a}}} e-{{{b}}} > w+ w-").squared(p, ALPHA_S) for a, b in ("LR", "RL")]
    np.testing.assert_allclose(
        sum(parts) / 4, amplitude("e+ e- > w+ w-").squared(p, ALPHA_S), rtol=1e-12
    )


def test_right_handed_electrons_annihilate_by_the_textbook_formula() -> None:
    """Peskin and Schroeder, (5.22) with the Z: 4 u^2 |e^2/s + g g'/(s - M^2 + i M Gamma)|^2."""
    model, p = Model("sm"), points("e+ e- > mu+ mu-", 20)
    s, t, u = mandelstam(p)
    left, right = model.couplings("z", 11)
    pole = s - model.mass(23) ** 2 + 1j * model.mass(23) * model.width(23)
    e2 = model.couplings("a", 11)[1] ** 2
    same, other = (np.abs(e2 / s + right * g / pole) ** 2 for g in (right, left))
    me2 = polarised("e+{L} e-{R} > mu+ mu-").squared(p, ALPHA_S)
    np.testing.assert_allclose(me2, 4 * (u**2 * same + t**2 * other), rtol=1e-9)


@pytest.mark.parametrize(("letter", "sign"), [("R", 1), ("L", -1)])
def test_tops_of_definite_helicity_by_the_closed_form(letter: str, sign: int) -> None:
    """e- of positive helicity, photon exchange: Q^2 e^4 3 ((1 +- cos)^2 + 4 m^2/s sin^2)."""
    model, text = Model("sm"), f"e+{{L}} e-{{R}} > t{{{letter}}} t~ / z"
    p = centre_of_mass(points("e+ e- > t t~", 20))
    s = invariant(p, 0, 1)
    cosine = (p[:, 1, 1:] * p[:, 2, 1:]).sum(axis=1) / (
        np.linalg.norm(p[:, 1, 1:], axis=1) * np.linalg.norm(p[:, 2, 1:], axis=1)
    )
    e2 = model.couplings("a", 11)[1] ** 2
    angles = (1 + sign * cosine) ** 2 + 4 * model.mass(6) ** 2 / s * (1 - cosine**2)
    me2 = polarised(text).squared(p, ALPHA_S)
    np.testing.assert_allclose(me2, 3 * (2 / 3 * e2) ** 2 * angles, rtol=1e-9)


def test_longitudinal_fraction_of_w_bosons_from_tops() -> None:
    values = {"MB": 0.0, "ymb": 0.0}
    model, p = Model("sm", values), points("t > b w+", 5, values)
    of_top = Spins(frame=(0,))
    me2 = amplitude("t > b w+", **values).squared(p, ALPHA_S)
    top, w = model.mass(6) ** 2, model.mass(24) ** 2
    for letter, fraction in (("0", top), ("-", 2 * w), ("+", 0.0)):
        part = polarised(f"t > b w+{{{letter}}}", of_top, **values).squared(p, ALPHA_S)
        np.testing.assert_allclose(part / me2, fraction / (top + 2 * w), rtol=1e-9, atol=1e-14)


FRAMED = ["e+ e- > w+{0} w-{T} a", "g g > t{L} t~{R} g", "u u~ > z{T} h, z > mu+ mu-"]


@pytest.mark.parametrize("text", FRAMED)
@pytest.mark.parametrize("frame", [(0, 1), (2, 4), (3, 4)])
def test_states_of_a_frame_do_not_depend_on_the_frame_of_the_momenta(
    text: str, frame: tuple[int, ...]
) -> None:
    one = polarised(text, Spins(frame=frame))
    p = points(text)
    before = one.weights(p, ALPHA_S)
    for seed in (1, 2):
        after = one.weights(turned(p, seed, 1.5), ALPHA_S)
        np.testing.assert_allclose(after.me2, before.me2, rtol=1e-8)
        np.testing.assert_allclose(after.helicities, before.helicities, rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("text", FRAMED)
def test_frames_differ(text: str) -> None:
    p = turned(points(text), 3, 1.0)
    centre = polarised(text, CENTRE_OF_MASS).squared(p, ALPHA_S)
    np.testing.assert_allclose(
        centre, polarised(text).squared(centre_of_mass(p), ALPHA_S), rtol=1e-8
    )
    assert (np.abs(polarised(text).squared(p, ALPHA_S) / centre - 1) > 1e-3).all()


@pytest.mark.parametrize(
    ("core", "parent", "products", "states"),
    [
        ("e+ e- > {} w-", "w+", "mu+ vm", "0+-"),
        ("e+ e- > {} t~", "t", "b w+", "+-"),
        ("u u~ > {} t", "t~", "b~ w-", "+-"),
        ("u u~ > {} h", "z", "e- e+", "0+-"),
    ],
)
def test_a_resonance_of_one_helicity_is_production_times_decay(
    core: str, parent: str, products: str, states: str
) -> None:
    model = Model("sm")
    pdg, p = model.pdg_of[parent], points(core.format(parent), 6)
    a, b = (model.mass(model.pdg_of[one]) for one in products.split())
    p_chain, p_decay = decayed(p, 2, (a, b))
    pole = (model.mass(pdg) * model.width(pdg)) ** 2
    for state in states:
        particle = f"{parent}{{{state}}}"
        chain = polarised(f"{core.format(particle)}, {parent} > {products}")
        production = polarised(core.format(particle)).squared(p, ALPHA_S)
        decay = polarised(f"{particle} > {products}").squared(p_decay, ALPHA_S)
        np.testing.assert_allclose(
            chain.squared(p_chain, ALPHA_S), production * decay / pole, rtol=1e-6
        )


W_PAIR = "e+ e- > {} w-, w+ > mu+ vm, w- > e- ve~"


def of_states(text: str, states: str) -> tuple[Array, Array]:
    text = text.format(f"w+{{{states}}}")
    return polarised(text, CENTRE_OF_MASS).evaluate(points(text), ALPHA_S)


def test_all_states_of_a_vector_make_its_propagator_off_the_mass_shell() -> None:
    p = points(W_PAIR.format("w+"))
    for found, known in zip(
        of_states(W_PAIR, "0TA"), amplitude(W_PAIR.format("w+")).evaluate(p, ALPHA_S), strict=True
    ):
        np.testing.assert_allclose(found, known, rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "a", "b", "c"), [(W_PAIR, "0", "T", "A"), (W_PAIR, "0", "+", "-")]
)
def test_states_of_a_resonance_interfere(text: str, a: str, b: str, c: str) -> None:
    """|A + B + C|^2 is the sum over pairs |A + B|^2 less the squares of each."""
    all_of_them = of_states(text, a + b + c)
    pairs = [of_states(text, pair) for pair in (a + b, b + c, a + c)]
    each = [of_states(text, one) for one in (a, b, c)]
    for part in (0, 1):
        expected = sum(one[part] for one in pairs) - sum(one[part] for one in each)
        np.testing.assert_allclose(all_of_them[part], expected, rtol=1e-8)


def test_both_helicities_of_a_top_make_its_propagator_on_the_mass_shell() -> None:
    model = Model("sm")
    masses = (model.mass(5), model.mass(24))
    p, _ = decayed(points("u u~ > t t~"), 2, masses)
    text = "u u~ > {} t~, t > b w+"
    np.testing.assert_allclose(
        polarised(text.format("t{LR}")).squared(p, ALPHA_S),
        amplitude(text.format("t")).squared(p, ALPHA_S),
        rtol=1e-7,
    )


@pytest.mark.parametrize(
    "text",
    [
        "e+ e- > z{-} h, z > mu+ mu-",
        "u d~ > t{R} b~, (t > b w+, w+ > e+ ve)",
        "d u~ > t~{L} b, t~ > b~ e- ve~",
        "e+ e- > z{0A} h, h > b b~, z > ta+ ta-",
    ],
)
def test_squares_of_single_diagrams_have_the_same_states(text: str) -> None:
    one = polarised(text, CENTRE_OF_MASS)
    me2, squares = one.evaluate(points(text), ALPHA_S)
    (squares,) = squares.T
    np.testing.assert_allclose(me2 / squares, me2[0] / squares[0], rtol=1e-9)


@pytest.mark.parametrize("degrees", [(0.8, -0.3), (1.0, 0.0), (-1.0, 1.0), (0.0, 0.6)])
def test_polarised_beams_weigh_their_helicities(degrees: tuple[float, float]) -> None:
    text = "e- e+ > w- w+ a"
    p = points(text)
    signs = {"R": 1, "L": -1}
    parts = sum(
        (1 + signs[a] * degrees[0]) / 2 * (1 + signs[b] * degrees[1]) / 2
        * polarised(f"e-{{{a}}} e+{{{b}}} > w- w+ a").squared(p, ALPHA_S)
        for a, b in ("LR", "RL")
    )  # fmt: skip
    one = polarised(text, Spins(beams=degrees))
    me2 = one.squared(p, ALPHA_S)
    np.testing.assert_allclose(me2, parts, rtol=1e-12)
    weights = one.weights(p, ALPHA_S)
    np.testing.assert_allclose(weights.helicities.sum(axis=1), me2, rtol=1e-12)
    for k in (0, len(one.helicities) - 1):
        chosen = np.broadcast_to(one.helicities[k], (len(p), p.shape[1]))
        found = one.at_helicities(p, ALPHA_S, chosen)
        np.testing.assert_allclose(found, weights.helicities[:, k], rtol=1e-10)


def test_helicities_that_chirality_forbids_are_refused() -> None:
    with pytest.raises(InputError, match="those of e\\+ e- > w\\+ w- vanish"):
        polarised("e+{L} e-{L} > w+ w-")


def test_a_beam_of_one_helicity_is_the_share_of_it_in_a_polarised_beam() -> None:
    p = points("e+ e- > w+ w-")
    alone = polarised("e+ e-{R} > w+ w-").squared(p, ALPHA_S)
    in_beam = polarised("e+ e-{R} > w+ w-", Spins(beams=(0.0, 0.6))).squared(p, ALPHA_S)
    np.testing.assert_allclose(in_beam, 0.8 * alone, rtol=1e-12)


def test_particles_of_different_polarisation_are_not_identical() -> None:
    p = points("u u~ > z z")
    mixed = polarised("u u~ > z{0} z{T}").squared(p, ALPHA_S)
    equal = sum(
        polarised(f"u u~ > z{{{one}}} z{{{one}}}").squared(p, ALPHA_S) for one in ("0", "T")
    )
    other = polarised("u u~ > z{T} z{0}").squared(p, ALPHA_S)
    unpolarised = amplitude("u u~ > z z").squared(p, ALPHA_S)
    np.testing.assert_allclose((mixed + other) / 2 + equal, unpolarised, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "particle", "decays", "states"),
    [
        ("0", "w+", False, (0,)),
        ("t", "z", False, (-1, 1)),
        ("0,T", "z", False, ()),
        ("0T", "z", True, (-1, 0, 1)),
        ("+-", "e-", False, ()),
        ("LR", "t", True, (-1, 1)),
        ("-1", "t~", False, (-1,)),
        ("A", "w-", True, (2,)),
        ("0a", "w-", True, (0, 2)),
        ("T", "g", False, ()),
        ("+1", "a", False, (1,)),
        ("L", "ve", False, ()),
        ("+", "vm~", False, ()),
    ],
)
def test_letters_select_states(
    text: str, particle: str, decays: bool, states: tuple[int, ...]
) -> None:
    model = Model("sm")
    assert polarisation_of(text, model.pdg_of[particle], decays, model) == states


@pytest.mark.parametrize(
    ("text", "particle", "decays", "sentence"),
    [
        ("0", "a", False, "expected polarisations of a among T, L, -, R, +; got {0}"),
        ("0", "t", False, "expected polarisations of t among L, -, R, +; got {0}"),
        ("T", "e-", False, "among L, -, R, +; got {T}"),
        ("A", "w+", False, "among T, L, -, R, +, 0; got {A}"),
        ("", "w+", False, "among T, L, -, R, +, 0; got {}"),
        ("X", "w+", True, "among T, L, -, R, +, 0, A; got {X}"),
        ("2", "z", False, "got {2}"),
        ("L", "h", False, "expected no polarisation of h, which has no spin"),
        ("L", "ve", True, "expected a mass of ve{L}, which decays"),
        ("R", "ve", False, "expected polarisations of ve among L, -; got {R}"),
    ],
)
def test_states_that_a_particle_does_not_have_are_refused(
    text: str, particle: str, decays: bool, sentence: str
) -> None:
    model = Model("sm")
    with pytest.raises(InputError, match=re.escape(sentence)):
        polarisation_of(text, model.pdg_of[particle], decays, model)
