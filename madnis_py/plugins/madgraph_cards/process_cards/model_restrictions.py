"""The Standard Model by MadGraph's names, sm-no_b_mass or loop_sm-ckm, as parameters of ours.

A restriction fixes parameters for good; what it leaves has the values of a param_card, or else the
defaults of the model, which are those of MadGraph's.
"""

from __future__ import annotations

from collections.abc import Mapping

from madnis_py.physics.model.model import Model

_CKM = {"lamWS": 0.2253, "AWS": 0.808, "rhoWS": 0.132, "etaWS": 0.341}
_NO_B = dict.fromkeys(("MB", "ymb"), 0.0)
_NO_TAU = dict.fromkeys(("MTA", "ymtau"), 0.0)
_LEPTONS = {"Me": 0.000511, "yme": 0.000511, "MM": 0.10566, "ymm": 0.10566}

MODELS = ("sm", "loop_sm")
"""Names of MadGraph's Standard Model; at tree level they are one."""

_RESTRICTIONS: Mapping[str, Mapping[str, float]] = {
    "default": {},
    "no_b_mass": _NO_B,
    "no_tau_mass": _NO_TAU,
    "no_masses": {**_NO_B, **_NO_TAU},
    "c_mass": {"MC": 1.55, "ymc": 1.55},
    "lepton_masses": _LEPTONS,
    "no_widths": dict.fromkeys(("WT", "WZ", "WW", "WH"), 0.0),
    "zeromass_ckm": {**_NO_B, **_NO_TAU, **_CKM},
    "ckm": _CKM,
}
"""Restriction -> values of parameters that differ from those of the model without one.

They are those of the files restrict_*.dat that come with MadGraph.
"""

_ALWAYS_ZERO = ("MC", "ymc", "Me", "yme", "MM", "ymm", *_CKM)
"""Parameters that are zero, and none of the param_card, unless a restriction gives them values."""


def titled(model: Model) -> str:
    """A model in messages."""
    return "the Standard Model" if model.name == "sm" else f"model {model.name}"


def restricted(name: str) -> dict[str, float] | None:
    """Values that a restriction changes; parameters that are 0 stay so whatever a param_card says.

    Args:
        name: behind the "-" of the model, or several put together, "ckm_no_b_mass".

    Returns:
        parameter -> value; None where the restriction is not known.
    """
    values: dict[str, float] = {}
    while name:
        found = [one for one in _RESTRICTIONS if name == one or name.startswith(f"{one}_")]
        if not found:
            return None
        longest = max(found, key=len)
        values |= _RESTRICTIONS[longest]
        name = name[len(longest) + 1 :]
    return values


def fixed(values: Mapping[str, float]) -> dict[str, float]:
    """Parameters that no param_card can change, for the values of a restriction."""
    zero = {name: 0.0 for name in _ALWAYS_ZERO if name not in values}
    return zero | {name: value for name, value in values.items() if value == 0}
