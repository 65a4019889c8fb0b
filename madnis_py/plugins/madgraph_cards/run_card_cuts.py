"""MadEvent's cuts as cuts of ours, for the final particles of a process.

MadEvent's `setcuts.f` and `cuts.f`: jets are gluons and quarks up to `maxjetflavor`, heavier quarks
up to b are "b"; |rapidity| is cut on, not pseudorapidity; energies are those in the frame of the
partons; minima are off at 0, maxima below it; unless `cut_decays` is true, products of decay chains
pass the cuts on single particles and pairs, but not those on ranks, sums and missing momentum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import combinations, combinations_with_replacement, product

from madnis_py.plugins.madgraph_cards.final_particles import FinalParticles, Place, is_alone
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.run_card_entries import RunCard

_LETTERS = {"j": "jet", "b": "bottom", "a": "photon", "l": "lepton"}
_PAIRS = ("jj", "bb", "ll", "aa", "bj", "aj", "jl", "ab", "bl", "al")
_MAXIMA = ("etaj", "etab", "etaa", "etal")
_BY_HAND = "set it to its neutral value and write the cut into the card by hand"
_HEAVY = 10.0
"""GeV; MadEvent's `ptheavy` is about particles above it."""
_UNCUT = 20.0
"""GeV; particles above it pass MadEvent's cuts on jets, b, leptons and photons."""


