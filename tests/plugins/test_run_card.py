"""MadGraph's run cards become ours, or are refused with a reason; nothing of them is lost in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import call

from madnis_py.card.card import Card, load
from madnis_py.errors import CardError
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.dat_entries import (
    DEFAULTS,
    NEUTRAL,
    NEXT_TO_LEADING,
    REFUSED,
    TRANSLATED,
)
from madnis_py.plugins.madgraph_cards.dat_reader import read_run_card
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.run_card_import import import_run_card

INFINITE = float("inf")

TOP = "p p > t t~ j"

DAT = """
#*********************************************************************
#                       MadGraph5_aMC@NLO                            *
#*********************************************************************
  tag_1     = run_tag ! name of the run
  20000 = nevents ! Number of unweighted events requested
  17   = iseed   ! rnd seed (0=assigned automatically=default))
     1        = lpp1    ! beam 1 type
     1        = lpp2    ! beam 2 type
     6.8d3     = ebeam1  ! beam 1 total energy in GeV
     6800.0     = ebeam2  ! beam 2 total energy in GeV
     0.0     = polbeam1 ! beam polarization for beam 1 (-100 is
  left-handed, 100 right-handed)
     lhapdf    = pdlabel     ! PDF set
     331900    = lhaid     ! if pdlabel=lhapdf, this is the lhapdf number
 .false. = fixed_ren_scale  ! if .true. use fixed ren scale
 True = fixed_fac_scale  ! if .true. use fixed fac scale
 91.188  = scale            ! fixed ren scale
 173.0  = dsqrt_q2fact1    ! fixed fact scale for pdf1
 173.0  = dsqrt_q2fact2    ! fixed fact scale for pdf2
 3 = dynamical_scale_choice ! Choose one of the preselected dynamical choices
 0.5  = scalefact        ! scale factor for event-by-event scales
  average =  event_norm       ! average/sum. Normalization of the weight in the LHEF
   2  = sde_strategy ! default integration strategy
  15.0  = bwcutoff      ! (M+/-bwcutoff*Gamma)
 20.0  = ptj       ! minimum pt for the jets
 -1.0  = ptjmax    ! maximum pt for the jets
 0.0  = ptb
 10.0 = ptl
 5.0  = etaj    ! max rap for the jets
 -1.0 = etal
 0.4 = drjj    ! min distance between jets
 50.0 = mmll
 30.0 = xptj
 40.0 = ptj1min
 100.0 = htjmin
 400.0 = dsqrt_shat
 4 = maxjetflavor    ! Maximum jet pdg code
 False = use_syst      ! Enable systematics studies
"""

TOML = """
[run]
seed = 17
[generation]
events = 20000
[beam]
e_cm = 13600.0
leptonic = false
pdf = "NNPDF40_lo_as_01180"
fixed_ren_scale = false
fixed_fact_scale = true
ren_scale = 91.188
fact_scale1 = 173.0
fact_scale2 = 173.0
dynamical_scale_choice = "half_transverse_mass"
[phasespace]
bw_cutoff = 15.0
sde_strategy = "denominators"
t_channel = "propagator"
[systematics]
enable = false
[multiparticles]
jet = [1, 2, 3, 4, -1, -2, -3, -4, 21]
[cuts]
jet-pt.min = 20.0
jet_1-pt.min = 40.0
jet-eta_abs.max = 5.0
jet-delta_r.min = 0.4
lepton-pt.min = 10.0
lepton-sfos_pair_mass.min = 50.0
jet-pt-sum.min = 100.0
sqrt_s.min = 400.0
"""

JETS = "jet = [1, 2, 3, 4, -1, -2, -3, -4, 21]"

SMALL = """\
  T = fixed_ren_scale
  T = fixed_fac_scale
  lhapdf = pdlabel
  331900 = lhaid
"""
"""Everything else has MadGraph's defaults."""


