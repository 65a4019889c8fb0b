"""Beams of a run_card.dat: kinds, energies and parton densities."""

from __future__ import annotations

import re
from collections.abc import Mapping

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.lhapdf_numbers import BUILT_IN, set_of_number

_LEPTONS: Mapping[int, str] = {3: "e-", -3: "e+", 4: "mu-", -4: "mu+"}
_PARTICLES: Mapping[int, str] = {0: "default", **dict.fromkeys((1, 2), "p"), **_LEPTONS} | {
    -1: "p~",
    -2: "p~",
}
"""Values of lpp -> our names of the particle of the beam; 0 is what the definition says."""

_WAYS: Mapping[tuple[int, str], str] = {
    (2, "iww"): "epa",
    **{(kind, "iww"): "epa" for kind in (3, 4)},
    **{(kind, "isronlyll"): "isr" for kind in (3, 4)},
}
"""|lpp| and pdlabel of a beam without a set -> our name of what it brings."""

_OTHER_BEAMS: Mapping[int, str] = {
    2: "here an intact proton radiates photons as pdlabel = iww has it",
    3: "here electrons radiate as pdlabel = isronlyll has it, or photons as iww has them",
    4: "here muons radiate as pdlabel = isronlyll has it, or photons as iww has them",
    9: "the beam is that of a plug-in",
}

_PROTON_MASS = 0.938


def translate_beams(run: RunCard, card: ImportedCard) -> tuple[bool, bool]:
    """Translate the beams.

    Args:
        run: the run card.
        card: takes the beams, and what cannot be translated.

    Returns:
        whether each beam has parton densities.
    """
    first, second = (_Beam(run, card, number) for number in (1, 2))
    both = first, second
    card.put("beams", "energy", [beam.energy for beam in both])
    pdfs = [beam.pdf for beam in both]
    card.put("beams", "pdf", pdfs[0] if pdfs[0] == pdfs[1] else pdfs)
    particles = [beam.particle for beam in both]
    if not set(particles) <= {"p", "default"}:
        card.put("beams", "particle", particles)
    if any(beam.is_ion for beam in both):
        card.put("beams", "nucleons", "free")
    _translate_polarization(run, card, (first.kind, second.kind))
    others = dict.fromkeys(name for beam in both for name in beam.other_sets)
    if others and run.flag("use_syst"):
        card.put("systematics", "pdf_sets", list(others))
    return first.pdf != "none", second.pdf != "none"


