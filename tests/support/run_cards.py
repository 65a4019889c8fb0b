"""Run cards of MadGraph in both formats, and their import."""

from __future__ import annotations

from pathlib import Path

from madnis_py.card.card import Card
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.process_cards.card_files import MadGraphCards
from madnis_py.plugins.madgraph_cards.process_cards.cards_import import import_cards

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

SMALL = """\
  T = fixed_ren_scale
  T = fixed_fac_scale
  lhapdf = pdlabel
  331900 = lhaid
"""
"""Entries that have no neutral default; everything else has MadGraph's."""


def import_run_card(
    path: Path, definition: str, parameters: Path | None = None, force: bool = False
) -> tuple[Card, ImportedCard]:
    """Import a run card for a process."""
    files = MadGraphCards(definition=definition, run=path, parameters=parameters)
    return import_cards(files, force=force)


def imported(
    text: str, folder: Path, name: str = "run_card.dat", definition: str = TOP, force: bool = False
) -> tuple[Card, ImportedCard]:
    """Write a run card into a folder and import it."""
    (folder / name).write_text(text)
    return import_run_card(folder / name, definition, force=force)


def cuts_of(card: Card) -> dict[str, dict[str, tuple[float, float]]]:
    return {name: table.ranges() for name, table in card.cuts.by_name.items()}


def translated(
    text: str, folder: Path, edits: str = "", run: str = "", force: bool = False
) -> tuple[Card, ImportedCard]:
    """The card of a process card, with parton densities for tests."""
    (folder / "proc_card_mg5.dat").write_text(text)
    (folder / "customizecards.dat").write_text(edits)
    (folder / "run_card.dat").write_text(run)
    files = MadGraphCards(
        process=folder / "proc_card_mg5.dat",
        run=folder / "run_card.dat" if run else None,
        edits=folder / "customizecards.dat" if edits else None,
    )
    return import_cards(files, "toy", force)
