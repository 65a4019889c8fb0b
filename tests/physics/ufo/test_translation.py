from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from amplitudes import reaction
from ufo_models import copied, own

from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.decays.partial_widths import partial_width
from madnis_py.physics.diagrams.coupling_orders import weighted
from madnis_py.physics.diagrams.diagrams import diagrams_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.model_library import named_tables
from madnis_py.physics.observables.momenta import as_momenta

SINGLET = own("scalar_singlet")


def back_to_back(energy: float, mass: float, cosine: float = 0.3) -> np.ndarray:
    """Two massless particles into two of one mass, (1, 4, 4)."""
    half, momentum = energy / 2, math.sqrt(energy**2 / 4 - mass**2)
    sine = math.sqrt(1 - cosine**2)
    out = [momentum * sine, 0.0, momentum * cosine]
    final = [[half, *out], [half, *(-one for one in out)]]
    return as_momenta([[[half, 0, 0, half], [half, 0, 0, -half], *final]])


def squared(definition: str, model: Model, p: np.ndarray) -> float:
    return float(TreeAmplitude(reaction(definition, model), model).squared(p, 0.118)[0])


def test_ghosts_and_goldstone_bosons_are_left_out_with_their_vertices() -> None:
    assert [row.pdg for row in SINGLET.particles] == [22, 13, 25, 9000005]
    assert {name for vertex in SINGLET.vertices for name in vertex.particles} == {
        *("a", "mu-", "mu+", "h", "s"),
    }


def test_particles_are_called_as_in_madgraph() -> None:
    assert SINGLET.pdg_of == {"a": 22, "mu-": 13, "mu+": -13, "h": 25, "s": 9000005}
    assert SINGLET.multiparticles == {"l+": ("mu+",), "l-": ("mu-",)}


def test_names_of_known_particles_stay_theirs(tmp_path: Path) -> None:
    """The singlet is called as the strange quark."""
    strange = ('H.line = "dashed"\n', _STRANGE)
    folder = copied("scalar_singlet", tmp_path, {"particles.py": strange})
    model = Model("s", {}, named_tables(str(folder)))
    assert (model.particle_name(3), model.particle_name(9000005)) == ("s", "s_9000005")


_STRANGE = """
q = Particle(pdg_code=3, name="s", antiname="s~", spin=2, color=3, mass=Param.ZERO,
             width=Param.ZERO, texname="s", antitexname="s", charge=-1/3)
"""


def test_antiparticles_may_be_called_as_particles_in_small_letters(tmp_path: Path) -> None:
    """As CalcHEP does: they are two particles all the same."""
    other = ('H.line = "dashed"\n', _STRANGE.replace('"s"', '"~CH"').replace('"s~"', '"~ch"'))
    folder = copied("scalar_singlet", tmp_path, {"particles.py": other})
    model = Model("s", {}, named_tables(str(folder)))
    assert (model.particle_name(3), model.anti(3)) == ("s", -3)
    path = folder / "particles.py"
    path.write_text(path.read_text().replace("pdg_code=3", "pdg_code=101"))
    model = Model("s", {}, named_tables(str(folder)))
    assert (model.particle_name(101), model.particle_name(-101)) == ("~ch", "~ch~")
    assert model.anti(101) == -101


def test_what_is_seen_by_no_detector_is_missing() -> None:
    assert [row.group for row in SINGLET.particles] == ["photon", "lepton", "", "missing"]


def test_parameters_have_their_places_and_follow_from_each_other() -> None:
    place = {one.name: one.place for one in SINGLET.tables.parameters}
    assert place["kap12"] == ("PORTAL", (1, 2))
    assert place["WH"] == ("DECAY", (25,))
    assert SINGLET["portal"] == 30.0
    assert own("scalar_singlet", {"kap22": -1.0, "kap12": 20.0})["portal"] == 20.0


def test_the_electromagnetic_coupling_is_that_of_the_photon() -> None:
    assert SINGLET.alpha_qed == 1 / 128
    left, right = SINGLET.couplings("a", 13)
    assert left == right == pytest.approx(-math.sqrt(4 * math.pi / 128), rel=1e-15)


