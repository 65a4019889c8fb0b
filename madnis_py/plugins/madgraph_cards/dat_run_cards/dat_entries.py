"""Entries of MadGraph's run_card.dat: every entry that is known stands in exactly one table here.

To teach the import a new entry, put it into one of them:

- TRANSLATED, with MadGraph's default, and translate it in the function of `dat_translation` for its
  table of our card, in `dat_cuts` (cuts on particles and pairs) or in `dat_event_cuts`;
- REFUSED, if it changes the results and has no counterpart unless it has its default;
- NEUTRAL, if it does not change the results;
- NEXT_TO_LEADING, if only run cards for next-to-leading order have it.

An entry in no table is refused as unknown. Defaults are those of run cards for leading order of
MadGraph5_aMC@NLO 3; a card that lacks an entry has its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

Value = bool | int | float | str

CLASSES: Mapping[str, str] = {"j": "jet", "b": "bottom", "a": "photon", "l": "lepton"}
"""Letters by which entries call classes of particles -> our names of these classes."""

PAIRS = ("jj", "bb", "ll", "aa", "bj", "aj", "jl", "ab", "bl", "al")
"""Pairs of classes that entries cut on."""

_ENERGY_LIKE = tuple(f"{observable}{letter}" for observable, letter in product(("pt", "e"), "jbal"))
_DISTANCES = tuple(f"dr{pair}" for pair in PAIRS)
_MASSES = ("mmjj", "mmbb", "mmll", "mmaa", "mmnl")
_RANKED = tuple(f"pt{letter}{rank}" for letter, rank in product("jl", range(1, 5)))
_SUMS = ("htj", "iht", "ht2", "ht3", "ht4", "ptll")

_TRANSLATED_CUTS: Mapping[str, float] = {
    **dict.fromkeys((*_ENERGY_LIKE, *_DISTANCES, *_MASSES), 0.0),
    **dict.fromkeys((f"{name}max" for name in (*_ENERGY_LIKE, *_DISTANCES, *_MASSES)), -1.0),
    **dict.fromkeys((f"{name}min" for name in (*_RANKED, *_SUMS)), 0.0),
    **dict.fromkeys((f"{name}max" for name in (*_RANKED, *_SUMS)), -1.0),
    "etajmin": 0.0,
    "etabmin": 0.0,
    "etaamin": 0.0,
    "etalmin": 0.0,
    "xptj": 0.0,
    "xptb": 0.0,
    "xpta": 0.0,
    "xptl": 0.0,
    "ptheavy": 0.0,
    "ptgmin": 0.0,
    "misset": 0.0,
    "missetmax": -1.0,
    "dsqrt_shat": 0.0,
    "dsqrt_shatmax": -1.0,
    "xetamin": 0.0,
    "deltaeta": 0.0,
    # MadGraph's defaults that cut
    "ptj": 20.0,
    "pta": 10.0,
    "ptl": 10.0,
    "etaj": 5.0,
    "etab": -1.0,
    "etaa": 2.5,
    "etal": 2.5,
    "drjj": 0.4,
    "drll": 0.4,
    "draa": 0.4,
    "draj": 0.4,
    "drjl": 0.4,
    "dral": 0.4,
}

UNCUT: Mapping[str, str] = {
    **{
        name: "-1" if name.startswith("eta") and not name.endswith("min") else "0"
        for name in _TRANSLATED_CUTS
        if not name.endswith("max")
    },
    **{name: "-1" for name in _TRANSLATED_CUTS if name.endswith("max")},
    **dict.fromkeys(("cut_decays", "xqcut", "ktdurham", "ptlund"), "0"),
    **{f"{kind}_{end}_pdg": "{}" for kind, end in product(("pt", "e", "eta"), ("min", "max"))},
    "mxx_min_pdg": "{}",
}
"""Entries that cut -> their values for no cut at all."""

TRANSLATED: Mapping[str, Value] = {
    **_TRANSLATED_CUTS,
    # the command line
    "nevents": 10000,
    "iseed": 0,
    # beams
    "lpp1": 1,
    "lpp2": 1,
    "ebeam1": 6500.0,
    "ebeam2": 6500.0,
    "polbeam1": 0.0,
    "polbeam2": 0.0,
    "me_frame": "1, 2",
    "pdlabel": "nn23lo1",
    "pdlabel1": "nn23lo1",
    "pdlabel2": "nn23lo1",
    "lhaid": "230000",
    "nb_proton1": 1,
    "nb_proton2": 1,
    "nb_neutron1": 0,
    "nb_neutron2": 0,
    "mass_ion1": -1.0,
    "mass_ion2": -1.0,
    # scales
    "fixed_ren_scale": False,
    "fixed_fac_scale": False,
    "fixed_fac_scale1": False,
    "fixed_fac_scale2": False,
    "scale": 91.188,
    "dsqrt_q2fact1": 91.188,
    "dsqrt_q2fact2": 91.188,
    "dynamical_scale_choice": -1,
    "scalefact": 1.0,
    # merging
    "ickkw": 0,
    "xqcut": 0.0,
    "alpsfact": 1.0,
    "pdfwgt": True,
    "asrwgtflavor": 5,
    "auto_ptj_mjj": True,
    "ktdurham": -1.0,
    "dparameter": 0.4,
    "ptlund": -1.0,
    "pdgs_for_merging_cut": "[21, 1, 2, 3, 4, 5, 6]",
    # what cuts apply to
    "r0gamma": 0.4,
    "xn": 1.0,
    "epsgamma": 1.0,
    "isoem": True,
    "maxjetflavor": 4,
    "cutuse": 0,
    "cut_decays": False,
    "bwcutoff": 15.0,
    # cuts by PDG code
    "pt_min_pdg": "{}",
    "pt_max_pdg": "{}",
    "e_min_pdg": "{}",
    "e_max_pdg": "{}",
    "eta_min_pdg": "{}",
    "eta_max_pdg": "{}",
    "mxx_min_pdg": "{}",
    "mxx_only_part_antipart": "{'default': False}",
    # events, channels and systematics
    "bias_module": "None",
    "bias_parameters": "{}",
    "time_of_flight": -1.0,
    "sde_strategy": 1,
    "use_syst": True,
    "systematics_program": "systematics",
    "systematics_arguments": "['--mur=0.5,1,2', '--muf=0.5,1,2', '--pdf=errorset']",
}
"""Entries with a counterpart -> MadGraph's default."""


