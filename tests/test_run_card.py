"""MadGraph's run cards become ours, and nothing of them is lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from madnis_py.errors import CardError
from madnis_py.physics.process import Process
from madnis_py.plugins.run_card import Imported, import_run_card, read_run_card

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
     0.0     = polbeam1 ! beam polarization for beam 1
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
jet = [1, 2, 3, 4, 21]
[cuts]
jet-pt.min = 20.0
jet_1-pt.min = 40.0
jet-eta_abs.max = 5.0
jet-delta_r.min = 0.4
lepton-pt.min = 10.0
lepton-sfos_pair_mass.min = 50.0
jet-pt-sum.min = 100.0
sqrt_s.min = 400.0
jet-sum-pt.min = 3.0
"""


def imported(text: str, folder: Path, name: str = "run_card.dat", definition: str = TOP):
    (folder / name).write_text(text)
    return import_run_card(folder / name, definition)


def test_every_entry_of_a_run_card_is_translated_or_named(tmp_path):
    card, rest = imported(DAT, tmp_path)
    assert card.process.definition == TOP
    assert card.beams.energy == (6800.0, 6800.0)
    assert card.beams.pdf == "NNPDF40_lo_as_01180"
    assert card.scales.factorization == 173.0
    assert (card.scales.renormalization, card.scales.renormalization_factor) == ("sum_mt/2", 0.5)
    assert card.scales.factorization_factor == 1.0
    assert card.channels.prior == "propagator"
    assert card.systematics.scale_factors == ()
    assert {name: table.ranges() for name, table in card.cuts.items()} == {
        "jet": {"pt": (20.0, INFINITE), "eta": (-INFINITE, 5.0), "ht": (100.0, INFINITE)},
        "jet[1]": {"pt": (40.0, INFINITE)},
        "jet,jet": {"dr": (0.4, INFINITE)},
        "lepton": {"pt": (10.0, INFINITE), "sfos_mass": (50.0, INFINITE)},
        "event": {"sqrt_s": (400.0, INFINITE)},
    }
    assert rest.options == {"--events": 20000, "--seed": 17}
    assert rest.left_out == {"run_tag": "tag_1", "polbeam1": "0.0", "event_norm": "average", "maxjetflavor": "4"}


INFINITE = float("inf")


def test_both_formats_of_the_same_run_card_mean_the_same(tmp_path):
    dat, _ = imported(DAT.replace("0.5  = scalefact", "1.0  = scalefact"), tmp_path)
    toml, rest = imported(TOML, tmp_path, "run_card.toml")
    assert toml.digest() == dat.digest()
    assert rest.options == {"--events": 20000, "--seed": 17}
    assert set(rest.left_out) == {"phasespace.t_channel", "multiparticles.jet", "cuts.jet-sum-pt.min"}


def test_an_imported_card_makes_a_process_with_its_cuts(tmp_path):
    card, _ = imported(DAT.replace("331900", "999999"), tmp_path)
    assert any(cut.observable == "pt" for cut in Process.from_card(card).cuts)


def test_an_unknown_pdf_number_is_named(tmp_path):
    card, rest = imported(DAT.replace("331900", "999999"), tmp_path)
    assert card.beams.pdf == "toy"
    assert "999999: the name of this set is not known" in rest.left_out["lhaid"]


def test_partons_as_beams_have_no_pdf(tmp_path):
    text = DAT.replace("1        = lpp1", "0 = lpp1").replace("1        = lpp2", "0 = lpp2")
    assert imported(text, tmp_path, definition="e+ e- > mu+ mu-")[0].beams.pdf == "none"


def test_a_parameter_card_is_named_in_the_card(tmp_path):
    (tmp_path / "run_card.dat").write_text(DAT)
    (tmp_path / "param_card.dat").write_text("BLOCK MASS\n 6 1.70e+02 # MT\nDECAY 6 1.4\n")
    card, _ = import_run_card(tmp_path / "run_card.dat", "g g > t t~", tmp_path / "param_card.dat")
    assert Process.from_card(card).model.mass(6) == 170.0


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("3 = dynamical_scale_choice", "-1 = dynamical_scale_choice", "dynamical_scale_choice: expected 1, 2, 3 or 4"),
        ("1        = lpp1", "-1 = lpp1", "lpp1: expected 0 .* or 1 .*; got -1"),
        ("173.0  = dsqrt_q2fact2", "100.0 = dsqrt_q2fact2", "expected one factorisation scale for both beams, 173.0"),
        ("20.0  = ptj ", "hard = ptj ", "run_card.dat: ptj: expected a number; got hard"),
        (".false. = fixed_ren_scale", "maybe = fixed_ren_scale", "expected true or false; got maybe"),
        ("20.0  = ptj ", "20.0 ptj ", "line .*: expected value = name; got"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(tmp_path, old, new, sentence):
    with pytest.raises(CardError, match=sentence):
        imported(DAT.replace(old, new), tmp_path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(CardError, match="expected lines value = name"):
        imported("# nothing\n", tmp_path)
    with pytest.raises(CardError, match="expected TOML"):
        imported("= 3", tmp_path, "run_card.toml")
    with pytest.raises(CardError, match="expected a readable run card; got: No such file"):
        import_run_card(tmp_path / "none.dat", TOP)


def test_values_are_read_as_fortran_writes_them():
    found = read_run_card("1d3 = a ! x\n T = b\n 'lhapdf' = c\n -1 = D\n", "card")
    assert found == {"a": 1000.0, "b": True, "c": "lhapdf", "d": -1}


def test_of_two_cuts_on_one_observable_the_stricter_one_stays():
    card = Imported()
    for value in (30.0, 40.0, 35.0):
        card.cut("jet[1]", "pt_min", value)
        card.cut("jet", "eta_max", value)
    assert card.tables["cuts"] == {"jet[1]": {"pt_min": 40.0}, "jet": {"eta_max": 30.0}}
