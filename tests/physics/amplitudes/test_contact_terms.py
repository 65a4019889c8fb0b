"""Contact terms: four and six fermions with their signs, vertices of five and six legs."""

from itertools import permutations, product

import numpy as np
import pytest
from dirac import METRIC, SIDES, antiparticles, bar, particles
from small_models import amplitude_of, assert_invariant, momenta_of, of, small_model, vertex

from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle

FERMIONS = of("e-", "ve", "mu-", "vm")
V_A_V_A = "Gamma(-1,1,-2)*ProjM(-2,2)*Gamma(-1,3,-3)*ProjM(-3,4)"


def muon_decays(heavy: float) -> tuple[TreeAmplitude, TreeAmplitude]:
    """mu- > e- ve~ vm by a W of some mass, and by its limit, L = -g^2 / (2 M^2) J.J."""
    exchange = small_model(
        [*FERMIONS, Particle("w+", "w-", 24, 3, 1, 1.0, mass="MHW")],
        [
            vertex("ve~ e- w+", ("FFV", "0.5", "0")),
            vertex("e+ ve w-", ("FFV", "0.5", "0")),
            vertex("vm~ mu- w+", ("FFV", "0.5", "0")),
            vertex("mu+ vm w-", ("FFV", "0.5", "0")),
        ],
        {"MHW": heavy, "MM": 0.10566},
    )
    contact = small_model(
        FERMIONS,
        [
            vertex("vm~ mu- e+ ve", (V_A_V_A, f"-0.25/{heavy}**2")),
            vertex("mu+ vm ve~ e-", (V_A_V_A, f"-0.25/{heavy}**2")),
        ],
        {"MM": 0.10566},
    )
    first, second = (amplitude_of(model, "mu- > e- ve~ vm") for model in (exchange, contact))
    return first, second


def test_four_fermions_are_the_limit_of_a_heavy_w() -> None:
    exchange, contact = muon_decays(200.0)
    p = momenta_of(exchange)
    expected = exchange.squared(p, 0.118)
    np.testing.assert_allclose(contact.squared(p, 0.118), expected, rtol=1e-6)
    closed = 16 * (0.25 / 200.0**2) ** 2 / 2
    metric = np.diag(METRIC)
    muon, electron, antineutrino, neutrino = np.moveaxis(p, 1, 0)
    products = (muon * antineutrino * metric).sum(axis=1) * (electron * neutrino * metric).sum(
        axis=1
    )
    np.testing.assert_allclose(contact.squared(p, 0.118), closed * products, rtol=1e-11)


@pytest.mark.parametrize(
    "text",
    [
        "mu- > e- ve~ vm",
        "mu+ > e+ ve vm~",
        "mu- ve > e- vm",
        "e- vm > mu- ve",
        "e- ve~ > mu- vm~ a a",
    ],
)
def test_contact_terms_are_invariant_in_every_channel(text: str) -> None:
    model = small_model(
        [*FERMIONS, *of("a")],
        [
            vertex("vm~ mu- e+ ve", (V_A_V_A, "0.1")),
            vertex("mu+ vm ve~ e-", (V_A_V_A, "0.1")),
            vertex("e+ e- a", ("FFV", "0.3", "0.3")),
            vertex("mu+ mu- a", ("FFV", "0.3", "0.3")),
        ],
        {"MM": 0.10566},
    )
    assert_invariant(amplitude_of(model, text), 1e-9)


def exchange_and_contact(heavy: float) -> tuple[Model, Model]:
    """A heavy x with couplings to e and mu, and the contact terms that are its limit.

    L = -J.J / (2 M^2), J = e-bar gamma (l P_L + r P_R) e + ...; a field that is there twice gives
    both pairings, the crossed one with its sign.
    """
    lepton = {"e": (0.3, -0.2), "mu": (0.25, 0.4)}
    exchange = small_model(
        [*of("e-", "mu-"), Particle("x", "x", 9000023, 3, 1, 0.0, mass="MX")],
        [
            vertex(f"{name}+ {name}- x", ("FFV", str(left), str(right)))
            for name, (left, right) in lepton.items()
        ],
        {"MX": heavy},
    )

    def line(row: int, column: int, dummy: int, name: str) -> str:
        left, right = lepton[name]
        between = -10 - dummy
        return (
            f"Gamma(-1,{row},{between})*({left}*ProjM({between},{column})"
            f" + {right}*ProjP({between},{column}))"
        )

    def current(one: str, two: str, pairs: tuple[int, int, int, int]) -> str:
        return f"{line(*pairs[:2], 1, one)}*{line(*pairs[2:], 2, two)}"

    g = f"-1/{heavy}**2"
    contact = small_model(
        of("e-", "mu-"),
        [
            vertex("e+ e- mu+ mu-", (current("e", "mu", (1, 2, 3, 4)), g)),
            *(
                vertex(
                    f"{name}+ {name}- {name}+ {name}-",
                    (current(name, name, (1, 2, 3, 4)), g),
                    (current(name, name, (1, 4, 3, 2)), f"-({g})"),
                )
                for name in ("e", "mu")
            ),
        ],
    )
    return exchange, contact


