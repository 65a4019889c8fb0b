"""Entries of a run_card.dat become those of a card, or are refused: nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_cards import DAT, INFINITE, SMALL, TOP, cuts_of, import_run_card, imported

from madnis_py.errors import CardError
from madnis_py.physics.cross_section.bias import Bias
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import DEFAULTS, TRANSLATED
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard


def test_every_entry_of_a_run_card_is_translated(tmp_path: Path) -> None:
    card, rest = imported(DAT, tmp_path)
    assert card.process.definition == TOP
    assert not card.process.t_channel_widths
    assert card.beams.energy == (6800.0, 6800.0)
    assert card.beams.pdf == "NNPDF40_lo_as_01180"
    assert card.scales.factorization == 173.0
    assert (card.scales.renormalization, card.scales.renormalization_factor) == ("sum_mt/2", 0.5)
    assert card.scales.factorization_factor == 1.0
    assert card.channels.prior == "propagator"
    assert card.systematics.scale_factors == ()
    assert cuts_of(card) == {
        "jet": {"pt": (20.0, INFINITE), "eta": (-INFINITE, 5.0), "ht": (100.0, INFINITE)},
        "jet[1]": {"pt": (40.0, INFINITE)},
        "event": {"sqrt_s": (400.0, INFINITE)},
    }
    assert rest.options == {"--events": 20000, "--seed": 17}
    assert rest.untranslated == []


def test_an_imported_card_makes_a_process_with_its_cuts(tmp_path: Path) -> None:
    card, _ = imported(DAT, tmp_path)
    assert any(cut.observable == "pt" for cut in Process.from_card(card).cuts)


def test_no_entry_in_the_table_of_translated_ones_is_left_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    for method in ("has", "text"):
        original = getattr(RunCard, method)

        def noted(run: RunCard, name: str, original: Callable[..., Any] = original) -> Any:
            read.add(name)
            return original(run, name)

        monkeypatch.setattr(RunCard, method, noted)
    merging = "1 = ickkw\n20 = xqcut\nF = use_syst\n"
    dynamical = "F = fixed_ren_scale\n3 = dynamical_scale_choice\n{6: 400} = mxx_min_pdg\n"
    densities = "lhapdf = pdlabel1\nlhapdf = pdlabel2\n"
    durham = "30 = ktdurham\n21, 1, 2, 3, 4 = pdgs_for_merging_cut\n"
    for entries in ("", dynamical, densities, merging, durham, "ptj_bias = bias_module\n"):
        imported(SMALL + entries, tmp_path)
    assert read >= set(TRANSLATED)


def test_an_entry_that_is_not_there_has_the_default_of_madgraph(tmp_path: Path) -> None:
    card, _ = imported(SMALL, tmp_path, definition="p p > e+ e- j a")
    names = [name for name, value in DEFAULTS.items() if value != "" and "scale" not in name]
    written_out = "".join(f"  {DEFAULTS[name]} = {name}\n" for name in names)
    complete, _ = imported(written_out + SMALL, tmp_path, definition="p p > e+ e- j a")
    assert card.digest() == complete.digest()
    assert card.beams.energy == (6500.0, 6500.0)
    assert cuts_of(card) == {
        "jet": {"pt": (20.0, INFINITE), "eta": (-INFINITE, 5.0)},
        "photon": {"pt": (10.0, INFINITE), "eta": (-INFINITE, 2.5)},
        "lepton": {"pt": (10.0, INFINITE), "eta": (-INFINITE, 2.5)},
        "lepton,lepton": {"dr": (0.4, INFINITE)},
        "photon,jet": {"dr": (0.4, INFINITE)},
        "jet,lepton": {"dr": (0.4, INFINITE)},
        "photon,lepton": {"dr": (0.4, INFINITE)},
    }


def test_polarised_beams_and_the_frame_of_polarised_particles_are_translated(
    tmp_path: Path,
) -> None:
    entries = "0 = lpp1\n0 = lpp2\n80 = polbeam1\n-30.0 = polbeam2\n[3, 4] = me_frame\n"
    card, rest = imported(SMALL + entries, tmp_path, definition="e+ e- > w+{0} w- a")
    assert card.beams.polarization == (0.8, -0.3)
    assert card.process.me_frame == (3, 4)
    assert rest.untranslated == []


def test_neutrinos_of_both_helicities_are_refused(tmp_path: Path) -> None:
    entries = "0 = lpp1\n0 = lpp2\n"
    with pytest.raises(CardError, match=r"polbeam1 = 0.*: half of the neutrinos .* set polbeam1"):
        imported(SMALL + entries, tmp_path, definition="ve e- > ve e-")
    card, _ = imported(SMALL + entries + "-100 = polbeam1\n", tmp_path, definition="ve e- > ve e-")
    assert card.beams.polarization == (-1.0, 0.0)


def test_particles_without_densities_have_no_pdf_and_no_scales_without_strong_coupling(
    tmp_path: Path,
) -> None:
    text = "0 = lpp1\n0 = lpp2\n-1 = dynamical_scale_choice\n"
    card, _ = imported(text, tmp_path, definition="e+ e- > mu+ mu-")
    assert card.beams.pdf == "none"


def test_without_densities_alpha_s_runs_from_the_param_card_at_the_mass_of_the_z(
    tmp_path: Path,
) -> None:
    text = "0 = lpp1\n0 = lpp2\nT = fixed_ren_scale\n500 = scale\n"
    card, _ = imported(text, tmp_path, definition="u u~ > t t~")
    assert (card.scales.renormalization, card.scales.alpha_s_running) == (500.0, True)
    card, _ = imported(text.replace("T =", "F ="), tmp_path, definition="u u~ > t t~")
    assert (card.scales.renormalization, card.scales.alpha_s_running) == ("clustering", True)


@pytest.mark.parametrize(
    ("entries", "factorization"),
    [
        ("F = fixed_fac_scale", "clustering"),
        ("100.0 = dsqrt_q2fact2", (91.188, 100.0)),
        (
            "F = fixed_fac_scale1\nT = fixed_fac_scale2\n3 = dynamical_scale_choice",
            ("sum_mt/2", 91.188),
        ),
        ("0 = lpp1\nF = fixed_fac_scale1\nT = fixed_fac_scale2", 91.188),
    ],
)
def test_each_beam_has_its_factorisation_scale(
    tmp_path: Path, entries: str, factorization: object
) -> None:
    card, _ = imported(f"{SMALL}{entries}\n", tmp_path, definition="u p > u z")
    assert card.scales.factorization == factorization


@pytest.mark.parametrize(
    ("kinds", "pdf", "particle"),
    [
        ((1, -1), "NNPDF40_lo_as_01180", ("p", "p~")),
        ((0, 1), ("none", "NNPDF40_lo_as_01180"), None),
        ((1, 0), ("NNPDF40_lo_as_01180", "none"), None),
    ],
)
def test_each_beam_has_its_kind(
    tmp_path: Path, kinds: tuple[int, int], pdf: object, particle: object
) -> None:
    text = f"{SMALL}{kinds[0]} = lpp1\n{kinds[1]} = lpp2\n920 = ebeam1\n0.938 = ebeam2\n"
    card, _ = imported(text, tmp_path, definition="u u > u u")
    assert (card.beams.pdf, card.beams.particle) == (pdf, particle)
    assert card.beams.energy == (920.0, 0.938 if kinds[1] == 0 else 0.0)


@pytest.mark.parametrize(
    ("entries", "factorization"),
    [
        ("F = fixed_fac_scale\n", [1.4, "sum_mt/2"]),
        ("T = fixed_fac_scale\n", [1.4, 91.188]),
        ("F = fixed_fac_scale1\nF = fixed_fac_scale2\n", "sum_mt/2"),
        ("F = fixed_fac_scale\n-3 = lpp2\niww = pdlabel2\n", "sum_mt/2"),
    ],
)
def test_photons_beside_a_proton_have_a_fixed_scale_as_in_madgraph(
    tmp_path: Path, entries: str, factorization: object
) -> None:
    text = (
        "2 = lpp1\niww = pdlabel1\nlhapdf = pdlabel2\n331900 = lhaid\n1.4 = dsqrt_q2fact1\n"
        "3 = dynamical_scale_choice\n"
    )
    (tmp_path / "run_card.dat").write_text(text + entries)
    card, _ = import_run_card(tmp_path / "run_card.dat", "a a > mu+ mu-")
    assert card.content()["scales"]["factorization"] == factorization


@pytest.mark.parametrize(
    ("text", "definition", "beams"),
    [
        (
            "2 = lpp1\n-2 = lpp2\niww = pdlabel\n1.4 = dsqrt_q2fact1\n1.4 = dsqrt_q2fact2\n",
            "a a > mu+ mu-",
            {"pdf": "epa", "particle": ("p", "p~")},
        ),
        (
            "3 = lpp1\n1 = lpp2\niww = pdlabel1\nlhapdf = pdlabel2\n",
            "a u > u g",
            {"pdf": ("epa", "NNPDF40_lo_as_01180"), "particle": ("e-", "p")},
        ),
        (
            "-3 = lpp1\n3 = lpp2\nisronlyll = pdlabel\n",
            "e+ e- > mu+ mu-",
            {"pdf": "isr", "particle": ("e+", "e-")},
        ),
        (
            "0 = lpp1\n-1 = lpp2\n",
            "e- u > e- u",
            {"pdf": ("none", "NNPDF40_lo_as_01180"), "particle": ("default", "p~")},
        ),
        (
            "nn23lo1 = pdlabel1\nlhapdf = pdlabel2\n",
            "u u > u u",
            {"pdf": ("NNPDF23_lo_as_0130_qed", "NNPDF40_lo_as_01180"), "particle": None},
        ),
        (
            "82 = nb_proton1\n126 = nb_neutron1\n522080 = ebeam1\n195.08 = mass_ion1\n",
            "u u > u u",
            {
                "pdf": "NNPDF40_lo_as_01180",
                "particle": ("1000822080", "p"),
                "energy": (2510.0, 6500.0),
                "nucleons": "free",
            },
        ),
    ],
)
def test_each_beam_brings_what_its_label_says(
    tmp_path: Path, text: str, definition: str, beams: dict[str, object]
) -> None:
    card, _ = imported(SMALL + text, tmp_path, definition=definition)
    assert {name: getattr(card.beams, name) for name in beams} == beams


def test_mlm_merging_has_its_table_and_takes_its_cuts_from_xqcut(tmp_path: Path) -> None:
    dynamical = "F = fixed_ren_scale\nF = fixed_fac_scale\n"
    text = f"{SMALL}{dynamical}1 = ickkw\n15 = xqcut\n0.4 = drjj\n40 = mmjj\nF = pdfwgt\n"
    card, _ = imported(f"{text}5 = maxjetflavor\n", tmp_path, definition="p p > e+ e- j j")
    merging = card.for_merging
    assert (merging.scheme, merging.xqcut, merging.auto_ptj_mjj) == ("mlm", 15.0, True)
    assert (merging.maxjetflavor, merging.asrwgtflavor, merging.pdfwgt) == (5, 5, False)
    assert not {"jet,jet", "jet,lepton"} & set(card.cuts)
    by_hand, _ = imported(f"{text}F = auto_ptj_mjj\n10 = ptj\n", tmp_path)
    assert cuts_of(by_hand)["jet"]["pt"] == (10.0, INFINITE)
    assert not by_hand.for_merging.auto_ptj_mjj


def test_of_the_automatic_cuts_beside_xqcut_one_below_zero_stays_off(tmp_path: Path) -> None:
    text = f"{SMALL}1 = ickkw\n15 = xqcut\n-1 = etaj\n-1 = mmjj\n"
    card, _ = imported(text, tmp_path, definition="p p > w+ j j, w+ > j j")
    assert not card.for_merging.auto_ptj_mjj
    assert cuts_of(card) == {"jet": {"pt": (15.0, INFINITE)}}
    assert not card.cuts.decay_products


def test_samples_for_ckkwl_have_their_cut_and_keep_the_others(tmp_path: Path) -> None:
    text = f"{SMALL}30 = ktdurham\n0.8 = dparameter\n10 = ptj\n"
    card, _ = imported(text, tmp_path, definition="p p > e+ e- j j")
    merging = card.for_merging
    assert (merging.ktdurham, merging.dparameter, merging.maxjetflavor) == (30.0, 0.8, 4)
    assert (merging.scheme, cuts_of(card)["jet"]["pt"]) == ("none", (10.0, INFINITE))
    evolution, _ = imported(f"{SMALL}25 = ptlund\n", tmp_path, definition="p p > e+ e- j j")
    assert (evolution.for_merging.ptlund, evolution.for_merging.ktdurham) == (25.0, 0.0)


@pytest.mark.parametrize(
    ("text", "definition", "sentence"),
    [
        (
            "30 = ktdurham\n20 = ptlund",
            "p p > z j",
            "a sample is cut by one of xqcut, ktdurham and",
        ),
        ("30 = ktdurham", "p p > t t~ j", "cut on here; t, t~ differ; set it to .1, 2, 3, 4, 21"),
        ("30 = ktdurham\n[21] = pdgs_for_merging_cut", "p p > z j", "here; c, c~, d, .* differ"),
        ("30 = ptlund\n0 = lpp1\n0 = lpp2", "e+ e- > j j j", "two beams with parton densities"),
        ("30 = ptlund\njets = pdgs_for_merging_cut", "p p > z j", "expected a list of PDG codes"),
    ],
)
def test_cuts_between_other_jets_are_refused(
    tmp_path: Path, text: str, definition: str, sentence: str
) -> None:
    with pytest.raises(CardError, match=sentence):
        imported(f"{SMALL}{text}\n", tmp_path, definition=definition)


def test_top_quarks_may_be_left_out_of_the_cuts_between_jets(tmp_path: Path) -> None:
    text = f"{SMALL}30 = ktdurham\n21, 1, 2, 3, 4 = pdgs_for_merging_cut\n"
    card, _ = imported(text, tmp_path, definition="p p > t t~ j")
    assert card.for_merging.ktdurham == 30.0
    imported(f"{SMALL}30 = ktdurham\n", tmp_path, definition="p p > t t~ j, t > b w+, t~ > b~ w-")


def test_a_clustering_without_merging_has_the_jets_of_the_run_card(tmp_path: Path) -> None:
    card, _ = imported(f"{SMALL}F = fixed_ren_scale\n5 = maxjetflavor\n", tmp_path)
    assert (card.for_merging.maxjetflavor, card.for_merging.active) == (5, False)


def test_a_parameter_card_is_named_in_the_card(tmp_path: Path) -> None:
    (tmp_path / "run_card.dat").write_text(SMALL)
    (tmp_path / "param_card.dat").write_text("BLOCK MASS\n 6 1.70e+02 # MT\nDECAY 6 1.4\n")
    card, _ = import_run_card(tmp_path / "run_card.dat", "g g > t t~", tmp_path / "param_card.dat")
    assert Process.from_card(card).model.mass(6) == 170.0


@pytest.mark.parametrize(
    ("label", "number", "name"),
    [
        ("lhapdf", "247000", "NNPDF23_lo_as_0130_qed"),
        ("LHAPDF", "263000", "NNPDF30_lo_as_0130"),
        ("'lhapdf'", "[303400, 263000]", "NNPDF31_nlo_as_0118"),
        ("lhapdf", "325100, 331100", "NNPDF31_nnlo_as_0118_luxqed"),
        ("nn23lo1", "230000", "NNPDF23_lo_as_0130_qed"),
        ("lhapdf", "260001", "NNPDF30_nlo_as_0118/1"),
        ("lhapdf", "904400", "EPPS21nlo_CT18Anlo_Pb208"),
        ("cteq6l1", "0", "cteq6l1"),
    ],
)
def test_sets_are_found_by_their_numbers_and_labels(
    tmp_path: Path, label: str, number: str, name: str
) -> None:
    assert imported(f"{SMALL}{label} = pdlabel\n{number} = lhaid\n", tmp_path)[0].beams.pdf == name


def test_a_list_of_sets_has_the_central_one_first_and_the_others_for_weights(
    tmp_path: Path,
) -> None:
    text = f"{SMALL}lhapdf = pdlabel\n[263000, 260000, 262000@3] = lhaid\n"
    card, _ = imported(text, tmp_path)
    assert card.beams.pdf == "NNPDF30_lo_as_0130"
    assert card.systematics.pdf_sets == ("NNPDF30_nlo_as_0118", "NNPDF30_lo_as_0118/3")


def test_without_a_label_the_set_is_that_of_madgraphs_reader(tmp_path: Path) -> None:
    scales = "".join(line for line in SMALL.splitlines(keepends=True) if "fixed" in line)
    assert imported(scales, tmp_path)[0].beams.pdf == "NNPDF23_lo_as_0130_qed"


@pytest.mark.parametrize(
    ("definition", "entries", "bias"),
    [
        (TOP, "ptj_bias = bias_module", "(pt(jet[1])/1000)**4"),
        (
            TOP,
            "ptj_bias = bias_module\n"
            "{'ptj_bias_target_ptj': 250, 'ptj_bias_enhancement_power': 2.5} = bias_parameters",
            "(pt(jet[1])/250)**2.5",
        ),
        ("p p > b b~", "ptj_bias = bias_module\n5 = maxjetflavor", "(pt(b|b~[1])/1000)**4"),
        (TOP, "None = bias_module\n{'a': 1} = bias_parameters", None),
        (TOP, "dummy = bias_module", None),
        ("p p > t t~", "ptj_bias = bias_module", None),
    ],
)
def test_a_bias_of_the_hardest_jet_is_an_expression(
    tmp_path: Path, definition: str, entries: str, bias: str | None
) -> None:
    card, _ = imported(SMALL + entries + "\n", tmp_path, definition=definition)
    assert card.events.bias == bias
    if bias is not None:
        process = Process.from_card(card)
        Bias(bias, np.array(process.flavours, np.int32), process.model)


def test_times_of_flight_are_lifetimes_in_events(tmp_path: Path) -> None:
    assert imported(SMALL, tmp_path)[0].events.lifetimes is None
    assert imported(SMALL + "-0.5 = time_of_flight\n", tmp_path)[0].events.lifetimes is None
    assert imported(SMALL + "1d-3 = time_of_flight\n", tmp_path)[0].events.lifetimes == 1e-3


@pytest.mark.parametrize(
    ("arguments", "factors", "members", "sets"),
    [
        (None, (0.5, 1.0, 2.0), True, ()),
        ("['--mur=1,2', '--muf=2,1', '--pdf=central']", (1.0, 2.0), False, ()),
        ("['--mur=0.5,1', '--muf=1', '--pdf=errorset']", ((0.5, 1.0),), True, ()),
        (
            "['--mur=1,2', '--muf=0.5', '--dyn=-1']",
            ((1.0, 0.5), (2.0, 0.5)),
            True,
            (),
        ),
        (
            "['--mur=0.5,2', '--muf=0.5,2', '--together=mur', '--together=muf']",
            ((0.5, 1.0), (2.0, 1.0), (1.0, 0.5), (1.0, 2.0)),
            True,
            (),
        ),
        ("['--mur=1', '--muf=1', '--alps=0.5,1,2']", (1.0,), True, ()),
        (
            "['--pdf=303600@0,CT10,CT14lo@3', '--pdf=errorset,263000', '--start_id=1001']",
            (0.5, 1.0, 2.0),
            True,
            ("NNPDF31_nnlo_as_0118", "CT10/*", "CT14lo/3"),
        ),
        ("['--pdf=263000@0']", (0.5, 1.0, 2.0), False, ()),
    ],
)
def test_arguments_of_systematics_are_pairs_of_factors_and_sets(
    tmp_path: Path,
    arguments: str | None,
    factors: tuple[object, ...],
    members: bool,
    sets: tuple[str, ...],
) -> None:
    text = SMALL + (f"{arguments} = systematics_arguments\n" if arguments else "")
    found = imported(text + "lhapdf = pdlabel\n263000 = lhaid\n", tmp_path)[0].systematics
    assert (found.scale_factors, found.pdf_members, found.pdf_sets) == (factors, members, sets)


def test_scales_of_emissions_vary_in_samples_for_merging(tmp_path: Path) -> None:
    text = SMALL + "['--alps=0.5,1,2'] = systematics_arguments\n"
    assert imported(text, tmp_path)[0].systematics.emission_factors is None
    merged, _ = imported(text + "1 = ickkw\n20 = xqcut\n", tmp_path)
    assert merged.systematics.emission_factors == (0.5, 2.0)


def test_a_factor_of_dynamical_scales_counts_beside_systematics(tmp_path: Path) -> None:
    text = SMALL + "0.5 = scalefact\nF = fixed_ren_scale\nF = fixed_fac_scale\nT = use_syst\n"
    card, rest = imported(text, tmp_path)
    assert card.scales.renormalization == card.scales.factorization == "clustering"
    assert (card.scales.renormalization_factor, card.scales.factorization_factor) == (0.5, 0.5)
    assert any("3.1 and before took 1" in line for line in rest.taken)
    assert not any("3.1" in line for line in imported(SMALL, tmp_path)[1].taken)


@pytest.mark.parametrize(
    ("definition", "entries", "cuts"),
    [
        (TOP, "100 = ptj1min", {"jet[1]": {"pt": (100.0, INFINITE)}}),
        (TOP, "100 = ptj1min\n50 = ptj2min", {"jet[1]": {"pt": (100.0, INFINITE)}}),
        ("p p > t t~ j j", "100 = ptj1min", {}),
        ("p p > t t~", "100 = ptj1min", {}),
        ("p p > t t~ j j", "100 = ptj1min\n30 = ptj2min", None),
    ],
)
def test_one_of_the_hardest_jets_has_to_pass_if_the_card_says_so(
    tmp_path: Path, definition: str, entries: str, cuts: dict[str, object] | None
) -> None:
    text = f"{SMALL}{entries}\n1 = cutuse\n0 = ptj\n-1 = etaj\n0 = drjj\n"
    if cuts is None:
        with pytest.raises(CardError, match="cutuse = 1: an event is kept if one of its jets"):
            imported(text, tmp_path, definition=definition)
    else:
        assert cuts_of(imported(text, tmp_path, definition=definition)[0]) == cuts


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (
            "F = fixed_fac_scale\n0 = dynamical_scale_choice",
            "dynamical_scale_choice = 0: the scale is a Fortran function",
        ),
        (
            "F = fixed_fac_scale\n10 = dynamical_scale_choice",
            "dynamical_scale_choice = 10: this scale is not known",
        ),
        (
            "999999 = lhaid",
            "lhaid = 999999: no set of LHAPDF's index, and none that is installed, has this number",
        ),
        ("$DEFAULT_PDF_SETS = lhaid", r"lhaid = \$DEFAULT_PDF_SETS: this is no number of LHAPDF"),
        (
            "iww = pdlabel",
            "pdlabel = iww: this set is not known here; name the set with --pdf",
        ),
        (
            "lhapdf = pdlabel1\nnone = pdlabel2",
            "pdlabel2 = none: this set is not known here; name the set with --pdf",
        ),
        ("2 = lpp1", "lpp1 = 2, pdlabel = lhapdf: here an intact proton radiates photons as"),
        ("-3 = lpp2", "lpp2 = -3, pdlabel = lhapdf: here electrons radiate as"),
        ("-3 = lpp2\nlhapdf = pdlabel1\neva = pdlabel2", "lpp2 = -3, pdlabel2 = eva: here"),
        ("9 = lpp2", "lpp2 = 9, pdlabel = lhapdf: the beam is that of a plug-in"),
        (
            "0.5 = scalefact\nF = fixed_ren_scale\n1 = ickkw\n20 = xqcut",
            "scalefact = 0.5: with ickkw = 1 MadEvent has it twice",
        ),
        (
            "80.0 = polbeam1",
            "polbeam1 = 80.0: protons, and photons of protons, are not polarised; set polbeam1",
        ),
        ("1, z = me_frame", "me_frame = .*: it is no list of legs; leave it out"),
        ("0 = nb_proton1", "nb_proton1 = 0, .*: an ion has lpp = 1 and one proton or more"),
        ("-1 = lpp1\n82 = nb_proton1", "nb_proton1 = 82, .*: an ion has lpp = 1 and one proton"),
        ("195.08 = mass_ion1", "mass_ion1 = 195.08: the beam is no ion; set mass_ion1 = -1"),
        ("2 = ickkw", "ickkw = 2: samples are those for CKKW matching in MadEvent; set 0, or 1"),
        ("my/mass_bias = bias_module", "bias_module = .*: events are biased by a function in Fort"),
        ("ptj_bias = bias_module\n{'ptj_bias_target_ptj': 0} = bias_parameters", "a p_T > 0"),
        ("['cuts.f'] = custom_fcts", r"custom_fcts = \['cuts.f'\]: functions in Fortran"),
        (
            "1e-2 = small_width_treatment",
            "small_width_treatment = 1e-2: narrow particles get a larger width",
        ),
        ("['--dyn=-1,3'] = systematics_arguments", "weights of other dynamical scales"),
        ("['--mur=a'] = systematics_arguments", "its factors are no numbers > 0"),
        ("['--muf=0,1'] = systematics_arguments", "its factors are no numbers > 0"),
        ("['--only_beam=1'] = systematics_arguments", "other densities for one beam alone"),
        ("['--from_card'] = systematics_arguments", "--from_card is not known here"),
        ("['--pdf=999999'] = systematics_arguments", "999999 is no set of LHAPDF's index"),
        (
            "['--together=mur,pdf'] = systematics_arguments",
            "--pdf and others at once",
        ),
        ("['--alps=1,2','--together=mur,alps'] = systematics_arguments", "--alps and others at"),
        (
            "syscalc = systematics_program",
            "systematics_program = syscalc: weights of another program",
        ),
        (
            "0.01 = req_acc_fo\n1 = my_own",
            "req_acc_fo = 0.01: only run cards for next-to-leading order have it",
        ),
        (
            "3 = my_own_cut",
            "my_own_cut = 3: it is not known, what it changes neither; leave it out",
        ),
        ("4.0 = deltaeta", None),
        (
            "30.0 = ptj2min",
            "ptj2min = 30.0: it asks for 2 of class jet in every event, the process has 1 for sure",
        ),
        (
            "100.0 = mmnl",
            "mmnl = 100.0: it asks for two leptons or neutrinos in every event, the process has 0",
        ),
        ("10.0 = ptgmin", None),
    ],
)
def test_what_changes_the_results_and_has_no_counterpart_is_refused_with_key_meaning_and_way_out(
    tmp_path: Path, entries: str, sentence: str | None
) -> None:
    text = SMALL + entries + "\n"
    if sentence is None:  # it is about particles that the process does not have
        assert imported(text, tmp_path)[0].digest() == imported(SMALL, tmp_path)[0].digest()
        return
    with pytest.raises(CardError, match=f"run_card.dat: .*{sentence}"):
        imported(text, tmp_path)
    _, rest = imported(text, tmp_path, force=True)
    assert len(rest.untranslated) == 1


@pytest.mark.parametrize(
    "entries",
    [
        "1 = nhel\n2 = sde_strategy\nT = gridpack\ntag = run_tag\n"
        "3.0 = lhe_version\n5 = asrwgtflavor\nF = clusinfo",
        "$DEFAULT_PDF_MEMBERS = reweight_PDF",
        "0.5 1 2 = sys_scalefact\nNNPDF30_lo_as_0130.LHgrid = sys_pdf\nauto = sys_matchscale",
        "0.4 = R0gamma\n1.0 = xn\nT = isoEM\n['-O3'] = global_flag\n{'a': 1} = bias_parameters",
        "# 7 = lpp1\n! 7 = lpp2\nprose that goes on (see the manual)\n"
        "\tand on for ptj\n-1 is left-handed",
        "0 = ickkw\n0 = xqcut\n-1.0 = ktdurham\n0 = ptlund\nNone = bias_module\n"
        "'sum' = event_norm\n[] = custom_fcts",
    ],
)
def test_what_is_neutral_is_silent(tmp_path: Path, entries: str) -> None:
    expected, _ = imported(SMALL, tmp_path)
    card, rest = imported(f"{SMALL}{entries}\n", tmp_path)
    assert card.updated({"channels": {"prior": "diagram"}}).digest() == expected.digest()
    assert rest.untranslated == []
