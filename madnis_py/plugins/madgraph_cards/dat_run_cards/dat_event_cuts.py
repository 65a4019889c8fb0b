"""Cuts of a run_card.dat on ranks, sums and the whole event, which hold for decay products too.

MadEvent's `cuts.f`; conventions are those of `dat_cuts`.
"""

from __future__ import annotations

from itertools import product

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_cuts import CutEntries, end_of
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import CLASSES
from madnis_py.plugins.madgraph_cards.final_particles import is_alone

_HEAVY = 10.0
"""GeV; MadEvent's `ptheavy` is about particles of larger mass."""


def translate_event_cuts(cuts: CutEntries) -> None:
    """Translate the cuts on ranks, on sums over several particles, and on the whole event."""
    _cut_ranks(cuts)
    _cut_sums_of_jets(cuts)
    for name, value in cuts.active("dsqrt_shat", "dsqrt_shatmax"):
        cuts.card.cut("event", f"sqrt_s_{end_of(name)}", value)
    _cut_missing_momentum(cuts)
    _cut_opposite_jets(cuts)
    heavy = {pdg for leg in cuts.final.legs for pdg in leg.pdgs if cuts.final.mass(pdg) > _HEAVY}
    for _, value in cuts.active("ptheavy"):  # of one of them at least
        hardest = cuts.final.one_name("", cuts.final.places(heavy))
        if hardest:
            rank = "" if cuts.final.count(heavy) == (1, 1) else "[1]"
            cuts.card.cut(f"{hardest}{rank}", "pt_min", value)
    _cut_sums_of_leptons(cuts)
    _isolate_photons(cuts)


def _isolate_photons(cuts: CutEntries) -> None:
    """Put ptgmin, R0gamma, xn, epsgamma and isoEM: smooth isolation, in place of pta and draj."""
    run, places = cuts.run, cuts.final.places(cuts.codes["jet"])
    isolation: dict[str, object] = {
        "radius": run.number("r0gamma"),
        "exponent": abs(run.number("xn")),
        "epsilon": run.number("epsgamma"),
        "electromagnetic": run.flag("isoem"),
    }
    least = run.number("ptgmin")
    fewest, most = cuts.final.count(cuts.codes["photon"])
    if least == 0 or most == 0:
        return
    if any(cuts.active("xetamin", "deltaeta")) and cuts.final.count(cuts.codes["jet"])[0] < 2:
        meaning = "with xetamin or deltaeta MadEvent isolates no photon of events without two jets"
        cuts.refuse("ptgmin", meaning, "set xetamin and deltaeta to 0")
        return
    if jets := cuts.final.one_name("jet", places):
        isolation["partons"] = jets
    cuts.card.cut("photon", "isolation", isolation)
    if least > 0 and cuts.places("photon") == cuts.final.places(cuts.codes["photon"]):
        cuts.card.cut("photon", "pt_min", least)
    elif least > 0 and fewest == most:  # those of decays too: the softest
        cuts.card.cut(f"photon[{most}]", "pt_min", least)
    elif least > 0:
        cuts.refuse_too_few("ptgmin", f"{most} photons", fewest)


def _cut_missing_momentum(cuts: CutEntries) -> None:
    """Put misset: an event without neutrinos passes."""
    least, most = cuts.final.count(cuts.codes["missing"])
    for name, value in cuts.active("misset", "missetmax"):
        if least == 0 < most and end_of(name) == "min":
            meaning = "some events have neutrinos, those without pass"
            cuts.refuse(name, meaning, "set it to 0, or import these processes one by one")
        elif most > 0:
            cuts.card.cut("event", f"missing_pt_{end_of(name)}", value)


def _cut_ranks(cuts: CutEntries) -> None:
    ranked = {
        letter: [f"pt{letter}{rank}{end}" for rank, end in product(range(1, 5), ("min", "max"))]
        for letter in "jl"
    }
    if cuts.run.whole("cutuse") != 0:
        ranked["j"] = _one_of_ranks(cuts, ranked["j"])
    for letter, names in ranked.items():
        for name, value in cuts.active(*names):
            _cut_rank(cuts, name, CLASSES[letter], int(name[3]), value)
    for letter, label in CLASSES.items():
        for name, value in cuts.active(f"xpt{letter}"):
            _cut_rank(cuts, name, label, 1, value)


def _one_of_ranks(cuts: CutEntries, names: list[str]) -> list[str]:
    """The cuts that are left with cutuse = 1: one of the four hardest jets has to pass its own.

    A jet without a cut passes, and none is left where every event has one.
    """
    least, most = cuts.final.count(cuts.codes["jet"])
    cut = {int(name[3]) for name, _ in cuts.active(*names)}
    numbers = [min(number, 4) for number in range(max(least, 1), most + 1)]
    if not any(set(range(1, number + 1)) <= cut for number in numbers):
        return []
    if (least, most) != (1, 1):
        meaning = "an event is kept if one of its jets passes its cut"
        cuts.refuse("cutuse", meaning, "set cutuse = 0")
    return [name for name in names if int(name[3]) <= most]