def imported(
    text: str, folder: Path, name: str = "run_card.dat", definition: str = TOP, force: bool = False
):
    (folder / name).write_text(text)
    return import_run_card(folder / name, definition, force=force)


def cuts_of(card: Card) -> dict[str, dict[str, tuple[float, float]]]:
    return {name: table.ranges() for name, table in card.cuts.items()}


def test_every_entry_of_a_run_card_is_translated(tmp_path):
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


def test_both_formats_of_the_same_run_card_mean_the_same(tmp_path):
    dat, _ = imported(DAT.replace("0.5  = scalefact", "1.0  = scalefact"), tmp_path)
    toml, rest = imported(TOML, tmp_path, "run_card.toml")
    assert toml.digest() == dat.digest()
    assert rest.options == {"--events": 20000, "--seed": 17}


def test_an_imported_card_makes_a_process_with_its_cuts(tmp_path):
    card, _ = imported(DAT, tmp_path)
    assert any(cut.observable == "pt" for cut in Process.from_card(card).cuts)


def test_every_known_entry_is_in_one_table():
    tables = (set(TRANSLATED), set(REFUSED), NEUTRAL, NEXT_TO_LEADING)
    assert len(set().union(*tables)) == sum(map(len, tables))


def test_an_entry_that_is_not_there_has_the_default_of_madgraph(tmp_path):
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


def test_two_particles_without_densities_have_no_pdf_and_no_scales_where_there_is_no_strong_coupling(
    tmp_path,
):
    text = "0 = lpp1\n0 = lpp2\n-1 = dynamical_scale_choice\n"
    card, _ = imported(text, tmp_path, definition="e+ e- > mu+ mu-")
    assert card.beams.pdf == "none"


def test_without_densities_alpha_s_is_that_of_the_param_card_at_the_mass_of_the_z_only(tmp_path):
    text = "0 = lpp1\n0 = lpp2\nT = fixed_ren_scale\n"
    card, _ = imported(text, tmp_path, definition="u u~ > t t~")
    assert card.scales.renormalization == 91.188
    with pytest.raises(
        CardError,
        match="scale = 500: alpha_s runs from M_Z to this scale, here it is the parameter aS",
    ):
        imported(text + "500 = scale\n", tmp_path, definition="u u~ > t t~")
    with pytest.raises(CardError, match="fixed_ren_scale = F: alpha_s runs"):
        imported(text.replace("T =", "F ="), tmp_path, definition="u u~ > t t~")


