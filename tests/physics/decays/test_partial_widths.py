"""Widths at lowest order, against closed forms and the numbers of MadGraph's param_card."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from small_models import of, small_model

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.decays import partial_widths
from madnis_py.physics.decays.automatic_widths import model_of
from madnis_py.physics.decays.decay_modes import three_body_modes, two_body_modes
from madnis_py.physics.decays.partial_widths import decay_table, partial_width
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import DECAY, CouplingOrder, Vertex, VertexTerm
from madnis_py.physics.model.slha import read_slha
from madnis_py.physics.process.process import Process

MODEL = Model("sm")
CKM = Model("sm", {"lamWS": 0.2277, "AWS": 0.808, "rhoWS": 0.132, "etaWS": 0.341})


def test_a_z_decays_as_its_couplings_say() -> None:
    for pdg, colours in ((11, 1), (12, 1), (2, 3), (1, 3)):
        left, right = MODEL.couplings("z", pdg)
        expected = colours * MODEL["MZ"] * (left**2 + right**2) / (24 * math.pi)
        assert partial_width(23, (pdg, -pdg), MODEL) == pytest.approx(expected, rel=1e-9)


def test_a_z_to_massive_quarks_has_their_threshold() -> None:
    """N_c M beta / (12 pi) [g_V^2 (1 + 2 r) + g_A^2 (1 - 4 r)], r = m^2 / M^2."""
    left, right = MODEL.couplings("z", 5)
    vector, axial, r = (left + right) / 2, (left - right) / 2, (MODEL["MB"] / MODEL["MZ"]) ** 2
    expected = MODEL["MZ"] * math.sqrt(1 - 4 * r) / (4 * math.pi)
    expected *= vector**2 * (1 + 2 * r) + axial**2 * (1 - 4 * r)
    assert partial_width(23, (5, -5), MODEL) == pytest.approx(expected, rel=1e-9)


def test_a_w_decays_to_colours_and_mixed_flavours() -> None:
    lepton = MODEL["ee"] ** 2 / MODEL["sw2"] * MODEL["MW"] / (48 * math.pi)
    assert partial_width(24, (12, -11), CKM) == pytest.approx(lepton, rel=1e-9)
    mixing = CKM["lamWS"]
    for pair, element in (((2, -1), 1 - mixing**2 / 2), ((2, -3), mixing), ((4, -1), mixing)):
        assert partial_width(24, pair, CKM) == pytest.approx(3 * lepton * element**2, rel=1e-9)


def test_a_top_decays_to_w_and_massive_b() -> None:
    t, b, w = MODEL["MT"], MODEL["MB"], MODEL["MW"]
    momentum = math.sqrt((t**2 - (w + b) ** 2) * (t**2 - (w - b) ** 2)) / (2 * t)
    squares = ((t**2 - b**2) ** 2 + w**2 * (t**2 + b**2) - 2 * w**4) / (4 * w**2)
    expected = MODEL["ee"] ** 2 / MODEL["sw2"] * momentum / (8 * math.pi * t**2) * squares
    assert partial_width(6, (5, 24), MODEL) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("pdg", "mass", "yukawa", "colours"), [(5, "MB", "ymb", 3), (15, "MTA", "ymtau", 1)]
)
def test_a_higgs_boson_decays_as_the_yukawa_coupling_says(
    pdg: int, mass: str, yukawa: str, colours: int
) -> None:
    model = Model("sm", {yukawa: 2.9})
    beta = math.sqrt(1 - 4 * (model[mass] / model["MH"]) ** 2)
    expected = colours * model["MH"] * (2.9 / model["vev"]) ** 2 / (8 * math.pi) * beta**3
    assert partial_width(25, (pdg, -pdg), model) == pytest.approx(expected, rel=1e-9)


def test_a_higgs_boson_decays_to_a_boson_and_one_off_its_mass_shell() -> None:
    """Keung and Marciano, Phys. Rev. D 30 (1984) 248: massless fermions, no width of the W."""
    model = Model("sm", {"MTA": 0.0, "ymtau": 0.0})
    modes = [mode for mode in three_body_modes(25, model) if abs(mode[0]) == 24]
    assert len(modes) == 10
    x, g2 = model["MW"] / model["MH"], model["ee"] ** 2 / model["sw2"]
    expected = 3 * g2**2 * model["MH"] / (512 * math.pi**3) * _off_shell(x)
    found = sum(partial_width(25, mode, model) for mode in modes)
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_higgs_boson_decays_to_z_and_leptons() -> None:
    """The same for one pair of fermions, which are 18 of g^2 / 2 for a W of either charge."""
    model = Model("sm")
    left, right = model.couplings("z", 11)
    coupling = model["ee"] ** 2 / model["sw2"] / (1 - model["sw2"])  # of h Z Z, (g / cos)^2
    expected = coupling * (left**2 + right**2) * model["MH"] / (512 * math.pi**3) / 3
    expected *= _off_shell(model["MZ"] / model["MH"])
    assert partial_width(25, (23, 11, -11), model) == pytest.approx(expected, rel=1e-5)


def _off_shell(x: float) -> float:
    """F(x) of h > V V*, x = M_V / M_H."""
    arc = math.acos((3 * x**2 - 1) / (2 * x**3)) / math.sqrt(4 * x**2 - 1)
    return (
        3 * (1 - 8 * x**2 + 20 * x**4) * arc
        - (1 - x**2) * (47 * x**2 / 2 - 13 / 2 + 1 / x**2)
        - 3 * (1 - 6 * x**2 + 4 * x**4) * math.log(x)
    )


def test_a_tau_decays_as_a_muon_does() -> None:
    """G_F^2 m^5 / (192 pi^3) (1 + 3/5 m^2 / M_W^2)."""
    m, w = MODEL["MTA"], MODEL["MW"]
    fermi = math.sqrt(2) * MODEL["ee"] ** 2 / (8 * MODEL["sw2"] * w**2)
    expected = fermi**2 * m**5 / (192 * math.pi**3) * (1 + 0.6 * (m / w) ** 2)
    assert partial_width(15, (16, 11, -12), MODEL) == pytest.approx(expected, rel=1e-6)


def test_particles_do_not_decay_by_emission_of_others() -> None:
    assert two_body_modes(6, MODEL) == ((24, 5),)
    assert three_body_modes(6, MODEL) == ()
    assert two_body_modes(11, MODEL) == three_body_modes(11, MODEL) == ()


@pytest.mark.parametrize(("pdg", "width"), [(6, 1.4915), (24, 2.0476), (23, 2.441404)])
def test_totals_are_those_of_the_param_card_of_madgraph(pdg: int, width: float) -> None:
    table = decay_table(pdg, MODEL)
    assert table.total == pytest.approx(width, rel=3e-4)
    assert math.fsum(map(table.branching_ratio, table.partial)) == pytest.approx(1, rel=1e-12)


def test_a_decay_block_is_read_back(tmp_path: Path) -> None:
    table, file = decay_table(25, MODEL), tmp_path / "decays.dat"
    file.write_text(table.slha(MODEL))
    assert read_slha(file).value(DECAY, 25) == pytest.approx(table.total, rel=1e-6)
    ratios = [float(line.split()[0]) for line in table.slha(MODEL).splitlines()[1:]]
    assert math.fsum(ratios) == pytest.approx(1, rel=1e-5)


def card(**parameters: object) -> Card:
    return Card.parse(
        {
            "process": {"definition": "u u~ > t t~, t > b w+, t~ > b~ w-"},
            "parameters": parameters,
            "beams": {"pdf": "none", "energy": [500.0, 500.0]},
        }
    )


def test_a_card_leaves_widths_to_be_computed_from_its_parameters() -> None:
    process = Process.from_card(card(WT="auto", MT=175.0))
    expected = decay_table(6, Model("sm", {"MT": 175.0})).total
    assert process.model.width(6) == expected > 1.5
    assert process.card.parameters.overrides["WT"] == expected
    assert process.card.parameters.automatic == ()


def test_a_param_card_leaves_widths_to_be_computed(tmp_path: Path) -> None:
    file = tmp_path / "param_card.dat"
    file.write_text("BLOCK MASS\n 6 175.0\nDECAY 6 Auto # top\nDECAY 23 auto\nDECAY 24 2.1\n")
    model = model_of(card(param_card=str(file)))
    assert model.width(6) == decay_table(6, Model("sm", {"MT": 175.0})).total
    assert model["WZ"] == pytest.approx(2.441404, rel=3e-4)
    assert model["WW"] == 2.1
    assert not {"WT", "WZ"} & {*model.filled_in}
    assert model_of(card(param_card=str(file), WT=1.3))["WT"] == 1.3


def test_only_widths_are_computed() -> None:
    with pytest.raises(CardError, match=r'parameters\.MT: expected a number; got "auto"'):
        model_of(card(MT="auto"))


def test_decays_that_are_known_are_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other values or other vertices are other decays."""
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path))
    first = decay_table(25, MODEL)
    with monkeypatch.context() as known:
        known.setattr(partial_widths, "partial_width", None)
        assert decay_table(25, MODEL) == first
    assert decay_table(25, MODEL.with_values({"MH": 130.0})).total > first.total
    tables = MODEL.tables
    vertices = tuple(one for one in tables.vertices if "ta-" not in one.particles)
    other = Model("sm", {}, replace(tables, vertices=vertices))
    assert {one.products for one in first.partial} - {
        one.products for one in decay_table(25, other).partial
    } >= {(15, -15)}


def test_all_coupling_orders_of_a_decay_add_up() -> None:
    """Also where those of new physics alone are lower: a width has no lowest order."""
    orders = (CouplingOrder("QED", 2, 1), CouplingOrder("NP", 1, 2))
    vertices = tuple(
        Vertex(("ta+", "ta-", "h"), (VertexTerm("1", "FFS", (coupling, coupling)),), powers)
        for coupling, powers in (("kappa", (0, 1, 0)), ("2*kappa", (0, 0, 1)))
    )
    model = small_model(of("ta-", "h"), vertices[:1], {"kappa": 0.1})
    once = partial_width(25, (15, -15), model)
    both = Model("small", {}, replace(model.tables, vertices=vertices, orders=orders))
    assert partial_width(25, (15, -15), both) == pytest.approx(9 * once, rel=1e-12)