def _cut_rank(cuts: CutEntries, name: str, label: str, rank: int, value: float) -> None:
    """Put a cut on the rank-th particle of a class by transverse momentum."""
    codes = cuts.codes[label]
    least, most = cuts.final.count(codes)
    if end_of(name) == "max" and most < rank:
        return
    if least < rank:
        cuts.refuse_too_few(name, f"{rank} of class {label}", least, most < rank)
    else:
        ranked = f"{cuts.final.one_name(label, cuts.final.places(codes))}[{rank}]"
        cuts.card.cut(ranked, f"pt_{end_of(name)}", value)


def _cut_opposite_jets(cuts: CutEntries) -> None:
    """Put xetamin and deltaeta: the two hardest jets go to opposite sides, forward, far apart."""
    active = dict(cuts.active("xetamin", "deltaeta"))
    if not active or cuts.final.count(cuts.codes["jet"])[1] < 2:
        return
    massive = cuts.final.massive(cuts.final.places(cuts.codes["jet"]))
    hardest = _hardest_jets(cuts, 2)
    cuts.card.cut(",".join(hardest), "eta_product_max", 0.0)
    if "deltaeta" in active:
        distance = "dy" if massive else "deta"
        cuts.card.cut(",".join(hardest), f"{distance}_min", active["deltaeta"])
    if "xetamin" in active:
        for jet in hardest:
            cuts.card.cut(jet, "rapidity_min" if massive else "eta_min", active["xetamin"])


def _cut_sums_of_jets(cuts: CutEntries) -> None:
    jets, bottoms = cuts.codes["jet"], cuts.codes["bottom"]
    for name, value in cuts.active("htjmin", "htjmax"):
        _cut_sum(cuts, name, jets, value)
    for name, value in cuts.active("ihtmin", "ihtmax"):
        _cut_sum(cuts, name, jets | bottoms, value)
    most = cuts.final.count(jets)[1]
    for number in (2, 3, 4):
        for name, value in cuts.active(f"ht{number}min", f"ht{number}max"):
            if most >= number and (end_of(name) == "max" or cuts.allows_pt_sum(name, value)):
                hardest = ",".join(_hardest_jets(cuts, number))
                cuts.card.cut(hardest, f"ht_{end_of(name)}", value)


def _hardest_jets(cuts: CutEntries, number: int) -> list[str]:
    """Names of the jets with the largest transverse momenta."""
    jet = cuts.final.one_name("jet", cuts.final.places(cuts.codes["jet"]))
    return [f"{jet}[{rank}]" for rank in range(1, number + 1)]


def _cut_sum(cuts: CutEntries, name: str, codes: frozenset[int], value: float) -> None:
    """Put a cut on the sum of the transverse momenta of all particles of some kinds."""
    final, end = cuts.final, end_of(name)
    places, (least, most) = final.places(codes), final.count(codes)
    if end == "min" and least == 0:
        cuts.refuse_too_few(name, "one jet", 0, most == 0)
    elif places and (end == "max" or cuts.allows_pt_sum(name, value)):
        label = next((one for one in ("jet", "bottom") if final.names(one, places) == (one,)), "")
        cuts.card.cut(str(final.one_name(label, places)), f"ht_{end}", value)


def _cut_sums_of_leptons(cuts: CutEntries) -> None:
    """Put ptllmin and mmnl: pairs, and the mass, of charged leptons and neutrinos."""
    for name, value in cuts.active("ptllmin", "ptllmax"):
        neutrinos = cuts.final.places(cuts.codes["missing"])
        charged = cuts.final.places(cuts.codes["lepton"])
        pairs = cuts.lepton_pairs(charged)
        pairs += ["lepton,missing"] if charged and neutrinos else []
        pairs += ["missing,missing"] if neutrinos and not is_alone(neutrinos) else []
        if pairs and end_of(name) == "min" and _is_lepton_pair(cuts):
            meaning = "it is about the transverse momentum of the only two particles, which is 0"
            cuts.refuse_without_events(name, meaning, "set it to 0")
            continue
        for pair in pairs:
            cuts.card.cut(pair, f"pt_sum_{end_of(name)}", value)
    codes = cuts.codes["lepton"] | cuts.codes["missing"]
    least, most = cuts.final.count(codes)
    for name, value in cuts.active("mmnl", "mmnlmax"):
        if end_of(name) == "min" and least < 2:
            cuts.refuse_too_few(name, "two leptons or neutrinos", least, most < 2)
        elif most >= 2:
            cuts.card.cut("lepton|missing", f"system_mass_{end_of(name)}", value)


def _is_lepton_pair(cuts: CutEntries) -> bool:
    """Whether the final state is always one of the pairs that ptllmin is about, and nothing else.

    Of charged leptons these are pairs of one flavour with opposite charges.
    """
    charged, neutrinos = cuts.codes["lepton"], cuts.codes["missing"]
    return len(cuts.final.legs) == 2 and all(
        charged.union(neutrinos).issuperset(state)
        and (sum(state) == 0 or not neutrinos.isdisjoint(state))
        for state in cuts.final.states
    )