def test_a_parameter_card_is_named_in_the_card(tmp_path):
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
        ("cteq6l1", "0", "cteq6l1"),
    ],
)
def test_sets_are_found_by_their_numbers_and_labels(tmp_path, label, number, name):
    assert imported(f"{SMALL}{label} = pdlabel\n{number} = lhaid\n", tmp_path)[0].beams.pdf == name


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (
            "F = fixed_ren_scale",
            r"dynamical_scale_choice = -1 \(MadGraph's default; .*: the scale is that of MadGraph's",
        ),
        (
            "F = fixed_fac_scale\n0 = dynamical_scale_choice",
            "dynamical_scale_choice = 0: the scale is a Fortran function",
        ),
        (
            "F = fixed_fac_scale\n10 = dynamical_scale_choice",
            "dynamical_scale_choice = 10: this scale is not known",
        ),
        (
            "100.0 = dsqrt_q2fact2",
            "each beam has its own factorisation scale; set the same one for both",
        ),
        (
            "F = fixed_fac_scale1\nT = fixed_fac_scale2\n3 = dynamical_scale_choice",
            "each beam has its own factorisation scale",
        ),
        (
            "999999 = lhaid",
            r"lhaid = 999999: the name of this set is not known.*; install it \(lhapdf get 999999\)",
        ),
        ("$DEFAULT_PDF_SETS = lhaid", r"lhaid = \$DEFAULT_PDF_SETS: this is no number of LHAPDF"),
        (
            "iww = pdlabel",
            "pdlabel = iww: this set is not known here; set pdlabel = lhapdf and lhaid",
        ),
        (
            "lhapdf = pdlabel1\nnone = pdlabel2",
            "pdlabel1 = lhapdf, pdlabel2 = none: each beam has its own densities",
        ),
        (
            "0 = lpp1",
            r"lpp1 = 0, lpp2 = 1 \(MadGraph's default; .*\): beams other than two protons",
        ),
        ("-1 = lpp2", "lpp2 = -1: beams other than two protons"),
        ("80.0 = polbeam1", "polbeam1 = 80.0: the beam is polarised; set polbeam1 = 0.0"),
        ("82 = nb_proton1", "nb_proton1 = 82: the beam is an ion"),
        ("195.08 = mass_ion1", "mass_ion1 = 195.08: the beam is an ion"),
        ("1 = ickkw", r"ickkw = 1: jets are matched to a shower \(MLM\); set ickkw = 0"),
        ("30 = xqcut", "xqcut = 30: partons are apart by a kt measure"),
        ("15.0 = ktdurham", "ktdurham = 15.0: partons are apart by Durham's measure"),
        ("ptj_bias = bias_module", "bias_module = ptj_bias: events are biased"),
        ("['cuts.f'] = custom_fcts", r"custom_fcts = \['cuts.f'\]: functions in Fortran"),
        ("sum = event_norm", "event_norm = sum: weights of events are normalised in another way"),
        ("0 = time_of_flight", "time_of_flight = 0: lifetimes are written"),
        (
            "1e-2 = small_width_treatment",
            "small_width_treatment = 1e-2: narrow particles get a larger width",
        ),
        (
            "['--mur=1,2','--muf=0.5,1,2'] = systematics_arguments",
            "systematics_arguments = .*: weights other than",
        ),
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
            "20.0 = ej",
            "ej = 20.0: energies are cut on in the frame of the partons, here in the laboratory",
        ),
        (
            "30.0 = ptj2min",
            "ptj2min = 30.0: it asks for 2 of class jet in every event, the process has 1 for sure",
        ),
        (
            "100.0 = ptheavy",
            "ptheavy = 100.0: one of several heavy particles has so much transverse momentum",
        ),
        (
            "100.0 = mmnl",
            "mmnl = 100.0: it asks for two leptons or neutrinos in every event, the process has 0",
        ),
        (
            "{6: 100} = e_min_pdg",
            "e_min_pdg = {6: 100}: energies are cut on in the frame of the partons",
        ),
        ("10.0 = ptgmin", None),
    ],
)
def test_what_changes_the_results_and_has_no_counterpart_is_refused_with_key_meaning_and_way_out(
    tmp_path, entries, sentence
):
    text = SMALL + entries + "\n"
    if sentence is None:  # it is about particles that the process does not have
        assert imported(text, tmp_path)[0].digest() == imported(SMALL, tmp_path)[0].digest()
        return
    with pytest.raises(CardError, match=f"run_card.dat: .*{sentence}"):
        imported(text, tmp_path)
    _, rest = imported(text, tmp_path, force=True)
    assert len(rest.untranslated) == 1


def test_the_command_writes_nothing_but_with_force(tmp_path, capsys, monkeypatch):
    (tmp_path / "run_card.dat").write_text(SMALL + "1 = ickkw\nF = fixed_ren_scale\n")
    order = [
        "import-card",
        tmp_path / "run_card.dat",
        "--definition",
        "g g > t t~",
        "-o",
        tmp_path / "card.toml",
    ]
    refused = call(order, capsys, monkeypatch)
    assert refused.status == 2
    assert re.fullmatch(
        "madnis-py: run_card.dat: dynamical_scale_choice = -1 .*; set 1 .*takes 3. "
        r"ickkw = 1: jets are matched to a shower \(MLM\); set ickkw = 0. --force writes a card with all the rest\n",
        refused.err,
    )
    assert not (tmp_path / "card.toml").exists()
    forced = call([*order, "--force"], capsys, monkeypatch)
    assert forced.status == 0
    assert (
        forced.out.count("not translated: ")
        == (tmp_path / "card.toml").read_text().count("# not translated: ")
        == 2
    )


