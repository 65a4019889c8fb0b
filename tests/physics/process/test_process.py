from __future__ import annotations

import re
from pathlib import Path

import pytest

from madnis_py.card import card
from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.process.process import Process


def process(definition: str, **tables: object) -> Process:
    tables.setdefault("cuts", {"lepton,lepton": {"mass_min": 15.0}})
    tables.setdefault("beams", {"pdf": "toy"})
    return Process.from_card(Card.parse({"process": {"definition": definition}, **tables}))


def flavours(process: Process) -> list[tuple[int, ...]]:
    return list(process.flavours)


@pytest.mark.parametrize(
    ("name", "channels"),
    [("drell_yan", ["photon", "Z"]), ("drell_yan_zprime", ["photon", "Z", "Z'"])],
)
def test_shipped_processes_have_one_channel_per_mediator(name: str, channels: list[str]) -> None:
    assert [channel.name for channel in Process.from_card(name).channels] == channels


def test_protons_hold_four_quark_flavours_in_both_orders() -> None:
    expected = {
        (sign * quark, -sign * quark, -11, 11) for quark in (1, 2, 3, 4) for sign in (1, -1)
    }
    assert set(flavours(process("p p > e+ e-"))) == expected


def test_protons_hold_bottom_quarks_without_mass_but_no_charm_quarks_with_mass() -> None:
    massive_charm = process("p p > e+ e-", parameters={"MB": 0.0, "MC": 1.5})
    assert {abs(legs[0]) for legs in flavours(massive_charm)} == {1, 2, 3, 5}


def test_a_matrix_element_is_shared_by_up_or_down_quarks_in_one_beam_order() -> None:
    groups = {
        frozenset(legs[0] for legs in group.flavours) for group in process("p p > e+ e-").groups
    }
    assert groups == {frozenset(pair) for pair in ((2, 4), (1, 3), (-2, -4), (-1, -3))}


def test_final_particles_keep_the_order_of_the_definition() -> None:
    assert flavours(process("u u~ > mu- mu+")) == [(2, -2, 13, -13)]


def test_labels_of_leptons_pair_equal_flavours() -> None:
    assert set(flavours(process("d~ d > l+ l-"))) == {(-1, 1, -11, 11), (-1, 1, -13, 13)}


def test_the_antiquark_carries_the_anticolour() -> None:
    assert process("u~ u > e+ e-").matrix_elements[0].flows[0] == (
        (0, 501),
        (501, 0),
        (0, 0),
        (0, 0),
    )


@pytest.mark.parametrize(
    "definition", ["g g > e+ e-", "u c~ > e+ e-", "p p > e+ e- WEIGHTED=3", "u u~ > e+ e- / a z"]
)
def test_processes_without_tree_diagrams_are_refused(definition: str) -> None:
    with pytest.raises(
        CardError, match=r"process\.definition: expected a process with tree diagrams"
    ) as error:
        process(definition)
    assert f'"{definition}" has none' in str(error.value)


def test_processes_without_a_mapping_are_refused_when_they_are_integrated() -> None:
    with pytest.raises(CardError, match="expected a process with massless incoming particles"):
        _ = process("b b~ > e+ e-").channels


@pytest.mark.parametrize(
    ("definition", "names"), [("p p > e+ e- / a", ["Z"]), ("p p > z, z > e+ e-", ["Z"])]
)
def test_channels_follow_the_particles_in_the_s_channel(definition: str, names: list[str]) -> None:
    assert [channel.name for channel in process(definition).channels] == names


@pytest.mark.parametrize(
    "definition", ["p p", "p p >", "> e+ e-", "p p > z >", "p p > e+ e- /", "p p > e+ e- QCD"]
)
def test_definitions_that_cannot_be_read_are_refused(definition: str) -> None:
    with pytest.raises(CardError, match=r"process\.definition: "):
        process(definition)


def test_unknown_particles_are_named_with_the_closest_one() -> None:
    with pytest.raises(
        CardError,
        match=r'process\.definition: unknown particle "mu" of model sm; did you mean "mu[+-]"',
    ):
        process("p p > mu mu")


def test_coupling_orders_that_leave_no_diagram_are_refused() -> None:
    with pytest.raises(CardError, match="expected a process with tree diagrams"):
        process("p p > e+ e- QED=1")


def test_coupling_orders_that_allow_the_process_change_nothing() -> None:
    assert flavours(process("p p > e+ e- QCD=0 QED=2")) == flavours(process("p p > e+ e-"))


def test_beams_without_pdf_need_fixed_partons() -> None:
    with pytest.raises(
        CardError,
        match=r'beams\.pdf: expected single partons in the beams for "none"; got "p p > e\+ e-"',
    ):
        process("p p > e+ e-", beams={"pdf": "none"})


def test_beams_without_pdf_have_one_channel() -> None:
    assert len(process("u u~ > e+ e-", beams={"pdf": "none"}).channels) == 1


def test_cuts_that_leave_no_mass_are_refused() -> None:
    with pytest.raises(
        CardError, match=r"cuts: expected room for pair masses below 13000 GeV; got 14000 or more"
    ):
        _ = process("p p > e+ e-", cuts={"e+": {"pt_min": 7000.0}}).channels


