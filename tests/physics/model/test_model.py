from __future__ import annotations

import math
import pickle
from pathlib import Path

import pytest

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.card_model import model_from_card

PARAM_CARD = """
######################################################################
BLOCK SMINPUTS
    1 1.325070e+02 # aEWM1
    2 1.166390e-05 # Gf
    3 1.300000e-01 # aS
Block mass
   23 9.0D+01 # MZ
   24 {mw} # W+
    3 {ms} # s
DECAY   23 2.5 # WZ
   0.15  2  1 -1
   0.12  2  2 -2
DECAY  6 1.5
BLOCK QNUMBERS 32
   1 0
"""


def test_masses_and_couplings_follow_from_the_electroweak_input_as_in_madgraph() -> None:
    model = Model("sm")
    assert model["MW"] == pytest.approx(80.419002445756163, rel=1e-14)
    assert model["sw2"] == pytest.approx(0.22224648578577766, rel=1e-13)
    assert model["ee"] == pytest.approx(0.30795376724436879, rel=1e-15)
    assert model["vev"] == pytest.approx(246.21845810181637, rel=1e-14)


@pytest.mark.parametrize("pdg", [1, 2, 11, 12])
def test_couplings_to_the_z_differ_between_chiralities_by_the_isospin(pdg: int) -> None:
    model = Model("sm")
    left, right = model.couplings("z", pdg)
    cos_sin = math.sqrt(model["sw2"] * (1 - model["sw2"]))
    assert left - right == pytest.approx(
        model["ee"] * model.particle(pdg).isospin / cos_sin, rel=1e-14
    )


@pytest.mark.parametrize(
    ("pdg", "width_share"), [(12, 0.0665), (11, 0.0335), (2, 0.1198), (1, 0.1537)]
)
def test_partial_widths_of_the_z_are_those_of_the_particle_data_group(
    pdg: int, width_share: float
) -> None:
    """Branching ratios at tree level, Gamma = N_c M (g_L^2 + g_R^2) / (24 pi).

    QCD raises those into quarks by 4 %.
    """
    model = Model("sm")
    left, right = model.couplings("z", pdg)
    particle = model.particle(pdg)
    assert particle.colour * model["MZ"] * (left**2 + right**2) / (24 * math.pi) / model[
        "WZ"
    ] == pytest.approx(width_share, rel=0.04)


def test_the_photon_couples_to_charge() -> None:
    model = Model("sm")
    assert model.couplings("a", 11) == (-model["ee"], -model["ee"])
    assert model.couplings("a", 2)[0] / model.couplings("a", 1)[0] == pytest.approx(-2)


def test_the_z_prime_couples_like_the_z_until_scaled() -> None:
    model = Model("sm_zprime", {"kZPq": 0.5})
    assert model.couplings("zp", 11) == model.couplings("z", 11)
    assert model.couplings("zp", 2)[0] == pytest.approx(0.5 * model.couplings("z", 2)[0])


def test_names_and_codes_of_antiparticles() -> None:
    model = Model("sm")
    assert (model.pdg_of["e+"], model.pdg_of["u~"], model.pdg_of["w-"]) == (-11, -2, -24)
    assert [model.particle_name(pdg) for pdg in (-11, -2, -24, 21)] == ["e+", "u~", "w-", "g"]


@pytest.mark.parametrize(
    ("pdg", "antiparticle"), [(2, -2), (-2, 2), (24, -24), (21, 21), (22, 22), (23, 23), (25, 25)]
)
def test_some_particles_are_their_own_antiparticles(pdg: int, antiparticle: int) -> None:
    assert Model("sm").anti(pdg) == antiparticle


@pytest.mark.parametrize(
    ("values", "quarks"),
    [
        ({}, "d u s c"),
        ({"MB": 0.0}, "d u s c b"),
        ({"MC": 1.5}, "d u s"),
        ({"MB": 0.0, "MT": 0.0}, "d u s c b"),
    ],
)
def test_protons_and_jets_hold_the_quarks_without_mass(
    values: dict[str, float], quarks: str
) -> None:
    expected = {"g", *quarks.split(), *(f"{quark}~" for quark in quarks.split())}
    classes = Model("sm", values).multiparticles
    assert set(classes["p"]) == set(classes["j"]) == expected


def test_classes_of_leptons_are_those_of_madgraph() -> None:
    classes = Model("sm").multiparticles
    assert [classes[name] for name in ("l+", "l-")] == [("e+", "mu+"), ("e-", "mu-")]
    assert [classes[name] for name in ("vl", "vl~")] == [("ve", "vm", "vt"), ("ve~", "vm~", "vt~")]