class _Beam:
    """One of the beams of a run card.

    Args:
        run: the run card.
        card: takes what cannot be translated.
        number: of the beam, 1 or 2.

    Attributes:
        kind: lpp.
        pdf: our name of what it brings.
        other_sets: names of further sets that lhaid names.
        particle: our name of the particle.
        energy: in GeV, of a nucleon for an ion.
        is_ion: whether it is one.
    """

    def __init__(self, run: RunCard, card: ImportedCard, number: int) -> None:
        self._run, self._card, self._number = run, card, number
        self.kind = kind = run.whole(f"lpp{number}")
        self.pdf, *self.other_sets = self._densities(kind)
        self.particle = _PARTICLES.get(kind, "p")
        protons, nucleons = self._nucleons()
        self.is_ion = nucleons > 1
        if self.is_ion:
            self.particle = f"100{protons:03d}{nucleons:03d}0"
        self.energy = self._energy(kind) / nucleons

    def _densities(self, kind: int) -> tuple[str, ...]:
        """What the beam brings; of several sets the central one first."""
        run, card = self._run, self._card
        if kind == 0:
            return ("none",)
        name = self._label()
        if abs(kind) == 1:
            return (card.pdf,) if card.pdf else _sets(run, card, name)
        way = _WAYS.get((abs(kind), run.text(name).lower()))
        if way is None:
            shown = f"{run.shown(f'lpp{self._number}')}, {run.shown(name)}"
            meaning = _OTHER_BEAMS.get(abs(kind), "this kind of beam is not known here")
            card.refuse("beams", shown, meaning, "set another kind of beam, or another pdlabel")
        return (way or "none",)

    def _label(self) -> str:
        """Of pdlabel and those of each beam the last one counts."""
        given = [name for name in self._run.names if name in ("pdlabel", "pdlabel1", "pdlabel2")]
        by_beam = given and given[-1] != "pdlabel"
        return f"pdlabel{self._number}" if by_beam else "pdlabel"

    def _nucleons(self) -> tuple[int, int]:
        """Protons, and all nucleons; 1 for what is no ion."""
        run, number = self._run, self._number
        names = f"nb_proton{number}", f"nb_neutron{number}"
        protons, neutrons = (run.whole(name) for name in names)
        mass = f"mass_ion{number}"
        if (protons, neutrons) == (1, 0):
            if run.number(mass) > 1.0:
                self._card.refuse(
                    "beams", run.shown(mass), "the beam is no ion", f"set {mass} = -1"
                )
            return 1, 1
        possible = 1 <= protons <= protons + neutrons <= 999 and protons <= 999
        if run.whole(f"lpp{number}") == 1 and possible:
            return protons, protons + neutrons
        shown = ", ".join(run.shown(name) for name in names)
        meaning = "an ion has lpp = 1 and one proton or more"
        self._card.refuse("beams", shown, meaning, f"set {names[0]} = 1, {names[1]} = 0")
        return 1, 1

    def _energy(self, kind: int) -> float:
        """In GeV; a hadron at rest has its mass in MadGraph, or 0, here it has 0."""
        energy = self._run.number(f"ebeam{self._number}")
        mass = self._run.number(f"mass_ion{self._number}") if self.is_ion else _PROTON_MASS
        return 0.0 if kind != 0 and energy == mass else energy


def _translate_polarization(run: RunCard, card: ImportedCard, kinds: tuple[int, int]) -> None:
    """Translate the polarisations of beams, in percent."""
    names = ("polbeam1", "polbeam2")
    degrees = [run.number(name) for name in names]
    for name, degree, kind in zip(names, degrees, kinds, strict=True):
        if degree and abs(kind) in (1, 2):
            meaning = "protons, and photons of protons, are not polarised"
            card.refuse("beams", run.shown(name), meaning, f"set {name} = 0")
        elif abs(degree) > 100:
            meaning = "it is a percentage from -100 to 100"
            card.refuse("beams", run.shown(name), meaning, f"set {name} = 0")
        elif degree:
            card.put("beams", "polarization", [one / 100 for one in degrees])


def _sets(run: RunCard, card: ImportedCard, name: str) -> tuple[str, ...]:
    """Names of the sets of a pdlabel and lhaid, the central one first."""
    label = run.text(name).lower()
    if label in BUILT_IN:
        return (_numbered(card, str(BUILT_IN[label]), run.shown(name)),)
    if label != "lhapdf":
        return (_without_set(card, run.shown(name), "this set is not known here"),)
    numbers = re.findall(r"[^\s,'\"\[\]()]+", run.text("lhaid"))
    if not numbers:
        return (_without_set(card, run.shown("lhaid"), "it names no set"),)
    return tuple(_numbered(card, number, run.shown("lhaid")) for number in numbers)


def _numbered(card: ImportedCard, text: str, shown: str) -> str:
    """The set with a number of LHAPDF, also "306000@0" for a member."""
    found = re.fullmatch(r"(\d{1,9})(?:@(\d{1,4}))?", text)
    if found is None:
        return _without_set(card, shown, "this is no number of LHAPDF")
    name = set_of_number(int(found[1]) + int(found[2] or 0))
    if name is None:
        meaning = "no set of LHAPDF's index, and none that is installed, has this number"
        return _without_set(card, f"lhaid = {found[1]}", meaning)
    return name


def _without_set(card: ImportedCard, entry: str, meaning: str) -> str:
    """Refuse an entry; returns the name of a set that there is not."""
    way_out = "name the set with --pdf, or set pdlabel = lhapdf and lhaid"
    card.refuse("beams", entry, meaning, way_out)
    return "unknown"