@pytest.mark.parametrize("pdf", ["toy", "none"])
@pytest.mark.parametrize("phase_space", ["diagrams", "flat"])
@pytest.mark.parametrize(
    ("energy", "cuts", "sentence"),
    [
        (
            100.0,
            {},
            "beams.energy: expected sqrt(s) above the masses of the final particles, 346 GeV; "
            "got 200 GeV",
        ),
        (
            200.0,
            {"t": {"pt_min": 300.0}},
            "cuts: expected cuts that leave room below sqrt(s) = 400 GeV; "
            "got some that ask for 519.308 GeV or more",
        ),
    ],
)
def test_what_leaves_no_room_is_named(
    energy: float, cuts: dict[str, dict[str, float]], sentence: str, phase_space: str, pdf: str
) -> None:
    tables = {
        "beams": {"energy": [energy] * 2, "pdf": pdf},
        "cuts": cuts,
        "channels": {"phase_space": phase_space},
    }
    with pytest.raises(CardError, match="^card: " + re.escape(sentence)):
        _ = process("g g > t t~", **tables).channels


def test_cuts_on_a_class_hold_for_each_of_its_members() -> None:
    cuts = process("p p > e+ e-", cuts={"lepton": {"pt_min": 20.0}}).cuts
    assert cuts == tuple(Cut("pt", (leg,), 20.0, float("inf")) for leg in (2, 3))


def test_cuts_on_a_pair_of_classes_hold_once() -> None:
    assert process("p p > e+ e-").cuts == (Cut("mass", (2, 3), 15.0, float("inf")),)


def test_cuts_on_a_particle_find_its_leg() -> None:
    cuts = process("p p > e- e+", cuts={"e+": {"pt_min": 20.0, "eta_max": 2.5}}).cuts
    assert cuts == (Cut("pt", (3,), 20.0, float("inf")), Cut("eta", (3,), float("-inf"), 2.5))


def test_cuts_on_classes_without_a_member_change_nothing() -> None:
    tables = {"lepton,lepton": {"mass_min": 15.0}, "jet": {"pt_min": 20.0}}
    assert process("p p > e+ e-", cuts=tables).cuts == process("p p > e+ e-").cuts


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mu+", 'cuts."mu+": expected a class or one of the final particles e+, e-; got "mu+"'),
        ("leptons", 'cuts."leptons": unknown particle or class "leptons"; did you mean "lepton"?'),
    ],
)
def test_cuts_on_what_is_not_there_are_refused(name: str, sentence: str) -> None:
    with pytest.raises(CardError, match=re.escape(sentence)):
        process("p p > e+ e-", cuts={name: {"pt_min": 20.0}})


def test_the_resolved_card_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "param_card.dat").write_text("BLOCK MASS\n 23 91.0\n", encoding="utf-8")
    (tmp_path / "my.toml").write_text(
        '[process]\ndefinition = "p p > e+ e-"\n[parameters]\nparam_card = "param_card.dat"\n',
        encoding="utf-8",
    )
    resolved = Process.from_card(tmp_path / "my.toml").card
    (tmp_path / "param_card.dat").unlink()
    (tmp_path / "resolved.toml").write_text(resolved.to_toml(), encoding="utf-8")
    again = Process.from_card(tmp_path / "resolved.toml")
    assert again.model["MZ"] == 91.0
    assert again.card.digest() == resolved.digest()


def test_the_matrix_element_of_fixed_partons_is_one() -> None:
    assert process("u u~ > e+ e-").matrix_element().n_diagrams == 2


def test_protons_have_more_than_one_matrix_element() -> None:
    with pytest.raises(
        CardError, match=r"process\.definition: expected fixed partons such as u u~; got"
    ):
        process("p p > e+ e-").matrix_element()


def test_flavours_choose_among_the_matrix_elements() -> None:
    protons = process("p p > e+ e-")
    assert protons.matrix_element((4, -4, -11, 11)) is protons.matrix_element((2, -2, -11, 11))
    assert protons.matrix_element((-2, 2, -11, 11)) is not protons.matrix_element((2, -2, -11, 11))


def test_flavours_that_do_not_belong_to_a_process_are_refused() -> None:
    with pytest.raises(CardError, match=r"expected a process that contains \[21, 21, -11, 11\]"):
        process("p p > e+ e-").matrix_element((21, 21, -11, 11))


def test_errors_found_after_reading_name_the_file() -> None:
    loaded = card.load("drell_yan").updated({"parameters": {"MX": 1.0}})
    with pytest.raises(
        CardError, match=r"^drell_yan\.toml: parameters\.MX: unknown parameter of model sm"
    ):
        Process.from_card(loaded)


def test_a_channel_can_be_omitted() -> None:
    left = process("p p > e+ e-", channels={"omit": ["Z"]}).channels
    assert [(channel.name, channel.diagrams) for channel in left] == [("photon", (0, 2, 4, 6))]


@pytest.mark.parametrize(
    ("omit", "sentence"),
    [
        (["W"], 'channels.omit: expected names among photon, Z; got "W"'),
        (
            ["Z", "photon"],
            "channels.omit: expected at least one channel to stay of photon, Z; got none",
        ),
    ],
)
def test_channels_that_cannot_be_omitted_are_refused(omit: list[str], sentence: str) -> None:
    with pytest.raises(CardError, match=re.escape(sentence)):
        _ = process("p p > e+ e-", channels={"omit": omit}).channels


def test_a_single_particle_made_by_beams_of_fixed_energy_has_its_matrix_element() -> None:
    made = process("b b~ > h", beams={"pdf": "none", "energy": [62.5, 62.5]}, cuts={})
    assert made.matrix_element().n_particles == 3


@pytest.mark.parametrize(
    ("definition", "caveats"),
    [
        ("p p > e+ e-", []),
        ("p p > t t~ $$ z", []),
        (
            "p p > z > e+ e-",
            [
                'restrictions: "p p > z > e+ e-" leaves out 1 of 2 diagrams of d d~ > e+ e-; what '
                "is left may depend on the gauge"
            ],
        ),
    ],
)
def test_a_warning_says_what_restrictions_leave_out(definition: str, caveats: list[str]) -> None:
    assert list(process(definition).caveats) == caveats