def test_a_pair_of_singlets_is_made_by_the_higgs_boson_alone() -> None:
    """|M|^2 = y^2 k^2 s / 2 / ((s - M^2)^2 + M^2 G^2) / 2, spins averaged, two equal particles."""
    energy, y, kappa, mass, width = 300.0, 0.25, 30.0, 125.0, 0.5
    s = energy**2
    pole = (s - mass**2) ** 2 + mass**2 * width**2
    expected = y**2 * kappa**2 * s / 2 / pole / 2
    p = back_to_back(energy, 40.0)
    assert squared("mu+ mu- > s s", SINGLET, p) == pytest.approx(expected, rel=1e-13)


def test_the_width_into_singlets_is_that_of_the_closed_form() -> None:
    """Gamma = k^2 / (32 pi M) sqrt(1 - 4 m^2 / M^2)."""
    expected = 900 / (32 * math.pi * 125) * math.sqrt(1 - 4 * 40**2 / 125**2)
    assert partial_width(25, (9000005, 9000005), SINGLET) == pytest.approx(expected, rel=1e-12)


def test_four_scalars_meet_beside_their_exchanges() -> None:
    """h h > s s: the contact term, and s in the t and the u channel."""
    p = as_momenta(
        [[[200, 0, 0, (200**2 - 125**2) ** 0.5], [200, 0, 0, -((200**2 - 125**2) ** 0.5)]]]
    )
    momentum = math.sqrt(200**2 - 40**2)
    final = [[200, momentum, 0, 0], [200, -momentum, 0, 0]]
    p = as_momenta([[*p[0].tolist(), *final]])
    t = -(200**2 - 125**2) - momentum**2  # both angles are right ones
    amplitude = 1.0 + 2 * 30**2 / (t - 40**2)  # i (-1) and i (-30) i i (-30) / (t - m^2)
    found = squared("h h > s s NP=2", SINGLET, p)
    assert found == pytest.approx(amplitude**2 / 2, rel=1e-12)


def test_powers_are_those_of_the_orders_of_the_model() -> None:
    orders = {one.name: one for one in SINGLET.orders}
    assert (orders["QED"].column, orders["NP"].column) == (1, 2)
    (diagram,) = diagrams_of(recursion_of(reaction("mu+ mu- > s s", SINGLET), VertexTable(SINGLET)))
    assert diagram.powers == (0, 1, 1)
    assert weighted(diagram.powers, SINGLET.orders) == 2 + 3


@pytest.mark.parametrize(("orders", "count"), [("", 1), ("NP=1", 1), ("NP=0", 0), ("QED=0", 0)])
def test_definitions_limit_the_orders_of_a_model(orders: str, count: int) -> None:
    one = reaction(f"mu+ mu- > s s {orders}", SINGLET)
    assert len(diagrams_of(recursion_of(one, VertexTable(SINGLET)))) == count


def test_orders_go_no_further_than_the_model() -> None:
    """s s > s s h has three powers of NP, and the model is meant for two."""
    assert not diagrams_of(recursion_of(reaction("s s > s s h", SINGLET), VertexTable(SINGLET)))


