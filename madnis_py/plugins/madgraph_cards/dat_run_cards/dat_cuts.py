"""Cuts of a run_card.dat on particles and pairs, for the final particles of a process.

MadEvent's `setcuts.f` and `cuts.f`: jets are gluons and quarks up to `maxjetflavor`, heavier quarks
up to b are "b"; |rapidity| is cut on, not pseudorapidity; energies are those in the frame of the
partons; minima are off at 0, maxima below it; unless `cut_decays` is true, products of decay chains
pass the cuts on single particles and pairs, as with our `decay_products = false`, but not those on
ranks, sums and missing momentum, which are in `dat_event_cuts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations, combinations_with_replacement, product

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import CLASSES, PAIRS
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.final_particles import FinalParticles, Place, is_alone
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard

_MAXIMA = ("etaj", "etab", "etaa", "etal")
"""Entries that are maxima without saying so in their names."""

_UNCUT_MASS = 20.0
"""GeV; heavier particles pass MadEvent's cuts on jets, b, leptons and photons."""


class CutEntries:
    """The cuts of a run card, and what its classes mean in the final state of a process.

    Args:
        run: the run card.
        final: the particles that it can cut on.
        card: takes the cuts, and what cannot be translated.
        partonic: whether the laboratory is the frame of the partons.
    """

    def __init__(
        self, run: RunCard, final: FinalParticles, card: ImportedCard, partonic: bool
    ) -> None:
        self.run, self.final, self.card, self.partonic = run, final, card, partonic

    @cached_property
    def codes(self) -> dict[str, frozenset[int]]:
        """Class -> PDG codes that MadEvent counts to it."""
        heaviest = self.run.whole("maxjetflavor", 1, 6)
        groups = {
            "jet": [21, *range(1, heaviest + 1)],
            "bottom": range(heaviest + 1, 6),
            "lepton": (11, 13, 15),
            "photon": (22,),
            "missing": (12, 14, 16),
        }
        return {
            name: frozenset(sign * pdg for pdg in pdgs for sign in (1, -1))
            for name, pdgs in groups.items()
        }

    def places(self, label: str) -> frozenset[Place]:
        """Where the particles may be that cuts on single particles and pairs of a class are for."""
        codes = {pdg for pdg in self.codes[label] if self.final.mass(pdg) <= _UNCUT_MASS}
        return self.final.places(codes, self.cut_decays)

    def names(self, label: str, places: frozenset[Place]) -> tuple[str, ...] | None:
        """Names for cuts on single particles and pairs; see `FinalParticles.names`."""
        return self.final.names(label, places, self.cut_decays)

    @cached_property
    def cut_decays(self) -> bool:
        """Whether cuts on single particles and pairs are for decay products too."""
        return self.run.flag("cut_decays")

    @cached_property
    def discarded(self) -> frozenset[str]:
        """Entries that MadGraph sets to 0 where photons are isolated smoothly."""
        return frozenset({"pta", "draj"} if self.run.number("ptgmin") > 0 else ())

    def active(self, *names: str) -> Iterator[tuple[str, float]]:
        """Name and value of the entries that are on: a maximum from 0, a minimum above it."""
        for name in names:
            value = 0.0 if name in self.discarded else self.run.number(name)
            if value >= 0 if end_of(name) == "max" else value > 0:
                yield name, value

    def rapidity(self, places: frozenset[Place]) -> str:
        """Our name of MadEvent's eta: rapidity, or pseudorapidity where there is no mass."""
        return "rapidity" if self.final.massive(places) else "eta"

    @property
    def energy(self) -> str:
        """Our name of MadEvent's energies, which are those in the frame of the partons."""
        return "energy" if self.partonic else "partonic_energy"

    def cut_each(
        self, name: str, label: str, places: frozenset[Place], key: str, value: float
    ) -> None:
        """Put a cut on each particle that may be at some places.

        Args:
            name: of the entry.
            label: our class that is tried first as their name.
            places: of the particles.
            key: of the cut in our card.
            value: of the cut.
        """
        names = self.names(label, places)
        if names is None:
            self.refuse_mixed(name)
        for one in names or ():
            self.card.cut(one, key, value)

    def lepton_pairs(self, places: frozenset[Place]) -> list[str]:
        """The pairs "e+,e-" that may be at some places."""
        found = {pdg for _, pdg in places}
        return [
            f"{self.final.name(-pdg)},{self.final.name(pdg)}"
            for pdg in (11, 13, 15)
            if {pdg, -pdg} <= found
        ]

    def refuse_mixed(self, name: str) -> None:
        """Refuse an entry about particles that no names of our cards mean alone."""
        meaning = "it is about particles that no names of a card mean alone: maxjetflavor"
        self.refuse(name, meaning, "set maxjetflavor = 4 or 5, or cut by hand")

    def refuse_too_few(self, name: str, wanted: str, least: int, never: bool = False) -> None:
        """Refuse an entry that asks for more particles than every event has for sure.

        Args:
            name: of the entry.
            wanted: particles that it asks for.
            least: number of them in every event.
            never: whether no event has enough of them, so that the process has no events.
        """
        if never:
            self.card.impossible.append(self.run.shown(name))
        got = f"the process has {least} for sure"
        self.refuse(name, f"it asks for {wanted} in every event, {got}", "set it to 0")

    def allows_pt_sum(self, name: str, value: float) -> bool:
        """Whether transverse momenta can add up to a least value; refuses the entry if not."""
        limit = self.final.largest_pt_sum(self.run.number("bwcutoff"))
        if value > limit:
            sums = f"transverse momenta of this process add up to at most {limit:.5g} GeV"
            self.refuse_without_events(name, sums, "lower it")
        return value <= limit

    def refuse_without_events(self, name: str, meaning: str, way_out: str) -> None:
        """Refuse an entry that no event passes."""
        self.card.impossible.append(self.run.shown(name))
        self.refuse(name, f"no event passes, {meaning}", way_out)

    def refuse(self, name: str, meaning: str, way_out: str) -> None:
        """Note an entry that cannot be translated."""
        self.card.refuse("cuts", self.run.shown(name), meaning, way_out)


