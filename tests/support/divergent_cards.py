"""Cards whose cross section is finite, and cards whose is not, by what theory says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from madnis_py.card.card import Card

Cuts = dict[str, Any]

FIXED = {"energy": [125.0, 125.0], "pdf": "none"}
Z_POLE = {"energy": [45.594, 45.594], "pdf": "none"}
HADRONS = {"energy": [6500.0, 6500.0], "pdf": "toy"}


@dataclass(frozen=True, eq=False)
class Case:
    """A process with cuts.

    Attributes:
        definition: of the process; partons have fixed energies where no proton is named.
        cuts: table of the card.
        parameters: table of the card.
        beams: table of the card.
    """

    definition: str
    cuts: Cuts = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    beams: dict[str, Any] | None = None

    @property
    def card(self) -> Card:
        """The card; its errors name it "case"."""
        beams = self.beams or (HADRONS if self.definition.startswith("p p") else FIXED)
        tables = {
            "process": {"definition": self.definition},
            "cuts": self.cuts,
            "parameters": self.parameters,
        }
        return Card.parse({**tables, "beams": beams}, "case")

    @property
    def has_hadrons(self) -> bool:
        """Whether the beams are protons."""
        return (self.beams or HADRONS) == HADRONS and (
            self.beams is not None or self.definition.startswith("p p")
        )

    @property
    def is_small(self) -> bool:
        """Whether it is integrated in no time: two final particles of single partons."""
        return len(self.definition.split()) == 5 and not self.definition.startswith("p p > j")

    def __str__(self) -> str:
        cuts = " ".join(
            f"{name}:{key}={value}" for name, cut in self.cuts.items() for key, value in cut.items()
        )
        return f"{self.definition} [{cuts}]" + "".join(
            f" {key}={value:g}" for key, value in self.parameters.items()
        )


JETS: Cuts = {"jet": {"pt_min": 20.0}, "jet,jet": {"dr_min": 0.4}}
PHOTON: Cuts = {"photon": {"pt_min": 10.0}}
PAIR: Cuts = {"mu+,mu-": {"mass_min": 10.0}}
ISOLATED: Cuts = {"photon,lepton": {"dr_min": 0.4}}
APART: Cuts = {"mu+,mu-": {"dr_min": 0.4}}

PAIR_OF_QUARKS: Cuts = {"jet,jet": {"mass_min": 10.0}}

FINITE = (
    # only massive propagators
    Case("p p > e+ ve"),
    Case("p p > w+, w+ > e+ ve"),
    Case("p p > z, z > mu+ mu-"),
    Case("p p > e+ e- / a"),
    Case("p p > ve ve~"),
    Case("u u~ > ve ve~ vm vm~", beams=HADRONS),
    Case("p p > w+ w-"),
    Case("p p > z z"),
    Case("p p > w+ z, w+ > e+ ve, z > mu+ mu-"),
    Case("p p > z h"),
    Case("e+ e- > ve ve~"),
    Case("e+ e- > w+ w-"),
    Case("e- a > ve w-"),
    Case("a a > w+ w-"),
    Case("ve d > e- u"),
    Case("e- mu+ > ve vm~"),
    # masses that regulate
    Case("p p > t t~"),
    Case("p p > b b~"),
    Case("p p > ta+ ta-"),
    Case("a a > ta+ ta-"),
    Case("a a > mu+ mu-", parameters={"MM": 0.10566}),
    Case("g g > t t~, t > b w+, t~ > b~ w-", beams=HADRONS),
    Case("e+ e- > mu+ mu- ve ve~", parameters={"MM": 0.10566}),
    # a fixed energy
    Case("e+ e- > mu+ mu-"),
    Case("e+ e- > mu+ mu-", beams=Z_POLE),
    Case("e+ e- > z a", {"photon": {"eta_max": 2.5}}),
    Case("e+ e- > a a", {"photon": {"eta_max": 2.5}}),
    Case("e+ e- > e+ e-", {"e-": {"eta_max": 2.5}}),
    # one cut per pole
    Case("p p > e+ e-", {"e+,e-": {"mass_min": 15.0}}),
    Case("p p > e+ e-", {"event": {"sqrt_s_min": 15.0}}),
    Case("p p > e+ e-", {"lepton": {"sfos_mass_min": 15.0}}),
    Case("p p > e+ e-", {"lepton": {"pt_min": 10.0}}),
    Case("p p > e+ e-", {"lepton": {"energy_min": 10.0, "eta_max": 2.5}}),
    Case("e+ e- > e+ e-", {"lepton": {"pt_min": 10.0}}),
    Case("a a > mu+ mu-", {"lepton": {"pt_min": 10.0}}),
    Case("e- a > e- z", {"e-": {"pt_min": 10.0}}),
    Case("u d~ > w+ a", PHOTON, beams=HADRONS),
    Case("p p > z j", {"jet": {"pt_min": 20.0}}),
    Case("p p > z a", PHOTON),
    Case("p p > a a", PHOTON),
    Case("g g > g g", {"jet": {"pt_min": 20.0}}, beams=HADRONS),
    Case("e+ e- > ta+ ta- a", {"photon": {"energy_min": 10.0, "eta_max": 2.5}}),
    Case("e+ e- > mu+ mu- a", PHOTON | PAIR | ISOLATED),
    Case("e+ e- > mu+ mu- a", PHOTON | ISOLATED | APART),  # muons may be soft, which is integrable
    Case("e+ e- > u u~ g", {"jet,jet": {"mass_min": 10.0}}),
    Case("e+ e- > mu+ mu- ta+ ta-", PAIR),
    Case("p p > e+ e- j", {"e+,e-": {"mass_min": 15.0}, "jet": {"pt_min": 20.0}}),
    Case("g g > g g g", JETS, beams=HADRONS),
    # what follows from momentum conservation
    Case("p p > e+ e-", {"e+": {"pt_min": 10.0}}),
    Case("g g > g g", {"jet[1]": {"pt_min": 20.0}}, beams=HADRONS),
    Case("g g > g g", {"event": {"ht_min": 40.0}}, beams=HADRONS),
    Case("p p > a j", PHOTON),
    Case("p p > z j", {"z": {"pt_min": 20.0}}),
    Case("p p > z j", {"event": {"ht_min": 50.0}}),
    Case("p p > ve ve~ j", {"event": {"missing_pt_min": 100.0}}),
    Case("p p > e+ e- j", {"e+,e-": {"mass_min": 15.0, "pt_sum_min": 20.0}}),
    Case(
        "e+ e- > mu+ mu- a",
        {"mu+,mu-": {"mass_min": 20.0, "mass_max": 80.0}, "photon": {"eta_max": 2.0}} | ISOLATED,
    ),
    Case("g g > g g g", {"jet": {"pt_min": 20.0}, "jet[2],jet[3]": {"dr_min": 0.4}}, beams=HADRONS),
    # smooth isolation
    Case("u g > u g a", JETS | {"photon": {"pt_min": 10.0, "isolation": {}}}, beams=HADRONS),
    Case("p p > e+ ve a", {"photon": {"pt_min": 10.0, "isolation": {"epsilon": 0.1}}}),
    Case(
        "e+ e- > u u~ a",
        PAIR_OF_QUARKS | {"photon": {"pt_min": 10.0, "isolation": {"exponent": 0, "epsilon": 0}}},
    ),
    # distances other than Delta R, and all of a class
    Case("e+ e- > mu+ mu- a", PHOTON | ISOLATED | {"mu+,mu-": {"dphi_min": 0.4}}),
    Case("e+ e- > mu+ mu- a", PHOTON | PAIR | {"photon,lepton": {"deta_min": 0.4}}),
    Case("g g > g g g", {"jet": {"pt_min": 20.0}, "jet,jet": {"dy_min": 0.4}}, beams=HADRONS),
    Case("g g > g g g", {"jet": {"pt_min": 20.0}, "jet,jet": {"deta_min": 0.4}}, beams=HADRONS),
    Case("p p > e+ e-", {"lepton": {"system_mass_min": 15.0}}),
    Case("p p > e+ e-", {"lepton": {"partonic_energy_min": 10.0}}),
    Case("e+ e- > ta+ ta- a", {"photon": {"partonic_energy_min": 10.0, "eta_max": 2.5}}),
    Case("g g > g g", {"jet[1],jet[2]": {"ht_min": 40.0}}, beams=HADRONS),
    Case("e+ e- > e+ e-", {"e+,e-": {"deta_max": 4.0}}),
    # soft quarks are integrable
    Case("u g > z u", {"u": {"eta_max": 2.5}}, beams=HADRONS),
    # resonances without width that stay away from their pole
    Case("p p > e+ e-", {"e+,e-": {"mass_min": 100.0}}, {"WZ": 0.0}),
    Case("p p > e+ e-", {"e+,e-": {"mass_min": 15.0, "mass_max": 80.0}}, {"WZ": 0.0}),
    Case("e+ e- > mu+ mu-", parameters={"WZ": 0.0}),
    Case("g g > t t~", parameters={"WT": 0.0}, beams=HADRONS),
    Case("g g > t t~ a", PHOTON, {"WT": 0.0}, HADRONS),
)

DIVERGENT = (
    # the energy of the partons
    (Case("p p > e+ e-"), "the mass of e+ and e-"),
    (Case("p p > e+ e-", {"lepton": {"eta_max": 2.5}}), "the mass of e+ and e-"),
    (Case("p p > e+ e-", {"lepton": {"energy_min": 10.0}}), "the mass of e+ and e-"),
    (Case("p p > e+ e-", {"e+,e-": {"dr_min": 0.4}}), "the mass of e+ and e-"),
    (Case("p p > e+ e-", {"e+,e-": {"mass_max": 80.0}}), "the mass of e+ and e-"),
    (Case("g g > g g", {"jet": {"eta_max": 2.5}}, beams=HADRONS), "the mass of g and g"),
    (
        Case("p p > e+ e-", {"e+,e-": {"dphi_min": 0.4, "deta_min": 0.4}}),
        "the mass of e+ and e-",
    ),
    # along the beam
    (Case("e+ e- > e+ e-"), "e+ from becoming parallel to the beam"),
    (Case("e+ e- > e+ e-", {"e+,e-": {"mass_min": 10.0}}), "e+ from becoming parallel to the beam"),
    (Case("e- mu- > e- mu-"), "e- from becoming parallel to the beam"),
    (Case("e- u > e- u", {"e-": {"energy_min": 10.0}}), "e- from becoming parallel to the beam"),
    (Case("u d > u d", beams=HADRONS), "u from becoming parallel to the beam"),
    (Case("a a > mu+ mu-"), "mu+ from becoming parallel to the beam"),
    (Case("e- a > e- a"), "from becoming parallel to the beam"),
    (Case("e- a > e- z"), "e- from becoming parallel to the beam"),
    (Case("e- a > e- z", {"e-": {"energy_min": 10.0}}), "e- from becoming parallel to the beam"),
    (Case("e+ e- > a a"), "a from becoming parallel to the beam"),
    (Case("e+ e- > z a"), "a from becoming parallel to the beam"),
    (Case("u g > z u", beams=HADRONS), "u from becoming parallel to the beam"),
    (Case("p p > j j", {"jet,jet": {"mass_min": 100.0}}), "from becoming parallel to the beam"),
    (Case("g g > g g", beams=HADRONS), "from becoming parallel to the beam"),
    (
        Case("u u~ > z g", {"event": {"sqrt_s_min": 200.0}}, beams=HADRONS),
        "from becoming parallel to the beam",
    ),
    (
        Case("e+ e- > e+ e- ta+ ta-", {"e+": {"pt_min": 10.0}}),
        "e- from becoming parallel to the beam",
    ),
    (
        Case(
            "e+ e- > ta+ ta- mu+ mu-",
            {"mu+": {"energy_min": 5.0}, "mu-": {"energy_min": 5.0}} | APART,
        ),
        "mu+ and mu- from becoming parallel to the beam",
    ),
    (
        Case("p p > j j", {"jet,jet": {"deta_min": 1.0, "mass_min": 100.0, "eta_product_max": 0}}),
        "from becoming parallel to the beam",
    ),
    (
        Case("e- a > e- z", {"e-": {"partonic_energy_min": 10.0}}),
        "e- from becoming parallel to the beam",
    ),
    # soft
    (Case("p p > z a"), "a from becoming soft"),
    (Case("p p > z j"), "g from becoming soft"),
    (Case("p p > z j", {"jet": {"eta_max": 2.5}}), "g from becoming soft"),
    (Case("u u~ > ve ve~ g", {"jet": {"eta_max": 2.5}}, beams=HADRONS), "g from becoming soft"),
    (Case("p p > w+ j"), "g from becoming soft"),
    (Case("g g > t t~ g", {"jet": {"eta_max": 2.5}}, beams=HADRONS), "g from becoming soft"),
    (Case("g g > b b~ g", {"jet": {"eta_max": 2.5}}, beams=HADRONS), "g from becoming soft"),
    (Case("g g > t t~ a"), "a from becoming soft"),
    (Case("ve ve~ > w+ w- a"), "a from becoming soft"),
    (Case("e+ e- > ta+ ta- a", {"photon": {"eta_max": 2.5}}), "a from becoming soft"),
    (
        Case("e+ e- > mu+ mu- a", {"photon": {"eta_max": 2.0}} | PAIR | ISOLATED),
        "a from becoming soft",
    ),
    (Case("e+ e- > u u~ g", {"jet,jet": {"dr_min": 0.4}}), "g from becoming soft"),
    (Case("p p > z, z > mu+ mu- a", PAIR), "a from becoming soft"),
    (
        Case(
            "u u~ > a a g",
            PHOTON | {"photon,photon": {"dr_min": 0.4}, "photon,jet": {"dr_min": 0.4}},
            beams=HADRONS,
        ),
        "becoming soft",
    ),
    (
        Case(
            "g g > g g g", {"jet[1]": {"pt_min": 20.0}, "jet,jet": {"dr_min": 0.4}}, beams=HADRONS
        ),
        "g from becoming soft",
    ),
    (Case("g g > g g g", {"event": {"ht_min": 100.0}}, beams=HADRONS), "g from becoming soft"),
    (
        Case("e+ e- > ta+ ta- mu+ mu-", {"mu+": {"eta_max": 2.5}, "mu-": {"eta_max": 2.5}} | APART),
        "mu+ and mu- from becoming soft",
    ),
    # collinear pairs
    (
        Case("p p > e+ e- j", {"jet": {"pt_min": 20.0}}),
        "e+ and e- from becoming parallel (pole of the propagator of a)",
    ),
    (
        Case("e+ e- > mu+ mu- a", PHOTON | ISOLATED),
        "mu+ and mu- from becoming parallel (pole of the propagator of a)",
    ),
    (
        Case("e+ e- > mu+ mu- a", PHOTON | PAIR),
        "mu- and a from becoming parallel (pole of the propagator of mu-)",
    ),
    (Case("e+ e- > mu+ mu- ve ve~"), "mu+ and mu- from becoming parallel"),
    (
        Case("e+ e- > ta+ ta- a", PHOTON, {"MTA": 0.0, "ymtau": 0.0}),
        "ta- and a from becoming parallel",
    ),
    (
        Case("e+ e- > u u~ g", {"jet": {"energy_min": 10.0}}),
        "g from becoming parallel (pole of the propagator of u)",
    ),
    (Case("e+ e- > z h, z > u u~ g", {"jet": {"energy_min": 5.0}}), "g from becoming parallel"),
    (
        Case("u u~ > e+ e- mu+ mu-", {"e+,e-": {"mass_min": 10.0}}, beams=HADRONS),
        "mu+ and mu- from becoming parallel",
    ),
    (
        Case("u g > u g a", JETS | {"photon": {"isolation": {}}}, beams=HADRONS),
        "a from becoming soft",
    ),
    (
        Case("e+ e- > u u~ a", {"photon": {"pt_min": 10.0, "isolation": {}}}),
        "u and u~ from becoming parallel",
    ),
    (
        Case(
            "u g > u g a",
            JETS | {"photon": {"pt_min": 10.0, "isolation": {"exponent": 0.0, "epsilon": 30}}},
            beams=HADRONS,
        ),
        "a from becoming parallel",
    ),
    (
        Case(
            "p p > e+ ve a",
            {"photon": {"pt_min": 10.0, "isolation": {"electromagnetic": False}}},
        ),
        "e+ and a from becoming parallel",
    ),
    (Case("p p > e+ ve a", PHOTON), "e+ and a from becoming parallel"),
    (Case("u g > u g a", JETS | PHOTON, beams=HADRONS), "a from becoming parallel"),
    (
        Case("g g > g g g", {"jet": {"pt_min": 50.0}}, beams=HADRONS),
        "g and g from becoming parallel",
    ),
    (
        Case(
            "g g > g g g",
            {"jet": {"pt_min": 20.0}, "jet[1],jet[2]": {"dr_min": 0.4}},
            beams=HADRONS,
        ),
        "g and g from becoming parallel",
    ),
)
"""Cases and what their message says."""

NO_WIDTH = (
    (
        Case(
            "g g > t t~, t > b w+, t~ > b~ w-",
            parameters={"WT": 0.0},
            beams=FIXED | {"energy": [500.0, 500.0]},
        ),
        "WT",
    ),
    (Case("e+ e- > mu+ mu-", parameters={"WZ": 0.0}, beams=Z_POLE), "WZ"),
    (Case("p p > e+ e-", {"e+,e-": {"mass_min": 15.0}}, {"WZ": 0.0}), "WZ"),
    (
        Case("p p > e+ e- j", {"e+,e-": {"mass_min": 15.0}, "jet": {"pt_min": 20.0}}, {"WZ": 0.0}),
        "WZ",
    ),
    (Case("p p > e+ ve", parameters={"WW": 0.0}), "WW"),
    (Case("e+ e- > z b b~", parameters={"WH": 0.0}), "WH"),
    (Case("p p > t b~ w-", parameters={"WT": 0.0}), "WT"),
    (Case("e+ e- > w+ w-, w+ > e+ ve, w- > mu- vm~", parameters={"WW": 0.0}), "WW"),
)
"""Cases with a resonance that has no width, and the parameter that is it."""