def card_with(tmp_path: Path, text: str | None = None, **parameters: float | str) -> Card:
    if text is not None:
        (tmp_path / "param_card.dat").write_text(text, encoding="utf-8")
        parameters["param_card"] = str(tmp_path / "param_card.dat")
    return Card.parse({"process": {"definition": "p p > e+ e-"}, "parameters": parameters})


def good_param_card(mw: str = "78.9", ms: str = "0.0") -> str:
    return PARAM_CARD.format(mw=Model("sm", {"MZ": 90.0})["MW"] if mw == "78.9" else mw, ms=ms)


def test_a_param_card_sets_parameters(tmp_path: Path) -> None:
    model = model_from_card(card_with(tmp_path, good_param_card()))
    assert [model[name] for name in ("aS", "MZ", "WZ", "WT", "MT")] == [0.13, 90.0, 2.5, 1.5, 173.0]


def test_the_card_wins_over_its_param_card(tmp_path: Path) -> None:
    assert model_from_card(card_with(tmp_path, good_param_card(), aS=0.12))["aS"] == 0.12


def test_a_mass_that_is_no_parameter_must_not_contradict_the_model(tmp_path: Path) -> None:
    with pytest.raises(
        CardError, match=r"card: parameters: expected a param_card with mass 0 of s; got 0\.1"
    ):
        model_from_card(card_with(tmp_path, good_param_card(ms="0.1")))


def test_a_param_card_sets_the_mass_of_charm_and_the_ckm_matrix(tmp_path: Path) -> None:
    blocks = (
        "BLOCK MASS\n 4 1.5\nBLOCK YUKAWA\n 4 1.42\n"
        "Block Wolfenstein\n 1 0.22\n 2 0.8\n 3 0.1\n 4 0.3\n"
    )
    model = model_from_card(card_with(tmp_path, blocks))
    assert (model.mass(4), model["ymc"]) == (1.5, 1.42)
    assert [model[name] for name in ("lamWS", "AWS", "rhoWS", "etaWS")] == [0.22, 0.8, 0.1, 0.3]


def test_the_mass_of_the_w_must_be_the_one_that_follows(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"mass 78\.\d+ of w\+; got 80"):
        model_from_card(card_with(tmp_path, good_param_card(mw="80.4")))


def test_a_broken_param_card_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        CardError, match=r'param_card\.dat: line 2: BLOCK MASS 23: expected a number; got "many"'
    ):
        model_from_card(card_with(tmp_path, "BLOCK MASS\n  23 many\n"))


def test_a_missing_param_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CardError, match=r"nowhere\.dat: expected a readable param_card; got: No such file"
    ):
        model_from_card(card_with(tmp_path, param_card=str(tmp_path / "nowhere.dat")))


def test_an_unknown_parameter_is_named_with_the_closest_one(tmp_path: Path) -> None:
    with pytest.raises(
        CardError, match=r'parameters\.mZ: unknown parameter of model sm; did you mean "MZ"'
    ):
        model_from_card(card_with(tmp_path, mZ=91.0))


def test_parameters_of_the_z_prime_belong_to_its_model(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"parameters\.MZP: unknown parameter of model sm"):
        model_from_card(card_with(tmp_path, MZP=500.0))


def test_a_negative_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"parameters: expected WZ >= 0 \(width of the Z\); got -1"):
        model_from_card(card_with(tmp_path, WZ=-1.0))


@pytest.mark.parametrize(
    ("mz", "what"), [(0.0, "mixing angle"), (50.0, "mass of the W"), (1e200, "mass of the W")]
)
def test_inputs_without_a_real_w_mass_are_refused(tmp_path: Path, mz: float, what: str) -> None:
    with pytest.raises(CardError, match=f"real {what}"):
        model_from_card(card_with(tmp_path, MZ=mz))


@pytest.mark.parametrize(
    ("name", "value"), [("MH", 1e200), ("lamWS", 1e200), ("aEWM1", 1e300), ("kZPq", 1e308)]
)
def test_parameters_without_finite_couplings_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="finite couplings"):
        Model("sm_zprime", {name: value, **({"aEWM1": 1.0, "Gf": 1.0} if name == "kZPq" else {})})


def test_a_model_can_be_sent_to_another_process() -> None:
    model = Model("sm")
    again = pickle.loads(pickle.dumps(model))
    assert again.vertices == model.vertices
    assert again.coupling("conj(V13)") == model.coupling("conj(V13)")