class RunCardCuts:
    """The cuts of a run card, put into a card of ours.

    Args:
        run: the run card.
        final: the particles that it can cut on.
        card: where cuts go, and what cannot be translated.
        partonic: whether the laboratory is the frame of the partons.
    """

    def __init__(
        self, run: RunCard, final: FinalParticles, card: ImportedCard, partonic: bool
    ) -> None:
        self._run, self._final, self._card, self._partonic = run, final, card, partonic

    def translate(self) -> None:
        """All of them."""
        for letter in _LETTERS:
            self._singles(letter)
        for pair in _PAIRS:
            self._pairs(pair)
        self._particles()
        self._ranks()
        self._sums()
        self._leptons_and_neutrinos()
        self._photons()
        self._windows()

    @cached_property
    def _codes(self) -> dict[str, frozenset[int]]:
        """Class -> PDG codes that MadEvent counts to it."""
        heaviest = self._run.whole("maxjetflavor", 1, 6)
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

    def _wanted(self, label: str) -> frozenset[Place]:
        """What MadEvent's cuts on single particles and pairs of a class are about."""
        codes = {pdg for pdg in self._codes[label] if self._final.mass(pdg) <= _UNCUT}
        return self._final.places(codes, self._cut_decays)

    @cached_property
    def _cut_decays(self) -> bool:
        return self._run.flag("cut_decays")

    def _active(self, *names: str) -> Iterator[tuple[str, float]]:
        """Those of some entries that are on: a maximum from 0, a minimum above it."""
        for name in names:
            value = self._run.number(name)
            if value >= 0 if _end(name) == "max" else value > 0:
                yield name, value

    def _singles(self, letter: str) -> None:
        label = _LETTERS[letter]
        for name, value in self._active(f"pt{letter}", f"pt{letter}max"):
            self._each(name, label, self._wanted(label), "pt", value)
        for name, value in self._active(f"eta{letter}", f"eta{letter}min"):
            self._each(name, label, self._wanted(label), self._rapidity(self._wanted(label)), value)
        for name, value in self._active(f"e{letter}", f"e{letter}max"):
            if self._wanted(label) and not self._partonic:
                self._not_in_the_laboratory(name)
            else:
                self._each(name, label, self._wanted(label), "energy", value)

    def _rapidity(self, places: frozenset[Place]) -> str:
        """What MadEvent calls eta: the rapidity, which is the pseudorapidity where there is no mass."""
        return "rapidity" if self._final.massive(places) else "eta"

    def _not_in_the_laboratory(self, name: str) -> None:
        self._refuse(
            name,
            "energies are cut on in the frame of the partons, here in the laboratory",
            _BY_HAND,
        )

    def _each(
        self, name: str, label: str, places: frozenset[Place], observable: str, value: float
    ) -> None:
        """A cut on each particle that may be at some places."""
        names = self._final.names(label, places)
        if names is None:
            self._mixed(name)
        for one in names or ():
            self._card.cut(one, f"{observable}_{_end(name)}", value)

    def _pairs(self, pair: str) -> None:
        labels = [_LETTERS[letter] for letter in pair]
        for name, value in self._active(f"dr{pair}", f"dr{pair}max"):
            self._both(name, labels, f"dr_{_end(name)}", value)
        if pair in ("jj", "bb", "aa"):
            for name, value in self._active(f"mm{pair}", f"mm{pair}max"):
                self._both(name, labels, f"mass_{_end(name)}", value)
        if pair == "ll":
            for name, value in self._active("mmll", "mmllmax"):
                self._opposite(name, value)

    def _both(self, name: str, labels: list[str], key: str, value: float) -> None:
        """A cut on every pair of particles of two classes."""
        first, second = (self._final.names(label, self._wanted(label)) for label in labels)
        if (
            first == ()
            or second == ()
            or (labels[0] == labels[1] and is_alone(self._wanted(labels[0])))
        ):
            return
        if first is None or second is None:
            self._mixed(name)
            return
        pairs = (
            combinations_with_replacement(first, 2)
            if labels[0] == labels[1]
            else product(first, second)
        )
        for names in pairs:
            self._card.cut(",".join(names), key, value)

    def _opposite(self, name: str, value: float) -> None:
        """A cut on pairs of leptons of one flavour and opposite charges."""
        names = self._final.names("lepton", self._wanted("lepton"))
        if names is None:
            self._mixed(name)
        elif names == ("lepton",):
            self._card.cut("lepton", f"sfos_mass_{_end(name)}", value)
        else:
            for pair in self._lepton_pairs(self._wanted("lepton")):
                self._card.cut(pair, f"mass_{_end(name)}", value)

    def _lepton_pairs(self, places: frozenset[Place]) -> list[str]:
        """The pairs "e+,e-" that may be at some places."""
        found = {pdg for _, pdg in places}
        return [
            f"{self._final.name(-pdg)},{self._final.name(pdg)}"
            for pdg in (11, 13, 15)
            if {pdg, -pdg} <= found
        ]

    def _particles(self) -> None:
        """Cuts by PDG code, which hold for particle and antiparticle."""
        for kind, observable in (("pt", "pt"), ("e", "energy"), ("eta", "eta")):
            for end in ("min", "max"):
                name = f"{kind}_{end}_pdg"
                for pdg, value in self._run.of_particles(name).items():
                    self._of_particle(name, pdg, observable, value)
        for pdg, value in self._run.of_particles("mxx_min_pdg").items():
            if value > 0:
                self._pairs_of_particle(pdg, value)

    def _pairs_of_particle(self, pdg: int, value: float) -> None:
        """A least mass of pairs of a particle, or of pairs with its antiparticle only."""
        places = self._final.places({pdg, -pdg}, self._cut_decays)
        names = self._final.names("", places)
        if names is None:
            self._mixed("mxx_min_pdg")
            return
        opposite = self._run.of_opposite_pairs("mxx_only_part_antipart", pdg)
        for pair in combinations(names, 2) if opposite else combinations_with_replacement(names, 2):
            self._card.cut(",".join(pair), "mass_min", value)

    def _of_particle(self, name: str, pdg: int, observable: str, value: float) -> None:
        places = self._final.places({pdg, -pdg}, self._cut_decays)
        if not places or (value <= 0 if "_min_" in name else value < 0):
            return
        if observable == "energy" and not self._partonic:
            self._not_in_the_laboratory(name)
            return
        kind = self._rapidity(places) if observable == "eta" else observable
        names = self._final.names("", places)
        if names is None:
            self._mixed(name)
        for one in names or ():
            self._card.cut(one, f"{kind}_{name.split('_')[1]}", value)

    def _ranks(self) -> None:
        if self._run.whole("cutuse") != 0 and any(self._active(*_ranked("j"))):
            self._refuse(
                "cutuse", "an event is kept if one of its jets passes its cut", "set cutuse = 0"
            )
        for letter in "jl":
            for name, value in self._active(*_ranked(letter)):
                self._rank(name, _LETTERS[letter], int(name[3]), value)
        for letter, label in _LETTERS.items():
            for name, value in self._active(f"xpt{letter}"):
                if self._final.places(self._codes[label]):
                    self._rank(name, label, 1, value)

    def _rank(self, name: str, label: str, rank: int, value: float) -> None:
        """A cut on the rank-th particle of a class by transverse momentum."""
        least, most = self._final.count(self._codes[label])
        if _end(name) == "max" and most < rank:
            return
        if least < rank:
            self._too_few(name, f"{rank} of class {label}", least)
        elif self._whole_class(name, label):
            self._card.cut(f"{label}[{rank}]", f"pt_{_end(name)}", value)

    def _whole_class(self, name: str, label: str) -> bool:
        """Whether our class means what MadEvent's does; otherwise the entry is refused."""
        if self._final.names(label, self._final.places(self._codes[label])) == (label,):
            return True
        self._mixed(name)
        return False

    def _sums(self) -> None:
        jets, bottoms = self._codes["jet"], self._codes["bottom"]
        for name, value in self._active("htjmin", "htjmax"):
            self._sum(name, jets, value)
        for name, value in self._active("ihtmin", "ihtmax"):
            self._sum(name, jets | bottoms, value)
        least, most = self._final.count(jets)
        for number in (2, 3, 4):
            for name, value in self._active(f"ht{number}min", f"ht{number}max"):
                if (least, most) == (number, number):
                    self._sum(name, jets, value)
                elif most >= number:
                    self._refuse(
                        name,
                        f"sum of the {number} largest transverse momenta of more jets",
                        "set it to 0",
                    )
        for name, value in self._active("dsqrt_shat", "dsqrt_shatmax"):
            self._card.cut("event", f"sqrt_s_{_end(name)}", value)
        for name, value in self._active("misset", "missetmax"):
            self._card.cut("event", f"missing_pt_{_end(name)}", value)
        for name, _ in self._active("xetamin", "deltaeta"):
            if most >= 2:
                self._refuse(
                    name, "the two hardest jets go to opposite sides, far apart", "set it to 0"
                )
        self._heavy()

    def _sum(self, name: str, codes: frozenset[int], value: float) -> None:
        """A cut on the sum of the transverse momenta of all particles of some kinds."""
        places = self._final.places(codes)
        if not places:
            if _end(name) == "min":
                self._too_few(name, "one jet", 0)
            return
        everything = self._final.places({pdg for leg in self._final.legs for pdg in leg.pdgs})
        if places == everything:
            self._card.cut("event", f"ht_{_end(name)}", value)
            return
        for label in ("jet", "bottom"):
            if self._final.names(label, places) == (label,):
                if _end(name) == "min" and self._final.count(codes)[0] == 0:
                    self._too_few(name, "one jet", 0)
                else:
                    self._card.cut(label, f"ht_{_end(name)}", value)
                return
        self._mixed(name)

    def _heavy(self) -> None:
        """At least one particle above 10 GeV has so much transverse momentum; with one of them that is a cut on it."""
        heavy = {
            pdg for leg in self._final.legs for pdg in leg.pdgs if self._final.mass(pdg) > _HEAVY
        }
        for name, value in self._active("ptheavy"):
            if self._final.count(heavy) == (1, 1):
                self._each(name, "", self._final.places(heavy), "pt", value)
            elif heavy:
                self._refuse(
                    name,
                    "one of several heavy particles has so much transverse momentum",
                    "set it to 0",
                )

    def _leptons_and_neutrinos(self) -> None:
        for name, value in self._active("ptllmin", "ptllmax"):
            key = f"pt_sum_{_end(name)}"
            neutrinos = self._final.places(self._codes["missing"])
            charged = self._final.places(self._codes["lepton"])
            pairs = self._lepton_pairs(charged)
            pairs += ["lepton,missing"] if charged and neutrinos else []
            pairs += ["missing,missing"] if neutrinos and not is_alone(neutrinos) else []
            for pair in pairs:
                self._card.cut(pair, key, value)
        for name, value in self._active("mmnl", "mmnlmax"):
            self._mass_of_all_leptons(name, value)

    def _mass_of_all_leptons(self, name: str, value: float) -> None:
        """The mass of all charged leptons and neutrinos together."""
        codes = self._codes["lepton"] | self._codes["missing"]
        least, most = self._final.count(codes)
        together = [leg.pdgs for leg in self._final.legs if leg.pdgs & codes]
        if least < 2 or least != most:
            self._too_few(name, "two leptons or neutrinos", least)
        elif most == len(self._final.legs):
            self._card.cut("event", f"sqrt_s_{_end(name)}", value)
        elif all(len(pdgs) == 1 for pdgs in together):
            pdgs = [pdg for one in together for pdg in one]
            self._card.cut(",".join(map(self._final.name, pdgs)), f"mass_{_end(name)}", value)
        else:
            self._mixed(name)

    def _photons(self) -> None:
        if any(self._active("ptgmin")) and self._final.places({22}):
            self._refuse(
                "ptgmin",
                "photons are isolated smoothly (hep-ph/9801442)",
                "set it to 0 and use pta and draj",
            )

    def _windows(self) -> None:
        """Each decaying particle of a chain is within `bwcutoff` widths of its mass."""
        put_windows(
            self._final,
            self._run.number("bwcutoff"),
            self._card,
            lambda: self._run.shown("bwcutoff"),
        )

    def _mixed(self, name: str) -> None:
        why = (
            "decay products are not cut on (cut_decays = F)"
            if not self._cut_decays
            else "maxjetflavor"
        )
        self._refuse(
            name,
            f"it is about particles that no names of a card mean alone: {why}",
            "set cut_decays = T, or cut by hand",
        )

    def _too_few(self, name: str, wanted: str, got: int) -> None:
        self._refuse(
            name,
            f"it asks for {wanted} in every event, the process has {got} for sure",
            "set it to 0",
        )

    def _refuse(self, name: str, meaning: str, way_out: str) -> None:
        self._card.refuse("cuts", self._run.shown(name), meaning, way_out)


