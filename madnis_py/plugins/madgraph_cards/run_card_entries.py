"""The entries of MadGraph's run_card.dat: read as MadGraph reads them, typed, with its defaults.

The defaults are those of run cards for leading order of MadGraph5_aMC@NLO 3; an entry that a card
lacks has its own.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from itertools import product
from typing import NoReturn

from madnis_py.errors import CardError
from madnis_py.physics.model.text_lines import shortened

Value = bool | int | float | str

_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("t", "true", ".true.", "1"), True),
    **dict.fromkeys(("f", "false", ".false.", "0"), False),
}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")

_PAIRS = ("jj", "bb", "ll", "aa", "bj", "aj", "jl", "ab", "bl", "al")

_CUT_DEFAULTS: Mapping[str, float] = {
    **{f"{kind}{particle}": 0.0 for kind, particle in product(("pt", "e"), "jbal")},
    **{f"{kind}{particle}max": -1.0 for kind, particle in product(("pt", "e"), "jbal")},
    **{f"eta{particle}min": 0.0 for particle in "jbal"},
    **{f"dr{pair}": 0.0 for pair in _PAIRS},
    **{f"dr{pair}max": -1.0 for pair in _PAIRS},
    **{f"mm{pair}": 0.0 for pair in ("jj", "bb", "ll", "aa", "nl")},
    **{f"mm{pair}max": -1.0 for pair in ("jj", "bb", "ll", "aa", "nl")},
    **{f"pt{particle}{rank}min": 0.0 for particle, rank in product("jl", range(1, 5))},
    **{f"pt{particle}{rank}max": -1.0 for particle, rank in product("jl", range(1, 5))},
    **{f"{system}min": 0.0 for system in ("htj", "iht", "ht2", "ht3", "ht4", "ptll")},
    **{f"{system}max": -1.0 for system in ("htj", "iht", "ht2", "ht3", "ht4", "ptll")},
    **dict.fromkeys(
        ("xptj", "xptb", "xpta", "xptl", "ptheavy", "misset", "dsqrt_shat", "xetamin", "deltaeta"),
        0.0,
    ),
    **{"missetmax": -1.0, "dsqrt_shatmax": -1.0, "ptgmin": 0.0},
    **{"ptj": 20.0, "pta": 10.0, "ptl": 10.0, "etaj": 5.0, "etab": -1.0, "etaa": 2.5, "etal": 2.5},
    **dict.fromkeys(("drjj", "drll", "draa", "draj", "drjl", "dral"), 0.4),
}

DEFAULTS: Mapping[str, Value] = {
    **_CUT_DEFAULTS,
    **{
        "nevents": 10000,
        "iseed": 0,
        "maxjetflavor": 4,
        "cutuse": 0,
        "bwcutoff": 15.0,
        "cut_decays": False,
    },
    **{"lpp1": 1, "lpp2": 1, "ebeam1": 6500.0, "ebeam2": 6500.0, "polbeam1": 0.0, "polbeam2": 0.0},
    **{
        "nb_proton1": 1,
        "nb_proton2": 1,
        "nb_neutron1": 0,
        "nb_neutron2": 0,
        "mass_ion1": -1.0,
        "mass_ion2": -1.0,
    },
    **{
        "fixed_ren_scale": False,
        "fixed_fac_scale": False,
        "fixed_fac_scale1": False,
        "fixed_fac_scale2": False,
    },
    **{"scale": 91.188, "dsqrt_q2fact1": 91.188, "dsqrt_q2fact2": 91.188, "scalefact": 1.0},
    **{"dynamical_scale_choice": -1, "ickkw": 0, "xqcut": 0.0, "ktdurham": -1.0, "ptlund": -1.0},
    **{"bias_module": "None", "custom_fcts": "[]", "boost_event": "False", "event_norm": "average"},
    **{
        "time_of_flight": -1.0,
        "fixed_couplings": True,
        "small_width_treatment": 1e-6,
        "sde_strategy": 1,
    },
    **{"use_syst": True, "systematics_program": "systematics"},
    "systematics_arguments": "['--mur=0.5,1,2', '--muf=0.5,1,2', '--pdf=errorset']",
    **dict.fromkeys(("pt_min_pdg", "pt_max_pdg", "e_min_pdg", "e_max_pdg"), "{}"),
    **dict.fromkeys(("eta_min_pdg", "eta_max_pdg", "mxx_min_pdg"), "{}"),
    "mxx_only_part_antipart": "{'default': False}",
    **dict.fromkeys(
        ("pdlabel", "pdlabel1", "pdlabel2", "lhaid"), ""
    ),  # their defaults differ among versions
}

NEUTRAL = frozenset({
    "run_tag", "gridpack", "gridrun", "gseed", "python_seed", "issgridfile", "keep_log", "bypass_check",
    "allow_overshoot_events", "nb_unweight_output", "zip_unweighted_events", "lhe_version", "clusinfo", "nhel",
    "limhel", "hel_recycling", "hel_filtering", "hel_splitamp", "hel_zeroamp", "job_strategy", "hard_survey",
    "tmin_for_channel", "second_refine_treshold", "survey_splitting", "survey_nchannel_per_job", "refine_evt_by_job",
    "disable_multichannel", "global_flag", "aloha_flag", "matrix_flag", "vector_size", "nb_warp", "vecsize_memmax",
    "mc_grouped_subproc", "me_frame", "frame_id", "mom_resh_type", "ptonium", "etaonium", "fixed_extra_scale",
    "mue_ref_fixed", "mue_over_ref", "ievo_eva", "evaorder", "eva_xcut", "highestmult", "ktscheme", "alpsfact",
    "chcluster", "pdfwgt", "asrwgtflavor", "auto_ptj_mjj", "dparameter", "pdgs_for_merging_cut", "xmtcentral", "d",
    "bias_parameters", "r0gamma", "xn", "epsgamma", "isoem", "sys_scalefact", "sys_alpsfact", "sys_matchscale",
    "sys_pdf", "sys_scalecorrelation",
    "reweight_scale", "reweight_pdf", "pdf_set_min", "pdf_set_max", "store_rwgt_info",
    "rw_rscale_down", "rw_rscale_up", "rw_fscale_down", "rw_fscale_up",
})  # fmt: skip
"""Entries about how MadGraph works, not about what it computes, and those that another one switches
off."""

NEXT_TO_LEADING = frozenset({
    "req_acc_fo", "npoints_fo_grid", "niters_fo_grid", "npoints_fo", "niters_fo", "parton_shower",
    "shower_scale_factor", "jetalgo", "jetradius", "mur_over_ref", "muf_over_ref", "muf1_over_ref", "muf2_over_ref",
    "iappl", "req_acc",
})  # fmt: skip
"""Entries that only run cards for next-to-leading order have."""


class RunCard:
    """A run_card.dat.

    Args:
        entries: name in lower case -> text of its value.
        source: file, for messages.
    """

    def __init__(self, entries: Mapping[str, str], source: str) -> None:
        self._entries = dict(entries)
        self.source = source

    @property
    def unknown(self) -> dict[str, str]:
        """Entries that no run card for leading order has."""
        return {
            name: text
            for name, text in self._entries.items()
            if name not in DEFAULTS and name not in NEUTRAL
        }

    def has(self, name: str) -> bool:
        """Whether the card itself gives an entry."""
        return name in self._entries

    def shown(self, name: str) -> str:
        """An entry for a message, "ickkw = 1"; one that is not in the card is called its default."""
        if name in self._entries:
            return f"{name} = {shortened(self._entries[name])}"
        return f"{name} = {DEFAULTS[name]} (MadGraph's default; the card does not set it)"

    def text(self, name: str) -> str:
        """A value as it stands there, without quotes."""
        return self._entries.get(name, str(DEFAULTS[name])).strip("'\"")

    def number(self, name: str) -> float:
        """A finite number.

        Raises:
            CardError: it is none.
        """
        text = self.text(name)
        value = float(re.sub("[dD]", "e", text)) if _NUMBER.fullmatch(text) else math.nan
        return value if math.isfinite(value) else self._refuse(name, "a number")

    def whole(self, name: str, least: int = -(10**15), most: int = 10**15) -> int:
        """A whole number.

        Raises:
            CardError: it is none, or not in this range.
        """
        value = self.number(name)
        if not value.is_integer():
            self._refuse(name, "a whole number")
        if not least <= value <= most:
            self._refuse(name, f"a whole number from {least} to {most}")
        return int(value)

    def flag(self, name: str) -> bool:
        """True or false.

        Raises:
            CardError: it is neither.
        """
        value = _FLAGS.get(self.text(name).lower())
        return value if value is not None else self._refuse(name, "true or false")

    def items(self, name: str) -> list[str]:
        """A list: "['a', 'b']", "a, b" or "a".

        Raises:
            CardError: it is none.
        """
        text = self.text(name).strip()
        if not text.startswith(("[", "(")):
            return [item.strip() for item in text.split(",") if item.strip()]
        value = self._literal(name, "a list")
        if not isinstance(value, list | tuple) or not all(
            isinstance(item, str | int | float) for item in value
        ):
            self._refuse(name, "a list")
        return [str(item) for item in value]

    def of_particles(self, name: str) -> dict[int, float]:
        """Numbers by PDG code, "{6: 100, 25: 50}".

        Raises:
            CardError: it is no such table.
        """
        found = self._literal(name, "a table {PDG code: number}")
        if not isinstance(found, dict) or not all(map(_is_of_particle, found.items())):
            self._refuse(name, "a table {PDG code: number}")
        return {int(pdg): float(value) for pdg, value in found.items()}

    def of_opposite_pairs(self, name: str, pdg: int) -> bool:
        """Whether something is only about pairs of a particle and its antiparticle, "{'default': False, 6: True}".

        Raises:
            CardError: it is no such table.
        """
        found = self._literal(name, "a table {PDG code: True or False}")
        if not isinstance(found, dict) or not all(
            isinstance(value, bool) for value in found.values()
        ):
            self._refuse(name, "a table {PDG code: True or False}")
        return bool(found.get(pdg, found.get(str(pdg), found.get("default", False))))

    def _literal(self, name: str, expected: str) -> object:
        try:
            return ast.literal_eval(self.text(name).strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            self._refuse(name, expected)

    def _refuse(self, name: str, expected: str) -> NoReturn:
        raise CardError(
            f"{self.source}: {name}: expected {expected}; got {shortened(self.text(name))}"
        )


def _is_of_particle(item: tuple[object, object]) -> bool:
    pdg, value = item
    return (
        type(pdg) is int
        and 0 < pdg < 10**8
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
    )


def read_run_card(lines: list[str], source: str) -> RunCard:
    """Read the lines `value = name ! comment` of a run_card.dat; of two with one name the last one counts.

    As in MadGraph "#" and "!" begin comments, and lines without "=" are left.

    Raises:
        CardError: there is no entry, or a line that is meant to be one is none.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        content = re.split("[#!]", line, maxsplit=1)[0].strip()
        value, equals, name = (part.strip() for part in content.rpartition("="))
        if not equals:
            if _forgets_equals(content):
                raise CardError(
                    f"{source}: line {number}: expected value = name; got {shortened(content)!r}"
                )
            continue
        if not value or not re.fullmatch(r"[A-Za-z_]\w{0,63}", name):
            raise CardError(
                f"{source}: line {number}: expected value = name; got {shortened(content)!r}"
            )
        found[name.lower()] = value
    if not found:
        raise CardError(f"{source}: expected lines value = name of a run card; got none")
    return RunCard(found, source)


def _forgets_equals(content: str) -> bool:
    """Whether a line is a value and a name of an entry, and no piece of prose."""
    words = content.lower().split()
    if len(words) != 2 or words[1] not in DEFAULTS:
        return False
    return bool(_NUMBER.fullmatch(words[0])) or words[0] in _FLAGS