def test_a_forced_card_names_in_comments_what_it_lacks_where_it_would_stand(tmp_path):
    card, rest = imported(
        SMALL + "F = fixed_ren_scale\n1 = ickkw\n30 = ptj2min\n", tmp_path, force=True
    )
    text = rest.to_toml(card)
    lines = text.splitlines()
    assert lines[0].startswith("# not translated: ickkw = 1: jets are matched")
    assert lines[lines.index("[scales]") - 1].startswith(
        "# not translated: dynamical_scale_choice = -1"
    )
    assert lines[lines.index("[cuts.jet]") - 1].startswith("# not translated: ptj2min = 30")
    (tmp_path / "forced.toml").write_text(text)
    assert Process.from_card(tmp_path / "forced.toml").card.scales.renormalization == "sum_mt/2"


@pytest.mark.parametrize(
    "entries",
    [
        "1 = nhel\n2 = sde_strategy\nT = gridpack\ntag = run_tag\n3.0 = lhe_version\n5 = asrwgtflavor\nF = clusinfo",
        "$DEFAULT_PDF_MEMBERS = reweight_PDF",
        "0.5 1 2 = sys_scalefact\nNNPDF30_lo_as_0130.LHgrid = sys_pdf\nauto = sys_matchscale",
        "0.4 = R0gamma\n1.0 = xn\nT = isoEM\n['-O3'] = global_flag\n{'a': 1} = bias_parameters",
        "# 7 = lpp1\n! 7 = lpp2\nprose that goes on (see the manual)\n\tand on for ptj\n-1 is left-handed",
        "0 = ickkw\n0 = xqcut\n-1.0 = ktdurham\nNone = bias_module\n'average' = event_norm\n[] = custom_fcts",
    ],
)
def test_what_is_neutral_is_silent(tmp_path, entries):
    expected, _ = imported(SMALL, tmp_path)
    card, rest = imported(f"{SMALL}{entries}\n", tmp_path)
    assert card.updated({"channels": {"prior": "diagram"}}).digest() == expected.digest()
    assert rest.untranslated == []


@pytest.mark.parametrize(
    ("definition", "entries", "expected"),
    [
        (
            "p p > b b~",
            "2.5 = etab\n5 = ptb",
            {"bottom": {"pt": (5.0, INFINITE), "rapidity": (-INFINITE, 2.5)}},
        ),
        ("p p > ta+ ta-", "0 = drll\n0 = ptl", {"lepton": {"rapidity": (-INFINITE, 2.5)}}),
        (
            "p p > h, h > b b~",
            "5 = ptb\n2.5 = etab\n30 = xptb",
            {"bottom[1]": {"pt": (30.0, INFINITE)}},
        ),
        (
            "p p > h, h > b b~",
            "5 = ptb\nT = cut_decays",
            {"bottom": {"pt": (5.0, INFINITE)}},
        ),
        (
            "p p > t t~",
            "{6: 50} = pt_min_pdg",
            {"t": {"pt": (50.0, INFINITE)}, "t~": {"pt": (50.0, INFINITE)}},
        ),
        (
            "p p > t t~",
            "{6: 500} = mxx_min_pdg\n{'default': True} = mxx_only_part_antipart",
            {"t,t~": {"mass": (500.0, INFINITE)}},
        ),
        ("p p > z h", "{25: 2.0, 99: 1} = eta_max_pdg", {"h": {"rapidity": (-INFINITE, 2.0)}}),
        (
            "p p > e+ ve",
            "10 = ptl\n-1 = etal\n50 = mmnl\n20 = ptllmin\n15 = misset",
            {
                "lepton": {"pt": (10.0, INFINITE)},
                "lepton,missing": {"pt_sum": (20.0, INFINITE)},
                "event": {"missing_pt": (15.0, INFINITE), "sqrt_s": (50.0, INFINITE)},
            },
        ),
        (
            "p p > e+ e-",
            "0 = drll\n-1 = etal\n30 = ptllmin\n0 = ptl\n60 = mmll\n120 = mmllmax",
            {"lepton": {"sfos_mass": (60.0, 120.0)}, "e+,e-": {"pt_sum": (30.0, INFINITE)}},
        ),
        ("p p > z j", "50 = ptheavy\n0 = ptj\n-1 = etaj", {"z": {"pt": (50.0, INFINITE)}}),
        (
            "p p > j j",
            "0 = drjj\n-1 = etaj\n0 = ptj\n100 = ht2min\n80 = ihtmin\n500 = mmjj",
            {"event": {"ht": (100.0, INFINITE)}, "jet,jet": {"mass": (500.0, INFINITE)}},
        ),
    ],
)
def test_cuts_mean_what_madevent_means(tmp_path, definition, entries, expected):
    assert {
        names: ranges
        for names, ranges in cuts_of(
            imported(f"{SMALL}{entries}\n", tmp_path, definition=definition)[0]
        ).items()
        if names != "b,b~"
    } == expected


