r"""Labels of observables as they are set in print: p_T(j_1), m_tt, H_T, in mathtext.

Mathtext is TeX's notation of formulas between dollars, as matplotlib draws it; here nothing of it
is used but `_{...}`, `^{...}`, `\mathrm{...}`, `\bar{...}` and names of letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from madnis_py.physics.observables.particle_names import split_kinds, split_rank

_LETTERS = {
    "jet": "j",
    "lepton": r"\ell",
    "photon": r"\gamma",
    "bottom": "b",
    "missing": r"\nu",
    "a": r"\gamma",
    "h": "H",
    "z": "Z",
    "zp": "Z'",
    "w": "W",
    "mu": r"\mu",
    "ta": r"\tau",
    "ve": r"\nu_{e}",
    "vm": r"\nu_{\mu}",
    "vt": r"\nu_{\tau}",
}
"""Particles and classes whose letters in print are others than in a card."""

_KINDS = {
    "pt": "p_{T}",
    "pt_sum": "p_{T}",
    "system_pt": "p_{T}",
    "eta": r"\eta",
    "rapidity": "y",
    "phi": r"\phi",
    "energy": "E",
    "partonic_energy": r"\hat{E}",
    "dr": r"\Delta R",
    "deta": r"\Delta\eta",
    "dy": r"\Delta y",
    "dphi": r"\Delta\phi",
    "eta_product": r"\eta\cdot\eta",
    "ht": "H_{T}",
    "sqrt_s": r"\sqrt{\hat{s}}",
    "missing_pt": r"p_{T}^{\mathrm{miss}}",
}
_MASSES = ("mass", "sfos_mass", "system_mass")


def typeset_label(kind: str, particles: Sequence[str]) -> str:
    """An observable between dollars.

    Args:
        kind: of the observable, "pt".
        particles: names as a card has them, "jet[1]"; none for the event.
    """
    names = [_particle(name) for name in particles if name != "event"]
    if kind in _MASSES:
        alike = kind == "sfos_mass" and len(names) == 1
        return rf"$m_{{{' '.join(names * 2 if alike else names)}}}$" if names else "$m$"
    symbol = _KINDS.get(kind, rf"\mathrm{{{kind}}}".replace("_", " "))
    return f"${symbol}({', '.join(names)})$" if names else f"${symbol}$"


def _particle(name: str) -> str:
    r"""A particle or class of a card: "t~" -> \bar{t}, "mu+" -> \mu^{+}, "jet[2]" -> j_{2}."""
    kinds, rank = split_rank(name)
    text = "|".join(map(typeset_particle, split_kinds(kinds)))
    return text if rank is None else f"{text}_{{{rank}}}"


def typeset_particle(name: str) -> str:
    """The letters of a particle or class, without dollars: "w+" -> W^{+}."""
    stem, charge = re.fullmatch(r"(.*?)([+-]*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    anti = stem.endswith("~")
    stem = stem.removesuffix("~")
    letters = _LETTERS.get(stem) or (stem if len(stem) == 1 else rf"\mathrm{{{_plain(stem)}}}")
    if anti and "_" in letters:  # the bar is above the letter, not above its index
        letter, index = letters.split("_", 1)
        letters = rf"\bar{{{letter}}}_{index}"
    elif anti:
        letters = rf"\bar{{{letters}}}"
    return f"{letters}^{{{charge}}}" if charge else letters


def _plain(text: str) -> str:
    """Text without what mathtext would take for a command."""
    return re.sub(r"[^A-Za-z0-9.,:+-]", "", text)