def end_of(name: str) -> str:
    """The end of a range that an entry limits, "min" or "max"."""
    return "max" if name.endswith("max") or name in _MAXIMA else "min"


def translate_particle_cuts(cuts: CutEntries) -> None:
    """Translate the cuts on single particles and on pairs."""
    for letter, label in CLASSES.items():
        _cut_singles(cuts, letter, label)
    for pair in PAIRS:
        _cut_pairs(cuts, pair)
    for kind, end in product(("pt", "e", "eta"), ("min", "max")):
        _cut_particles(cuts, kind, end)
    for pdg, value in cuts.run.of_particles("mxx_min_pdg").items():
        if value > 0:
            _cut_pairs_of_particle(cuts, pdg, value)


def _cut_singles(cuts: CutEntries, letter: str, label: str) -> None:
    places = cuts.places(label)
    for name, value in cuts.active(f"pt{letter}", f"pt{letter}max"):
        cuts.cut_each(name, label, places, f"pt_{end_of(name)}", value)
    for name, value in cuts.active(f"eta{letter}", f"eta{letter}min"):
        cuts.cut_each(name, label, places, f"{cuts.rapidity(places)}_{end_of(name)}", value)
    for name, value in cuts.active(f"e{letter}", f"e{letter}max"):
        cuts.cut_each(name, label, places, f"{cuts.energy}_{end_of(name)}", value)


def _cut_pairs(cuts: CutEntries, pair: str) -> None:
    labels = [CLASSES[letter] for letter in pair]
    for name, value in cuts.active(f"dr{pair}", f"dr{pair}max"):
        _cut_both(cuts, name, labels, f"dr_{end_of(name)}", value)
    if pair in ("jj", "bb", "aa"):
        for name, value in cuts.active(f"mm{pair}", f"mm{pair}max"):
            _cut_both(cuts, name, labels, f"mass_{end_of(name)}", value)
    if pair != "ll":
        return
    places = cuts.places("lepton")
    for name, value in cuts.active("mmll", "mmllmax"):  # one flavour, opposite charges
        names = cuts.names("lepton", places)
        if names is None:
            cuts.refuse_mixed(name)
        elif names == ("lepton",):
            cuts.card.cut("lepton", f"sfos_mass_{end_of(name)}", value)
        else:
            for leptons in cuts.lepton_pairs(places):
                cuts.card.cut(leptons, f"mass_{end_of(name)}", value)


def _cut_both(cuts: CutEntries, name: str, labels: list[str], key: str, value: float) -> None:
    """Put a cut on every pair of particles of two classes."""
    same = labels[0] == labels[1]
    first, second = (cuts.names(label, cuts.places(label)) for label in labels)
    if first == () or second == () or (same and is_alone(cuts.places(labels[0]))):
        return
    if first is None or second is None:
        cuts.refuse_mixed(name)
        return
    for names in combinations_with_replacement(first, 2) if same else product(first, second):
        cuts.card.cut(",".join(names), key, value)


def _cut_particles(cuts: CutEntries, kind: str, end: str) -> None:
    """Put the cuts by PDG code on "pt", "e" or "eta", which hold for particle and antiparticle."""
    name = f"{kind}_{end}_pdg"
    for pdg, value in cuts.run.of_particles(name).items():
        places = cuts.final.places({pdg, -pdg}, cuts.cut_decays)
        if not places or (value <= 0 if end == "min" else value < 0):
            continue
        observable = {"pt": "pt", "e": cuts.energy, "eta": cuts.rapidity(places)}[kind]
        cuts.cut_each(name, "", places, f"{observable}_{end}", value)


def _cut_pairs_of_particle(cuts: CutEntries, pdg: int, value: float) -> None:
    """Put a least mass on pairs of a particle, or on those with its antiparticle only."""
    places = cuts.final.places({pdg, -pdg}, cuts.cut_decays)
    names = cuts.names("", places)
    if names is None:
        cuts.refuse_mixed("mxx_min_pdg")
        return
    opposite = cuts.run.of_opposite_pairs("mxx_only_part_antipart", pdg)
    for pair in combinations(names, 2) if opposite else combinations_with_replacement(names, 2):
        cuts.card.cut(",".join(pair), "mass_min", value)