def test_flavours_that_are_jets_in_madgraph_only_are_cut_on_by_name(tmp_path):
    text = SMALL + "5 = maxjetflavor\n0 = drjj\n-1 = etaj\n"
    card, _ = imported(text, tmp_path, definition="g g > b b~")
    assert cuts_of(card) == {"b": {"pt": (20.0, INFINITE)}, "b~": {"pt": (20.0, INFINITE)}}
    with pytest.raises(
        CardError, match="xptj = 30: it is about particles that no names of a card mean alone"
    ):
        imported(text + "30 = xptj\n", tmp_path, definition="g g > b b~ g")


def test_cuts_spare_decay_products_or_are_refused_where_names_cannot_tell_them_apart(tmp_path):
    text = SMALL + "10 = ptl\n-1 = etal\n0 = drll\n0 = drjl\n"
    spared = cuts_of(imported(text, tmp_path, definition="p p > w+ z, w+ > e+ ve, z > mu+ mu-")[0])
    assert not any("pt" in ranges for ranges in spared.values())
    mixed = cuts_of(imported(text, tmp_path, definition="p p > w+ mu+ mu-, w+ > e+ ve")[0])
    assert {names for names, ranges in mixed.items() if "pt" in ranges} == {"mu-", "mu+"}
    with pytest.raises(
        CardError,
        match=r"ptl = 10: .* decay products are not cut on \(cut_decays = F\); set cut_decays",
    ):
        imported(text, tmp_path, definition="p p > w+ e+ e-, w+ > e+ ve")


def test_decaying_particles_of_a_chain_are_within_bwcutoff_widths_of_their_mass(tmp_path):
    text = SMALL + "10 = bwcutoff\n"
    card, _ = imported(text, tmp_path, definition="p p > t t~, (t > b w+, w+ > e+ ve), t~ > b~ w-")
    model = Process.from_card(card).model
    windows = {names: ranges["mass"] for names, ranges in cuts_of(card).items()}
    assert {
        names: pytest.approx(
            (model.mass(pdg) - 10 * model.width(pdg), model.mass(pdg) + 10 * model.width(pdg))
        )
        for names, pdg in (("b,e+,ve", 6), ("e+,ve", 24), ("b~,w-", 6))
    } == windows
    assert card.events.resonance_widths == 10.0