def put_windows(
    final: FinalParticles, widths: float, card: ImportedCard, shown: Callable[[], str]
) -> None:
    """Cut on the mass of each decaying particle of a chain as MadEvent does.

    Args:
        final: knows the chain.
        widths: half of the range in units of the width.
        card: where the cuts go.
        shown: the entry for a message.
    """
    if final.decays and widths <= 0:
        card.refuse(
            "cuts",
            shown(),
            "no decaying particle is on its mass shell",
            "give a number of widths > 0",
        )
        return
    lost: dict[str, None] = {}
    for decay in final.decays:
        if final.width(decay.parent) == 0:
            continue
        window = final.window(decay, widths)
        if window is None:
            lost[final.name(decay.parent)] = None
            continue
        names, least, most = window
        card.cut(names, "mass_min", least)
        card.cut(names, "mass_max", most)
    if lost:
        card.refuse(
            "cuts",
            shown(),
            f"{', '.join(lost)} is within so many widths of its mass, and no names of a card mean its products alone",
            "let every particle decay to others, or cut by hand",
        )


def _end(name: str) -> str:
    """The end of a range that an entry limits, "min" or "max"."""
    return "max" if name.endswith("max") or name in _MAXIMA else "min"


def _ranked(letter: str) -> tuple[str, ...]:
    return tuple(f"pt{letter}{rank}{end}" for rank, end in product(range(1, 5), ("min", "max")))