@dataclass(frozen=True)
class RefusedEntry:
    """An entry that changes the results and has no counterpart: only neutral values are accepted.

    Attributes:
        default: MadGraph's, which is neutral.
        meaning: of the entry, for the message.
        neutral_up_to: the largest neutral number; None where only the default is neutral.
    """

    default: Value
    meaning: str
    neutral_up_to: float | None = None


REFUSED: Mapping[str, RefusedEntry] = {
    "custom_fcts": RefusedEntry("[]", "functions in Fortran replace cuts, scales or weights"),
    "boost_event": RefusedEntry("False", "events are boosted to another frame"),
    "xmtcentral": RefusedEntry(0.0, "the first clustering of an event is cut on", 0.0),
    "ktscheme": RefusedEntry(1, "events are clustered by Pythia's measure"),
    "chcluster": RefusedEntry(False, "events are clustered by the diagram of their channel alone"),
    "small_width_treatment": RefusedEntry(1e-6, "narrow particles get a larger width", 1e-6),
}
"""Entries without a counterpart, in the order of the messages."""

DEFAULTS: Mapping[str, Value] = {
    **TRANSLATED,
    **{name: entry.default for name, entry in REFUSED.items()},
}
"""Entries that a value is read of -> MadGraph's default."""

NEUTRAL = frozenset({
    "run_tag", "gridpack", "gridrun", "gseed", "python_seed", "issgridfile", "keep_log",
    "bypass_check", "allow_overshoot_events", "nb_unweight_output", "zip_unweighted_events",
    "lhe_version", "clusinfo", "nhel", "limhel", "hel_recycling", "hel_filtering", "hel_splitamp",
    "hel_zeroamp", "job_strategy", "hard_survey", "tmin_for_channel", "second_refine_treshold",
    "survey_splitting", "survey_nchannel_per_job", "refine_evt_by_job", "disable_multichannel",
    "global_flag", "aloha_flag", "matrix_flag", "vector_size", "nb_warp", "vecsize_memmax",
    "mc_grouped_subproc", "frame_id", "mom_resh_type", "ptonium", "etaonium",
    "fixed_extra_scale", "mue_ref_fixed", "mue_over_ref", "ievo_eva", "evaorder", "eva_xcut",
    "event_norm", "highestmult", "fixed_couplings", "d",
    "sys_scalefact", "sys_alpsfact", "sys_matchscale", "sys_pdf",
    "sys_scalecorrelation", "reweight_scale", "reweight_pdf", "pdf_set_min", "pdf_set_max",
    "store_rwgt_info", "rw_rscale_down", "rw_rscale_up", "rw_fscale_down", "rw_fscale_up",
})  # fmt: skip
"""Entries that do not change the results: about how MadGraph works, or off by another entry."""

NEXT_TO_LEADING = frozenset({
    "req_acc_fo", "npoints_fo_grid", "niters_fo_grid", "npoints_fo", "niters_fo", "parton_shower",
    "shower_scale_factor", "jetalgo", "jetradius", "mur_over_ref", "muf_over_ref", "muf1_over_ref",
    "muf2_over_ref", "iappl", "req_acc",
})  # fmt: skip
"""Entries that only run cards for next-to-leading order have."""