def test_a_window_that_names_cannot_tell_is_refused(tmp_path):
    with pytest.raises(
        CardError,
        match=r"bwcutoff = 15\.0 .*: z is within so many widths of its mass, and no names",
    ):
        imported(SMALL, tmp_path, definition="p p > z z, z > e+ e-")
    card, _ = imported(SMALL, tmp_path, definition="p p > z z, z > e+ e-, z > mu+ mu-")
    assert {"e+,e-", "mu+,mu-"} == {
        names.replace("e-,e+", "e+,e-").replace("mu-,mu+", "mu+,mu-") for names in card.cuts
    }


def test_an_imported_decay_chain_has_the_cross_section_of_madgraph(tmp_path):
    """0.1520 pb at 600 GeV with bwcutoff = 15; without windows 0.1633 pb."""
    (tmp_path / "run_card.dat").write_text(
        "0 = lpp1\n0 = lpp2\n300 = ebeam1\n300 = ebeam2\nT = fixed_ren_scale\n5 = maxjetflavor\n"
    )
    (tmp_path / "param_card.dat").write_text("BLOCK MASS\n 5 0.0\nBLOCK YUKAWA\n 5 0.0\n")
    definition = "u u~ > t t~, (t > b w+, w+ > e+ ve), (t~ > b~ w-, w- > mu- vm~)"
    card, _ = import_run_card(tmp_path / "run_card.dat", definition, tmp_path / "param_card.dat")
    _, result = train_vegas(
        CrossSection(Process.from_card(card)), VegasSettings(points=20_000), seed=1
    )
    assert result.error / result.value < 5e-3
    assert abs(result.value - 0.1520) < 3 * result.error


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("20.0  = ptj ", "hard = ptj ", "run_card.dat: ptj: expected a number; got hard"),
        ("20.0  = ptj ", "nan = ptj ", "run_card.dat: ptj: expected a number; got nan"),
        ("20.0  = ptj ", "inf = ptj ", "run_card.dat: ptj: expected a number; got inf"),
        (
            "20.0  = ptj ",
            f"{'9' * 400} = ptj ",
            r"run_card.dat: ptj: expected a number; got 99.*\.\.\.",
        ),
        ("20.0  = ptj ", f"1e{'9' * 400} = ptj ", "run_card.dat: ptj: expected a number; got 1e9"),
        (
            "20.0  = ptj ",
            "[[20.0]] = ptj ",
            r"run_card.dat: ptj: expected a number; got \[\[20.0\]\]",
        ),
        ("20.0  = ptj ", "2_0 = ptj ", "run_card.dat: ptj: expected a number; got 2_0"),
        (
            ".false. = fixed_ren_scale",
            "maybe = fixed_ren_scale",
            "fixed_ren_scale: expected true or false; got maybe",
        ),
        ("20.0  = ptj ", "20.0 ptj ", "line .*: expected value = name; got"),
        ("20.0  = ptj ", " = ptj ", "line .*: expected value = name; got '= ptj'"),
        ("20.0  = ptj ", "20.0 = ", "line .*: expected value = name; got '20.0 ='"),
        ("20.0  = ptj ", "20.0 = pt j ", "line .*: expected value = name; got '20.0 = pt j'"),
        (
            "20.0  = ptj ",
            "{6: nan} = pt_min_pdg",
            "pt_min_pdg: expected a table {PDG code: number}; got {6: nan}",
        ),
        ("20.0  = ptj ", "{'a': 1} = pt_min_pdg", "pt_min_pdg: expected a table"),
        ("20.0  = ptj ", f"{'[' * 3000}{']' * 3000} = pt_min_pdg", "pt_min_pdg: expected a table"),
        (
            "20.0  = ptj ",
            "[[1]] = systematics_arguments\nT = use_syst",
            "systematics_arguments: expected a list",
        ),
        ("17   = iseed", "1.5 = iseed", "iseed: expected a whole number; got 1.5"),
        (
            "4 = maxjetflavor",
            "0 = maxjetflavor",
            "maxjetflavor: expected a whole number from 1 to 6; got 0",
        ),
        (
            "20000 = nevents",
            "-5 = nevents",
            "nevents: expected a whole number from 0 to .*; got -5",
        ),
        ("20000 = nevents", "many = nevents", "nevents: expected a number; got many"),
        (
            "6.8d3     = ebeam1",
            "-6.8d3 = ebeam1",
            r"beams.energy\[0\]: expected GeV > 0; got -6800.0",
        ),
        (
            "91.188  = scale  ",
            "-1 = scale\nT = fixed_ren_scale",
            "scales.renormalization: expected GeV > 0 or one of",
        ),
    ],
)
def test_a_value_that_is_none_is_named_in_a_sentence(tmp_path, old, new, sentence):
    assert old in DAT
    text = (
        DAT.replace(old, new).replace("False = use_syst ", "False = use_syst2 ")
        if "use_syst" in new
        else DAT.replace(old, new)
    )
    if "fixed_ren_scale" in new:
        text = text.replace(".false. = fixed_ren_scale", "")
    with pytest.raises(CardError, match=sentence):
        imported(text.replace("use_syst2", "dummy"), tmp_path)


