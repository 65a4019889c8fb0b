"""proc_card_mg5.dat: models, labels, processes, settings, and the answers behind launch."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import ROOT
from run_cards import translated

from madnis_py.errors import CardError
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.process_cards.card_files import found_cards
from madnis_py.plugins.madgraph_cards.process_cards.cards_import import import_cards

FIXED = "launch\nset fixed_scale 91.188\n"
"""Scales that do not follow from the clustering of events."""


def test_a_process_card_becomes_a_card_with_the_entries_that_madgraph_has_for_it(
    tmp_path: Path,
) -> None:
    card, rest = translated(
        "set group_subprocesses Auto\nimport model sm # comment\n"
        "generate p p > \\\n  t t~\noutput pp_tt ; " + FIXED + "set nevents 5k\n",
        tmp_path,
    )
    assert card.process.definition == "p p > t t~"
    assert card.beams.energy == (6500.0, 6500.0)
    assert card.scales.renormalization == 91.188
    assert rest.options == {"--events": 5000}
    assert "set group_subprocesses Auto" in rest.neutral
    assert "generate p p > t t~" in rest.taken


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("sm", {}),
        ("sm-no_b_mass", {"MB": 0.0, "ymb": 0.0}),
        ("loop_sm-c_mass", {"MC": 1.55, "ymc": 1.55}),
        ("sm-ckm_no_b_mass", {"MB": 0.0, "lamWS": 0.2253, "AWS": 0.808}),
        ("sm-lepton_masses --noprefix", {"Me": 0.000511, "MM": 0.10566}),
        ("sm-no_widths", {"WT": 0.0, "WZ": 0.0, "WW": 0.0, "WH": 0.0}),
    ],
)
def test_restrictions_of_the_standard_model_are_its_parameters(
    tmp_path: Path, model: str, parameters: dict[str, float]
) -> None:
    card, _ = translated(f"import model {model}\ngenerate e+ e- > z h\n", tmp_path)
    process = Process.from_card(card)
    assert (
        parameters.items() <= {name: process.model[name] for name in process.model.values}.items()
    )


@pytest.mark.parametrize("value", [True, False])
def test_the_complex_mass_scheme_is_that_of_cards_whatever_is_imported_later(
    tmp_path: Path, value: bool
) -> None:
    card, _ = translated(
        f"set complex_mass_scheme {value}\nimport model sm\ngenerate e+ e- > mu+ mu-\n", tmp_path
    )
    assert bool(card.process.complex_mass) is value


def test_other_models_are_those_of_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_MODEL_PATH", str(ROOT / "tests" / "models"))
    card, _ = translated(
        "import model scalar_singlet-plain\ndefine dark = s h\ngenerate mu+ mu- > dark dark NP=2\n"
        "launch\nset portal 1 2 25\nset mass 25 130\nset decay 25 auto\n",
        tmp_path,
    )
    assert card.process.model == "scalar_singlet-plain"
    assert card.process.multiparticles == {"dark": "s h"}
    assert card.parameters.overrides == {"kap12": 25.0, "MH": 130.0}
    assert card.parameters.automatic == ("WH",)


def test_a_model_that_is_not_found_is_told(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"line 1: .*expected a model: sm, .* got \"nowhere\""):
        translated("import model nowhere\ngenerate mu+ mu- > s s\n", tmp_path)


def test_a_later_generate_begins_again_and_add_process_goes_on(tmp_path: Path) -> None:
    card, _ = translated(
        "generate e+ e- > mu+ mu-\ngenerate e+ e- > z h\nadd process e+ e- > w+ w-\n", tmp_path
    )
    assert card.process.definitions == ("e+ e- > z h", "e+ e- > w+ w-")


def test_edits_behind_launch_and_of_a_file_change_parameters_and_entries(tmp_path: Path) -> None:
    card, _ = translated(
        "generate e+ e- > z h\nlaunch\nset ilc 350\nset mh 130\nset WZ = 2.5\ndone\n",
        tmp_path,
        edits="set param_card mass 6 172.5\nset param_card yukawa 6 170 # comment\n"
        "set decay 25 4d-3\nset run_card etal 3\n",
    )
    assert card.beams.energy == (175.0, 175.0)
    assert card.parameters.overrides == {
        "MH": 130.0,
        "WZ": 2.5,
        "MT": 172.5,
        "ymt": 170.0,
        "WH": 0.004,
    }


@pytest.mark.parametrize(
    ("commands", "entries"),
    [
        ("generate p p > e+ e-", {"energy": (6500.0, 6500.0), "pdf": "toy"}),
        ("generate e+ e- > mu+ mu-", {"energy": (500.0, 500.0), "pdf": "none"}),
        ("generate e+ e- > mu+ mu-\nlaunch\nset lep 91.2", {"energy": (45.6, 45.6)}),
        ("generate p p > e+ e-\nlaunch\nset lhc 14", {"energy": (7000.0, 7000.0)}),
    ],
)
def test_without_a_run_card_the_beams_are_those_that_madgraph_writes_for_the_process(
    tmp_path: Path, commands: str, entries: dict[str, object]
) -> None:
    card, _ = translated(
        f"{commands}\nset fixed_scale 91.188\n".replace(
            "\nset fixed", "\nlaunch\nset fixed" if "launch" not in commands else "\nset fixed"
        ),
        tmp_path,
    )
    assert entries.items() <= card.beams.model_dump().items()


def test_processes_that_differ_by_jets_are_samples_for_mlm_without_a_run_card(
    tmp_path: Path,
) -> None:
    card, _ = translated("generate p p > z\nadd process p p > z j\n", tmp_path)
    assert (card.for_merging.scheme, card.for_merging.xqcut) == ("mlm", 30.0)
    assert card.systematics.emission_factors == (0.5, 2.0)


def test_no_parton_cut_takes_all_cuts_away(tmp_path: Path) -> None:
    text = "generate e+ e- > mu+ mu- a\nlaunch\nset no_parton_cut\n"
    assert translated(text, tmp_path)[0].cuts.by_name == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import model mssm\ngenerate p p > go go", "line 1: .*expected a model: sm"),
        ("import model sm-full\ngenerate p p > z", 'line 1: unknown restriction "full"'),
        ("generate p p > t t~ [QCD]", "line 1: expected a process at leading order"),
        ("define q = u x\ngenerate p p > z", 'line 1: unknown particle "x"'),
        ("import model sm", "expected a process, generate p p > t t~; got none"),
        ("generate e+ e- > z h\ncompute_width z", "compute_width z: this command is not known"),
        ("generate e+ e- > z h\nlaunch\nmadspin=ON", "madspin=ON: another program decays"),
        (
            "generate e+ e- > z h\nlaunch\nset mass 32 800",
            "set mass 32 800: the Standard Model has",
        ),
        ("generate e+ e- > z h\nlaunch\nset mass 13 0.1", "set mass 13 0.1: MM is 0 in this"),
        ("generate e+ e- > z h\nlaunch\nlaunch", "launch: a second run of one script"),
        ("generate e+ e- > z h --diagram_filter", "--diagram_filter chooses among diagrams"),
        ("generate e+ e- > z h\\", "expected a line behind the backslash"),
    ],
)
def test_what_changes_the_process_and_cannot_be_translated_is_a_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(CardError, match=sentence):
        translated(text, tmp_path)


def test_a_mass_of_zero_makes_bottom_quarks_partons_as_madgraph_does_on_import(
    tmp_path: Path,
) -> None:
    light, _ = translated("import model sm-no_b_mass\ngenerate p p > z\n" + FIXED, tmp_path)
    assert 5 in {abs(legs[0]) for legs in Process.from_card(light).flavours}
    text = "import model sm\ngenerate p p > z\n" + FIXED
    later, _ = translated(text, tmp_path, edits="set param_card mass 5 0\n")
    assert 5 not in {abs(legs[0]) for legs in Process.from_card(later).flavours}


def test_labels_stand_for_what_they_were_defined_as_last(tmp_path: Path) -> None:
    card, _ = translated(
        "define q = u d\ndefine q = q s / d\ndefine both e+ 13\ngenerate q u~ > both e-\n" + FIXED,
        tmp_path,
    )
    assert card.process.multiparticles == {"q": "u s", "both": "e+ mu-"}
    flavours = Process.from_card(card).flavours
    assert {legs[2] for legs in flavours} == {-11}
    assert {abs(legs[0]) for legs in flavours} == {2}


def test_the_mass_of_the_w_follows_from_other_parameters_whatever_a_card_says(
    tmp_path: Path,
) -> None:
    text = "generate e+ e- > w+ w-\nlaunch\nset mass 24 80.4\n"
    card, rest = translated(text, tmp_path)
    assert "set mass 24 80.4" in rest.neutral
    assert Process.from_card(card).model["MW"] == Model("sm")["MW"]


def test_a_folder_has_its_cards_by_the_ends_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "zh_proc_card.dat").write_text("generate e+ e- > z h\noutput zh\n")
    (tmp_path / "zh_run_card.dat").write_text("0 = lpp1\n0 = lpp2\n120 = ebeam1\n120 = ebeam2\n")
    (tmp_path / "zh_customizecards.dat").write_text("set param_card mass 25 124\n")
    card, _ = import_cards(found_cards(tmp_path))
    assert card.beams.energy == (120.0, 120.0)
    assert card.parameters.overrides == {"MH": 124.0}
    (tmp_path / "zh_madspin_card.dat").write_text("decay z > l+ l-\nlaunch\n")
    with pytest.raises(CardError, match=r"zh_madspin_card\.dat: another program decays"):
        import_cards(found_cards(tmp_path))


def test_cuts_that_are_off_are_listed_as_neutral(tmp_path: Path) -> None:
    run = "0 = lpp1\n0 = lpp2\n0 = ptj\n-1 = etal\n15 = ptl\n"
    _, rest = translated("generate e+ e- > mu+ mu-\n", tmp_path, run=run)
    assert {"ptj = 0", "etal = -1"} <= set(rest.neutral)
    assert "ptl = 15" in rest.taken
