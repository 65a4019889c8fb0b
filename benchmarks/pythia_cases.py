"""Processes that Pythia and this package compute at leading order, with the same cuts.

Only processes are listed that Pythia computes completely: no approximate interference, no K
factors, final particles on their mass shells. Cross sections of several definitions add up, since
one process of Pythia may stand for both charges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Cuts = Mapping[str, Mapping[str, float]]

LEPTONS = ("11", "-11")
"""Beams of Pythia for e- e+ without structure; protons otherwise."""


@dataclass(frozen=True)
class Case:
    """A process in the terms of both programs.

    Attributes:
        definitions: ours; their cross sections are added.
        energy: of each beam in GeV.
        pythia: settings of Pythia besides those that all cases share.
        observable: name of a function of `pythia_observables`.
        cuts: table of the card.
        parameters: of the card, where they are not the defaults.
        leptons: whether e- and e+ collide (in this order), not protons.
        strong: whether the strong coupling is among those of the leading order.
        final_z: how many final particles Pythia takes for gamma*/Z.
    """

    definitions: tuple[str, ...]
    energy: float
    pythia: tuple[str, ...]
    observable: str
    cuts: Cuts = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    leptons: bool = False
    strong: bool = False
    final_z: int = 0

    @property
    def name(self) -> str:
        """The definitions, as a table shows them."""
        return " + ".join(self.definitions)

    def card(self, definition: str, pdf: str, scale: float) -> dict[str, Any]:
        """The tables of our card for one of the definitions.

        Args:
            definition: one of `definitions`.
            pdf: folder of the parton densities.
            scale: of factorisation and renormalisation in GeV.
        """
        return {
            "process": {"definition": definition},
            "beams": {"energy": [self.energy] * 2, "pdf": "none" if self.leptons else pdf},
            "scales": {"factorization": scale, "renormalization": scale},
            "parameters": dict(self.parameters),
            "cuts": {name: dict(table) for name, table in self.cuts.items()},
            "systematics": {"scale_factors": [], "pdf_members": False},
            "training": {"preset": "quick"},
        }


def _electroweak(definitions: str, pythia: str, observable: str = "pt", **more: Any) -> Case:
    return Case(
        tuple(definitions.split(" + ")), 6500.0, tuple(pythia.split("; ")), observable, **more
    )


def _pp(definitions: str, pythia: str, observable: str = "pt", **more: Any) -> Case:
    return _electroweak(definitions, pythia, observable, strong=True, **more)


def _ee(
    definition: str, energy: float, pythia: str, observable: str = "abs_cos_theta", **more: Any
) -> Case:
    return Case(
        (definition,), energy / 2, tuple(pythia.split("; ")), observable, leptons=True, **more
    )


def _pt_min(cut: float, *names: str) -> dict[str, Mapping[str, float]]:
    return {name: {"pt_min": cut} for name in names}


_PT50 = "PhaseSpace:pTHatMin = 50"
_ALL_DIJETS = "; ".join(
    f"HardQCD:{name} = on"
    for name in ("gg2gg", "gg2qqbar", "qg2qg", "qq2qq", "qqbar2gg", "qqbar2qqbarNew")
)
_Z_ONLY = "WeakZ0:gmZmode = 2"
_FULL = "WeakZ0:gmZmode = 0"
_MUONS = "23:onMode = off; 23:onIfAny = 13"

CASES: tuple[Case, ...] = (
    _pp(
        "p p > j j QED=0",
        f"{_ALL_DIJETS}; HardQCD:nQuarkNew = 4; {_PT50}",
        cuts=_pt_min(50.0, "jet"),
    ),
    _pp("g g > g g", f"HardQCD:gg2gg = on; {_PT50}", "rapidity", cuts=_pt_min(50.0, "jet")),
    _pp(
        "g g > d d~",
        f"HardQCD:gg2qqbar = on; HardQCD:nQuarkNew = 1; {_PT50}",
        cuts=_pt_min(50.0, "jet"),
    ),
    _pp(
        "p p > g g",
        f"HardQCD:gg2gg = on; HardQCD:qqbar2gg = on; {_PT50}",
        "mass",
        cuts=_pt_min(50.0, "jet"),
    ),
    _pp("p p > b b~", f"HardQCD:hardbbbar = on; {_PT50}", "mass", cuts=_pt_min(50.0, "bottom")),
    _pp("p p > t t~", "Top:gg2ttbar = on; Top:qqbar2ttbar = on"),
    _pp("g g > t t~", "Top:gg2ttbar = on", "mass"),
    _pp(
        "g g > g g g",
        "HardQCD:gg2ggg = on; PhaseSpace:pTHat3Min = 50; PhaseSpace:pTHat5Min = 50; "
        "PhaseSpace:RsepMin = 0.7",
        cuts=_pt_min(50.0, "jet") | {"jet,jet": {"dr_min": 0.7}},
    ),
    _pp(
        "p p > a j",
        f"PromptPhoton:qg2qgamma = on; PromptPhoton:qqbar2ggamma = on; {_PT50}",
        cuts=_pt_min(50.0, "photon", "jet"),
    ),
    _electroweak(
        "p p > a a",
        f"PromptPhoton:ffbar2gammagamma = on; {_PT50}",
        "rapidity",
        cuts=_pt_min(50.0, "photon"),
    ),
    _electroweak(
        "p p > mu+ mu-",
        f"WeakSingleBoson:ffbar2ffbar(s:gmZ) = on; {_FULL}; {_MUONS}; PhaseSpace:mHatMin = 150",
        "mass",
        cuts={"mu+,mu-": {"mass_min": 150.0}},
    ),
    _electroweak(
        "p p > e+ ve + p p > e- ve~",
        "WeakSingleBoson:ffbar2ffbar(s:W) = on; 24:onMode = off; 24:onIfAny = 11; "
        "PhaseSpace:mHatMin = 150",
        cuts={"lepton,missing": {"mass_min": 150.0}},
    ),
    _pp(
        "p p > z j",
        f"WeakBosonAndParton:qqbar2gmZg = on; WeakBosonAndParton:qg2gmZq = on; {_Z_ONLY}; {_PT50}",
        cuts=_pt_min(50.0, "jet"),
        final_z=1,
    ),
    _pp(
        "p p > w+ j + p p > w- j",
        f"WeakBosonAndParton:qqbar2Wg = on; WeakBosonAndParton:qg2Wq = on; {_PT50}",
        "rapidity",
        cuts=_pt_min(50.0, "jet"),
    ),
    _electroweak(
        "p p > z a",
        f"WeakBosonAndParton:ffbar2gmZgm = on; {_Z_ONLY}; {_PT50}",
        cuts=_pt_min(50.0, "photon"),
        final_z=1,
    ),
    _electroweak(
        "p p > w+ a + p p > w- a",
        f"WeakBosonAndParton:ffbar2Wgm = on; {_PT50}",
        cuts=_pt_min(50.0, "photon"),
    ),
    _electroweak("p p > z z", f"WeakDoubleBoson:ffbar2gmZgmZ = on; {_Z_ONLY}", final_z=2),
    _electroweak("p p > w+ w-", f"WeakDoubleBoson:ffbar2WW = on; {_FULL}", "mass"),
    _electroweak("p p > w+ z + p p > w- z", "WeakDoubleBoson:ffbar2ZW = on"),
    _electroweak("p p > h z", "HiggsSM:ffbar2HZ = on"),
    _electroweak("p p > h w+ + p p > h w-", "HiggsSM:ffbar2HW = on", "rapidity"),
    _pp("g g > t t~ h", "HiggsSM:gg2Httbar = on", "mass"),
    _ee(
        "e- e+ > mu- mu+",
        200.0,
        f"WeakSingleBoson:ffbar2ffbar(s:gmZ) = on; {_FULL}; {_MUONS}",
        "cos_theta",
    ),
    _ee("e- e+ > w+ w-", 200.0, f"WeakDoubleBoson:ffbar2WW = on; {_FULL}"),
    _ee("e- e+ > z z", 200.0, f"WeakDoubleBoson:ffbar2gmZgmZ = on; {_Z_ONLY}", final_z=2),
    _ee("e- e+ > h z", 250.0, "HiggsSM:ffbar2HZ = on"),
    _ee("e- e+ > t t~", 500.0, f"Top:ffbar2ttbar(s:gmZ) = on; {_FULL}"),
    _ee(
        "e- e+ > a a",
        200.0,
        "PromptPhoton:ffbar2gammagamma = on; PhaseSpace:pTHatMin = 20",
        cuts=_pt_min(20.0, "photon"),
    ),
)