@pytest.mark.parametrize(
    "encode", [str.encode, lambda text: text.encode("utf-16"), lambda text: text[:40].encode()]
)
def test_files_that_are_no_run_card_are_refused(tmp_path, encode):
    (tmp_path / "run_card.dat").write_bytes(
        encode("# nothing at all in here, whatever it is\n" * 3)
    )
    with pytest.raises(CardError, match="expected lines value = name of a run card; got none"):
        import_run_card(tmp_path / "run_card.dat", TOP)


def test_encodings_line_ends_case_tabs_and_repetitions_do_not_matter(tmp_path):
    expected, _ = imported(DAT, tmp_path)
    variants = [
        DAT.replace("\n", "\r\n").encode(),
        DAT.replace("rnd seed", "graine al\xe9atoire").encode("latin-1"),
        ("\ufeff" + DAT).encode(),
        DAT.upper().replace("MIN", "min").encode(),
        DAT.replace(" = ", "\t=\t").encode(),
        DAT.replace("20.0  = ptj ", "35.0 = ptj\n 20.0  = ptj ").encode(),
        DAT.replace("! minimum pt for the jets", "# minimum pt = 5 for the jets").encode(),
    ]
    for content in variants:
        (tmp_path / "variant.dat").write_bytes(content)
        assert import_run_card(tmp_path / "variant.dat", TOP)[0].digest() == expected.digest()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("= 3", "= = 3", None),
        (
            'pdf = "NNPDF40_lo_as_01180"',
            'pdf1 = "A"\npdf2 = "B"',
            "beam.pdf1 = A, beam.pdf2 = B: each beam has its own",
        ),
        ("fact_scale2 = 173.0", "fact_scale2 = 100.0", "each beam has its own factorisation scale"),
        (
            '"half_transverse_mass"',
            '"clustering"',
            "beam.dynamical_scale_choice: expected one of .*; got clustering",
        ),
        ("jet-pt.min = 20.0", "jet-pt.min = nan", "cuts.jet-pt.min: expected a number; got nan"),
        ("jet-pt.min = 20.0", "jet-pt.min = [[1]]", "cuts.jet-pt.min: expected a number"),
        (
            "jet-pt.min = 20.0",
            "jet-sum-pt.min = 20.0",
            "cuts.jet-sum-pt.min = 20.0: no cut of ours does this",
        ),
        (
            "jet-pt.min = 20.0",
            'jet-pt.mode = "any"',
            "cuts.jet-pt.mode = any: no cut of ours does this",
        ),
        (
            "jet-pt.min = 20.0",
            "boson-pt.min = 20.0",
            "cuts.boson-pt.min: expected one of the groups jet, bottom",
        ),
        (
            "jet-pt.min = 20.0",
            "jet-e.min = 20.0",
            "cuts.jet-e.min = 20.0: the frame of the energy is not told",
        ),
        (
            "jet_1-pt.min = 40.0",
            "jet_2-pt.min = 40.0",
            "it asks for 2 particles, the process has 1 for sure",
        ),
        (JETS, "jet = [1, 2, 21]", "it is about particles that no names of a card mean alone"),
        (JETS, 'jet = "all"', "multiparticles.jet: expected a list of PDG codes; got all"),
        ("leptonic = false", "leptonic = 1", "beam.leptonic: expected true or false; got 1"),
        (
            "leptonic = false",
            "leptonic = false\npolarisation = 1",
            "beam.polarisation = 1: it is not known",
        ),
        (
            "enable = false",
            "enable = true\nmur = [1, 2]",
            "systematics: weights other than those of all pairs",
        ),
        (
            "seed = 17",
            "seed = 17\ndummy_matrix_element = true",
            r"dummy_matrix_element = true: there is no \|M\|\^2",
        ),
        (
            "seed = 17",
            f"seed = {'[' * 3000}{']' * 3000}",
            "expected at most 20 tables and lists in each other; got more",
        ),
        (
            "seed = 17",
            "seed." + ".".join("a" * 300) + " = 17",
            "expected at most 20 tables and lists in each other",
        ),
        ("seed = 17", f"seed = {'9' * 5000}", "expected TOML; Exceeds the limit"),
        ("seed = 17", f"seed = {'9' * 400}", "run.seed: expected a number; got 999"),
        ("seed = 17", "seed = 1.5", "run.seed: expected a whole number; got 1.5"),
        ("seed = 17", "seed = = 17", "expected TOML; "),
    ],
)
def test_what_a_card_of_madgraph_7_says_is_translated_or_refused(tmp_path, old, new, sentence):
    if sentence is None:
        assert imported(TOML, tmp_path, "run_card.toml")[1].untranslated == []
        return
    assert old in TOML
    with pytest.raises(CardError, match=f"run_card.toml: .*{sentence}"):
        imported(TOML.replace(old, new), tmp_path, "run_card.toml")