@pytest.mark.parametrize(
    ("orders", "sentence"),
    [
        ("FOO=1", 'unknown coupling order "FOO"'),
        ("QCD=1", 'unknown coupling order "QCD"'),
        ("NP=3", "expected NP <= 2, as far as the model goes; got NP<=3"),
    ],
)
def test_other_orders_are_refused(orders: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        reaction(f"mu+ mu- > s s {orders}", SINGLET)


def test_a_process_that_needs_what_is_not_computed_is_refused(tmp_path: Path) -> None:
    """Here a power of g_s that is none; other processes do not mind."""
    changes = {
        "parameters.py": ("ZERO = ", _STRONG + "ZERO = "),
        "couplings.py": ("*off11)", "*off11*(1 + G))"),
    }
    folder = copied("scalar_singlet", tmp_path, changes)
    model = Model("broken", {}, named_tables(str(folder)))
    expected = (
        r"the vertex of a a h of model broken, which needs a coupling that is no power of g_s"
    )
    with pytest.raises(InputError, match=expected):
        squared("a a > s s", model, back_to_back(300.0, 40.0))
    assert squared("mu+ mu- > s s", model, back_to_back(300.0, 40.0)) > 0


_STRONG = """aS = Parameter(name="aS", nature="external", type="real", value=0.118, texname="a",
                lhablock="SMINPUTS", lhacode=[3])
G = Parameter(name="G", nature="internal", type="real",
              value="2*cmath.sqrt(aS)*cmath.sqrt(cmath.pi)", texname="G")
"""


@pytest.mark.parametrize("scalar", ["1", "complex(0,1)"])
@pytest.mark.parametrize("size", [1, 3])
def test_a_particle_may_have_a_propagator_of_its_own(
    tmp_path: Path, scalar: str, size: int
) -> None:
    """That of the Higgs boson times a number and without width, in either convention about i."""
    p = back_to_back(300.0, 40.0)
    found = squared("mu+ mu- > s s", with_propagators(tmp_path, _TEXT.format(scalar, size)), p)
    usual = squared("mu+ mu- > s s", own("scalar_singlet", {"WH": 0.0}), p)
    assert found == pytest.approx(size**2 * usual, rel=1e-12)


def test_a_propagator_whose_factor_i_is_not_told_is_refused(tmp_path: Path) -> None:
    model = with_propagators(tmp_path, _TEXT.format("1", 1).replace("S = ", "S1 = "))
    with pytest.raises(InputError, match='expected a propagator "S" that tells where the factor i'):
        squared("mu+ mu- > s s", model, back_to_back(300.0, 40.0))


def with_propagators(folder: Path, text: str) -> Model:
    """The singlet, whose Higgs boson has the propagator H1."""
    change = ('H.line = "dashed"', "H.propagator = Prop.H1")
    model = copied("scalar_singlet", folder, {"particles.py": change})
    (model / "propagators.py").write_text(text)
    return Model("own propagator", {}, named_tables(str(model)))


_TEXT = """
one = "{0}"
square = "P('mu', id) * P('mu', id)"
denominator = square + " - Mass(id) * Mass(id)"
S = Propagator(name="S", numerator="{0}", denominator=denominator)
H1 = Propagator(name="H1", numerator="{1}*" + one, denominator=denominator)
"""


def test_a_higgs_boson_into_two_photons_is_that_of_the_closed_form() -> None:
    """Gamma = c^2 M^3 / (64 pi) for c h (p1.p2 g - p2 p1), in units of GeV^-1."""
    width = partial_width(25, (22, 22), SINGLET)
    assert width == pytest.approx(0.75**2 * 125.0**3 / (64 * math.pi), rel=1e-12)


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("vertices.py", "C.GC_2", "C.GC_99", r"vertices\.py: line \d+: .*\"GC_99\""),
        ("vertices.py", "(0, 0): C.GC_2", "(0, 3): C.GC_2", r"\(0, 3\) is out of range"),
        ("vertices.py", "P.H, P.S, P.S", "P.H, P.S, P.Q", 'particles: expected .* got "Q"'),
        ("particles.py", "Param.MS", "Param.MQ", r'particles\.py: line \d+: .* got "MQ"'),
        ("particles.py", "spin=3", "spin='3'", "spin: expected a whole number; got '3'"),
        ("couplings.py", "*ymm", "*yyy", r'couplings\.py: line \d+: GC_2: .* got "yyy"'),
        ("couplings.py", "*ymm", "*ymm.__class__", r"couplings\.py: line \d+: GC_2: expected"),
        ("couplings.py", "*ymm", "*open(1)", r"couplings\.py: line \d+: GC_2: .* got open"),
        ("parameters.py", "2*halved(1.0)", "2*portal", r"in no circle; got "),
        ("parameters.py", "value=30.0", "value='x'", "value: expected a number; got 'x'"),
        ("parameters.py", "lhacode=[1, 2]", "lhacode='a'", "lhacode: expected a list of numbers"),
        ("coupling_orders.py", "hierarchy=3", "hierarchy='x'", "hierarchy: expected a whole"),
        ("lorentz.py", 'Lorentz(name="SSS1"', 'Vertex(name="SSS1"', "expected Lorentz objects"),
    ],
)
def test_mistakes_in_files_are_told_with_their_line(
    tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    folder = copied("scalar_singlet", tmp_path, {file: (old, new)})
    with pytest.raises((InputError, ValueError), match=sentence):
        Model("broken", {}, named_tables(str(folder)))


def test_alpha_s_is_the_parameter_of_its_name_wherever_the_model_counts_it(tmp_path: Path) -> None:
    """At place 3 of SMINPUTS is the Fermi constant, at place 1 the mass of the Z boson."""
    inputs = "".join(
        f"""{name} = Parameter(name="{name}", nature="external", type="real", value={value},
            texname="x", lhablock="SMINPUTS", lhacode=[{code}])\n"""
        for name, value, code in (("mZinput", 91.188, 1), ("Gf", 1.16639e-5, 3))
    )
    changes = {"parameters.py": ("ZERO = ", inputs + _STRONG.replace("[3]", "[4]") + "ZERO = ")}
    path = copied("scalar_singlet", tmp_path, changes) / "parameters.py"
    path.write_text(path.read_text().replace("lhacode=[1],", "lhacode=[2],", 1))
    model = Model("inputs", {}, named_tables(str(path.parent)))
    assert (model.tables.strong, model.alpha_s) == ("aS", 0.118)
    assert model.alpha_qed == 1 / 128


def test_lines_of_particles_that_do_not_propagate_are_not_computed(tmp_path: Path) -> None:
    """A model writes a contact term as such a particle: a pole would be wrong."""
    changes = {"particles.py": ('H.line = "dashed"\n', "H.propagating = False\n")}
    model = Model("n", {}, named_tables(str(copied("scalar_singlet", tmp_path, changes))))
    with pytest.raises(InputError, match="needs lines without a pole"):
        squared("mu+ mu- > s s", model, back_to_back(300.0, 40.0))


def test_couplings_may_have_a_negative_order(tmp_path: Path) -> None:
    changes = {"couplings.py": ('"-2*complex(0,1)*kap22", order={"NP": 2}', _NEGATIVE)}
    model = Model("n", {}, named_tables(str(copied("scalar_singlet", tmp_path, changes))))
    [vertex] = [one for one in model.vertices if one.particles == ("h", "h", "s", "s")]
    powers = {order.name: vertex.orders[order.column] for order in model.orders}
    assert (vertex.lacking, powers) == ("", {"QED": 2, "NP": -1})


_NEGATIVE = '"-2*complex(0,1)*kap22", order={"NP": -1, "QED": 2}'


@pytest.mark.parametrize("also", ["", " + complex(0,1)*Gamma5(2,1)"])
def test_an_identity_has_its_row_on_either_side(tmp_path: Path, also: str) -> None:
    """FFS with photons beside it, whose amplitudes interfere; Compton scattering to h."""
    found = []
    for identity in ("Identity(1,2)", "Identity(2,1)"):
        (tmp_path / identity).mkdir()
        changes = {"lorentz.py": ("ProjM(2,1) + ProjP(2,1)", identity + also)}
        tables = named_tables(str(copied("scalar_singlet", tmp_path / identity, changes)))
        assert not any(vertex.lacking for vertex in tables.vertices)
        found.append(squared("mu+ mu- > a h", Model("i", {}, tables), _to_photon_and_h()))
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[0] > 0


def _to_photon_and_h() -> np.ndarray:
    """Two massless particles of 250 GeV in all to a photon and a Higgs boson."""
    momentum = (250.0**2 - 125.0**2) / 500.0
    x, z = 0.8 * momentum, 0.6 * momentum
    final = [[momentum, x, 0.0, z], [250.0 - momentum, -x, 0.0, -z]]
    return as_momenta([[[125.0, 0.0, 0.0, 125.0], [125.0, 0.0, 0.0, -125.0], *final]])


@pytest.mark.parametrize("flag", [True, False])
def test_statements_of_a_switch_count_where_it_is_on(tmp_path: Path, flag: bool) -> None:
    """Switches are in a file of their own, as in SMEFTatNLO."""
    switched = "if configuration.extra:\n    extra = " + _EXTRA + "\nZERO = "
    folder = copied("scalar_singlet", tmp_path, {"parameters.py": ("ZERO = ", switched)})
    (folder / "configuration.py").write_text(f"extra = {flag}\n")
    parameters = {one.name for one in named_tables(str(folder)).parameters}
    assert ("extra" in parameters) == flag


_EXTRA = """Parameter(name="extra", nature="external", type="real", value=1.0, texname="x",
                      lhablock="NEW", lhacode=[1])"""
