"""Every entry of MadGraph's run card, alone at a value that is not its default.

It is translated, which changes the card or what is said for the command line, or it is an error;
only what is listed here as neutral changes nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from run_cards import SMALL, import_run_card

from madnis_py.errors import CardError
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import (
    DEFAULTS,
    NEUTRAL,
    NEXT_TO_LEADING,
)

JETS = "p p > e+ e- j j j j a a"
BOTTOMS = "p p > b b~ b j a e+ ve"
TOPS = "p p > t t~ e+ e- e+ e-"

CHANGED = {
    JETS: """
        nevents=7 iseed=7 ebeam1=7000 ebeam2=7000 lpp1=-1 lpp1=2 lpp1=3 lpp1=4 lpp1=9 lpp2=-1 lpp2=0
        pdlabel=nn23nlo pdlabel1=cteq6l1 pdlabel2=none lhaid=263000 polbeam1=10 polbeam2=-10
        me_frame=3,4
        nb_proton1=82 nb_proton2=82 nb_neutron1=1 nb_neutron2=1 mass_ion1=100 mass_ion2=100
        fixed_ren_scale=F fixed_fac_scale=F fixed_fac_scale1=F fixed_fac_scale2=F scale=100
        dsqrt_q2fact1=100 dsqrt_q2fact2=100 ickkw=1 ickkw=2 xqcut=10 ktdurham=30 ptlund=30
        bias_module=ptj_bias bias_module=mass_bias custom_fcts=['x.f'] boost_event=True
        time_of_flight=0 small_width_treatment=0.1 xmtcentral=10 ktscheme=2
        chcluster=T use_syst=F systematics_program=syscalc systematics_program=none
        systematics_arguments=['--mur=1,2','--muf=1,2']
        sde_strategy=2 ptj=21 pta=21 ptl=21 ptjmax=900 ptamax=900 ptlmax=900
        ej=30 ea=30 el=30 ejmax=900 eamax=900 elmax=900
        etaj=4 etaa=2 etal=2 etajmin=0.1 etaamin=0.1 etalmin=0.1
        drjj=0.5 drll=0.5 draa=0.5 draj=0.5 drjl=0.5 dral=0.5
        drjjmax=5 drllmax=5 draamax=5 drajmax=5 drjlmax=5 dralmax=5
        mmjj=30 mmll=30 mmaa=30 mmjjmax=900 mmllmax=900 mmaamax=900 mmnl=30 mmnlmax=900
        ptllmin=30 ptllmax=900 xptj=30 xpta=30 xptl=30
        ptj1min=30 ptj1max=900 ptj2min=30 ptj2max=900 ptj3min=30 ptj3max=900 ptj4min=30 ptj4max=900
        ptl1min=30 ptl1max=900 ptl2min=30 ptl2max=900
        htjmin=90 htjmax=900 ihtmin=90 ihtmax=900
        ht2min=90 ht2max=900 ht3min=90 ht3max=900 ht4min=90 ht4max=900
        ptgmin=10 xetamin=1 deltaeta=2 dsqrt_shat=500 dsqrt_shatmax=900
    """,
    BOTTOMS: """
        maxjetflavor=5 misset=30 missetmax=900 ptb=30 ptbmax=900 eb=30 ebmax=900 etab=2 etabmin=0.1
        drbb=0.5 drbbmax=5 drbj=0.5 drbjmax=5 drab=0.5 drabmax=5 drbl=0.5 drblmax=5
        mmbb=30 mmbbmax=900 xptb=30
    """,
    TOPS: """
        ptl3min=30 ptl3max=900 ptl4min=30 ptl4max=900 ptheavy=100
        pt_min_pdg={6:30} pt_max_pdg={6:900} e_min_pdg={6:300} e_max_pdg={6:900}
        eta_min_pdg={6:0.1} eta_max_pdg={6:3} mxx_min_pdg={6:400}
    """,
    "p p > z j, z > e+ e-": "bwcutoff=5 cut_decays=T",
    "p p > t t~": """
        req_acc_fo=0.1 npoints_fo_grid=1 niters_fo_grid=1 npoints_fo=1 niters_fo=1
        parton_shower=HERWIG6 shower_scale_factor=2 jetalgo=1 jetradius=0.4 mur_over_ref=2
        muf_over_ref=2 muf1_over_ref=2 muf2_over_ref=2 iappl=1 req_acc=0.1
    """,
}
"""Definition -> entries that change what comes out."""

NEEDING = "p p > t t~ j j a"

NEEDS: dict[str, str] = {
    "dynamical_scale_choice": "F = fixed_ren_scale\n3 = dynamical_scale_choice\n",
    "scalefact": "F = fixed_ren_scale\n3 = dynamical_scale_choice\n",
    "cutuse": "100 = ptj1min\n30 = ptj2min\n",
    "mxx_only_part_antipart": "{6: 400} = mxx_min_pdg\n",
    "bias_parameters": "ptj_bias = bias_module\n",
    **dict.fromkeys(
        ("alpsfact", "pdfwgt", "asrwgtflavor", "auto_ptj_mjj"),
        "F = fixed_ren_scale\nF = fixed_fac_scale\n1 = ickkw\n20 = xqcut\nF = use_syst\n",
    ),
    **dict.fromkeys(
        ("dparameter", "pdgs_for_merging_cut"),
        "30 = ktdurham\n21, 1, 2, 3, 4 = pdgs_for_merging_cut\n",
    ),
    **dict.fromkeys(("r0gamma", "xn", "epsgamma", "isoem"), "20 = ptgmin\n"),
}
"""Entries that matter beside others -> those others."""

BESIDE_OTHERS = {
    "dynamical_scale_choice": ("-1", "0", "1", "2", "4", "10"),
    "scalefact": ("0.5",),
    "cutuse": ("1",),
    "alpsfact": ("0.5",),
    "pdfwgt": ("F",),
    "asrwgtflavor": ("6",),
    "auto_ptj_mjj": ("F",),
    "mxx_only_part_antipart": ("{'default':True}",),
    "bias_parameters": ("{'ptj_bias_target_ptj':500}", "{6:1}"),
    "dparameter": ("1.0",),
    "pdgs_for_merging_cut": ("21, 1",),
    "r0gamma": ("0.7",),
    "xn": ("2", "0"),
    "epsgamma": ("0.5",),
    "isoem": ("F",),
}


def entries_of(text: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in (one.split("=", 1) for one in text.split())]


def outcome(folder: Path, text: str, definition: str) -> object:
    """What a run card gives: a card with options, or an error."""
    (folder / "run_card.dat").write_text(text)
    try:
        card, rest = import_run_card(folder / "run_card.dat", definition)
    except CardError:
        return "error"
    return card.content(), rest.options


@pytest.mark.parametrize(
    ("definition", "name", "value"),
    [
        (definition, name, value)
        for definition, text in CHANGED.items()
        for name, value in entries_of(text)
    ],
)
def test_an_entry_that_is_not_neutral_changes_the_card_or_is_an_error(
    tmp_path: Path, definition: str, name: str, value: str
) -> None:
    before = outcome(tmp_path, SMALL, definition)
    assert before != "error"
    assert outcome(tmp_path, f"{SMALL}{value} = {name}\n", definition) != before


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in NEEDS for value in BESIDE_OTHERS[name]]
)
def test_an_entry_that_matters_beside_another_changes_the_card_or_is_an_error(
    tmp_path: Path, name: str, value: str
) -> None:
    before = outcome(tmp_path, SMALL + NEEDS[name], NEEDING)
    assert before != "error"
    text = f"{SMALL}{NEEDS[name]}{value} = {name}\n"
    assert outcome(tmp_path, text, NEEDING) != before


def test_every_entry_of_madgraph_is_tried_or_neutral() -> None:
    tried = {name for text in CHANGED.values() for name, _ in entries_of(text)} | set(NEEDS)
    assert tried == set(DEFAULTS) | NEXT_TO_LEADING
    assert not tried & NEUTRAL