def test_what_a_card_says_stays_inside_the_comment_that_names_it(tmp_path):
    text = '[beam]\npdf1 = "A\\n[process]\\u0000"\npdf2 = "B"\n'
    card, rest = imported(text, tmp_path, "run_card.toml", force=True)
    (tmp_path / "card.toml").write_text(rest.to_toml(card))
    assert load(tmp_path / "card.toml").process.definition == TOP


def test_a_card_of_madgraph_7_has_its_own_defaults(tmp_path):
    card, _ = imported("[run]\n", tmp_path, "run_card.toml")
    assert (card.beams.energy, card.beams.pdf) == ((6500.0, 6500.0), "NNPDF40_lo_as_01180")
    assert (card.scales.renormalization, card.scales.factorization) == ("sum_mt/2", "sum_mt/2")
    assert card.cuts == {}


def test_other_files_are_refused(tmp_path):
    with pytest.raises(CardError, match="expected a readable run card; got: No such file"):
        import_run_card(tmp_path / "none.dat", TOP)


def test_values_are_read_as_fortran_writes_them():
    found = read_run_card(
        " 1d3 = ptj ! x\n T = use_syst\n 'lhapdf' = pdlabel\n -1 = IckkW".splitlines(), "card"
    )
    assert (
        found.number("ptj"),
        found.flag("use_syst"),
        found.text("pdlabel"),
        found.whole("ickkw"),
    ) == (
        1000.0,
        True,
        "lhapdf",
        -1,
    )


def test_of_two_cuts_on_one_observable_the_stricter_one_stays():
    card = ImportedCard()
    for value in (30.0, 40.0, 35.0):
        card.cut("jet[1]", "pt_min", value)
        card.cut("jet", "eta_max", value)
    assert card.tables["cuts"] == {"jet[1]": {"pt_min": 40.0}, "jet": {"eta_max": 30.0}}