@pytest.mark.parametrize(
    "text",
    ["e- e+ > e- e+", "e- e- > e- e-", "e- e+ > mu- mu+", "e- mu- > e- mu-", "e+ e- > e- e+"],
)
def test_signs_of_crossed_pairings_are_those_of_an_exchanged_boson(text: str) -> None:
    exchange, contact = (amplitude_of(model, text) for model in exchange_and_contact(3e5))
    p = momenta_of(exchange)
    np.testing.assert_allclose(contact.squared(p, 0.118), exchange.squared(p, 0.118), rtol=1e-5)


def test_four_fermions_inside_larger_diagrams_have_the_signs_of_an_exchanged_boson() -> None:
    text = "e- e+ > e- e+ mu- mu+"
    exchange, contact = (amplitude_of(model, text) for model in exchange_and_contact(1e6))
    p = momenta_of(exchange)
    np.testing.assert_allclose(contact.squared(p, 0.118), exchange.squared(p, 0.118), rtol=1e-5)


SCALARS = tuple(
    Particle(f"s{k}", f"s{k}", 9000030 + k, 1, 1, 0.0, mass=f"MS{k}") for k in range(1, 6)
)


def test_six_fermions_at_a_point_are_the_product_of_three_bilinears_with_all_their_pairings() -> (
    None
):
    """(e-bar (a + b gamma5) e)^3 / 6: e- e- e+ > e- e- e+, six pairings of rows with columns."""
    left, right = 0.3 + 0.1j, 0.3 - 0.1j
    lines = "ProjM({0},{1})*({2}) + ProjP({0},{1})*({3})"

    def bilinear(row: int, column: int) -> str:
        numbers = [f"complex({one.real},{one.imag})" for one in (left, right)]
        return f"({lines.format(row, column, *numbers)})"

    terms = []
    for columns in permutations((2, 4, 6)):
        sign = np.linalg.det(np.eye(3)[[column // 2 - 1 for column in columns]])
        structure = "*".join(
            bilinear(row, column) for row, column in zip((1, 3, 5), columns, strict=True)
        )
        terms.append((structure, str(round(sign))))
    model = small_model(of("ta-"), [vertex("ta+ ta- ta+ ta- ta+ ta-", *terms)], {"MTA": 30.0})
    amplitude = amplitude_of(model, "ta- ta+ > ta- ta+ ta- ta+")
    p = momenta_of(amplitude, 2)
    matrix = left * SIDES[0] + right * SIDES[1]
    squares = []
    for p1, p2, a1, b1, a2, b2 in p:
        fields = [particles(p1, 30.0), antiparticles(b1, 30.0), antiparticles(b2, 30.0)]
        rows = [antiparticles(p2, 30.0), particles(a1, 30.0), particles(a2, 30.0)]
        total = 0.0
        for states in product(*fields, *rows):
            elements = [[bar(row) @ matrix @ column for column in states[:3]] for row in states[3:]]
            total += abs(np.linalg.det(np.array(elements))) ** 2
        squares.append(total / 4 / 4)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)
    assert_invariant(amplitude)


@pytest.mark.parametrize("count", [5, 6])
def test_scalars_at_a_point_have_a_constant_amplitude(count: int) -> None:
    names = ["s1", "s2", "s3", "s4", "s5", "s1"][:count]
    model = small_model(
        SCALARS, [vertex(" ".join(names), ("1", "0.7"))], {f"MS{k}": 10.0 * k for k in range(1, 6)}
    )
    amplitude = amplitude_of(model, f"{names[0]} {names[1]} > {' '.join(names[2:])}")
    np.testing.assert_allclose(amplitude.squared(momenta_of(amplitude), 0.118), 0.49, rtol=1e-13)


def test_a_vertex_of_five_is_the_limit_of_two_of_four_with_a_heavy_scalar_between() -> None:
    """phi^* phi -> a a h by a heavy scalar, and by the contact term of five legs."""
    photon, higgs = of("a", "h")
    heavy = Particle("s", "s", 9000031, 1, 1, 0.0, mass="MS")
    field = "P(1,2)*P(2,1) - P(-1,1)*P(-1,2)*Metric(1,2)"
    exchange = small_model(
        [photon, higgs, heavy, *of("e-")],
        [
            vertex("a a s", (field, "0.02")),
            vertex("e+ e- h s", ("ProjM(1,2)", "0.4"), ("ProjP(1,2)", "0.1")),
        ],
        {"MS": 1e6},
    )
    contact = small_model(
        [photon, higgs, *of("e-")],
        [
            vertex(
                "e+ e- a a h",
                (f"ProjM(1,2)*({_moved(field)})", "0.02*0.4/1e12"),
                (f"ProjP(1,2)*({_moved(field)})", "0.02*0.1/1e12"),
            )
        ],
    )
    full, limit = (amplitude_of(model, "e- e+ > a a h") for model in (exchange, contact))
    p = momenta_of(full)
    np.testing.assert_allclose(limit.squared(p, 0.118), full.squared(p, 0.118), rtol=1e-6)
    assert_invariant(limit)


def _moved(field: str) -> str:
    """The structure of two photons at places 3 and 4."""
    return field.replace("2", "4").replace("(1", "(3").replace(",1)", ",3)").replace("-3", "-1")
