"""Tables of a process card about the collision: process, parameters, beams, scales, merging."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from madnis_py.card.choices import CLUSTERING
from madnis_py.card.tables import CardTable
from madnis_py.card.values import (
    BeamEnergies,
    BeamScales,
    BeamTexts,
    Energy,
    Files,
    Flag,
    Indices,
    Legs,
    Masses,
    ParameterValue,
    Polarizations,
    Positive,
    QuarkFlavour,
    Scale,
    Setting,
    Text,
    Texts,
    as_list,
)


class MatrixElementTable(BaseModel):
    """process.matrix_element: provider of |M|^2; other keys than these are the provider's own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Setting]

    provider: Text = Field(
        description='Who computes: "umami", "standalone", "python", or a name that was registered.'
    )
    library: Files | None = Field(
        None, description="The provider's library, relative to the folder of the card."
    )
    flavor: Indices | None = Field(
        None, description="What the library calls the flavours (its flavour index)."
    )
    function: Files | None = Field(
        None, description='Python function, "module:function" or "file.py:function".'
    )
    param_card: Text | None = Field(
        None, description="SLHA file for the library, relative to the folder of the card."
    )
    digest: Text | None = Field(
        None, description="SHA-256 of the library or the file of the function, once known."
    )
    precision: Positive = Field(1e-4, description="Relative error of |M|^2 that is accepted.")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the numbers come from; a function of an importable module has none."""
        texts = as_list(self.library) + [
            one.rpartition(":")[0] for one in as_list(self.function) if one
        ]
        return tuple(
            Path(text) for text in texts if text and ("/" in text or text.endswith((".so", ".py")))
        )

    @property
    def extras(self) -> dict[str, Setting]:
        """Keys of the provider alone, to be checked by it."""
        return dict(self.__pydantic_extra__)


class ProcessTable(CardTable):
    """[process]: what collides and what comes out."""

    definition: Texts = Field(
        description='The process in MadGraph syntax, e.g. "p p > e+ e-", or a list of several.'
    )
    multiparticles: dict[str, Texts] | None = Field(
        None,
        description='Labels for several particles, such as j = "g u d u~ d~" or p = "p b b~"; they '
        "replace those of the model.",
    )
    model: Text = Field(
        "sm",
        description='"sm", the Standard Model, "sm_zprime", "sm_cp", or a model in the format of '
        "UFO: a folder or archive, or a name that is searched for, with a restriction behind "
        '"-", "ufo_sm-no_b_mass".',
    )
    model_digest: Text | None = Field(
        None, description="SHA-256 of the files of the model, once known."
    )
    masses: Masses | None = Field(
        None,
        description="Masses in GeV of the external legs, all decays done: of the processes that "
        "the labels stand for, those with these masses. Without it: each by itself.",
    )
    me_frame: Legs | None = Field(
        None,
        description="Legs, counted from 1 with all decays done, whose rest frame defines the "
        "polarisations of massive particles. Without it: that of the incoming particles.",
    )
    t_channel_widths: Flag = Field(
        False, description="Whether propagators between the two incoming particles have widths."
    )
    external_widths: Flag = Field(
        False,
        description="Whether propagators of external particles have widths where they cannot be on "
        "shell.",
    )
    complex_mass: Flag | None = Field(
        None,
        description="Whether masses of unstable particles are complex, mu^2 = M^2 - i M Gamma, in "
        "all propagators and couplings: gauge invariance is exact. Without it: false.",
    )
    allow_divergent: Flag = Field(
        False, description="Whether to integrate what the cuts leave infinite."
    )
    bwcutoff: Positive | None = Field(
        None,
        description="Widths that a particle which decays by the definition may be away from its "
        'mass, and that one behind "$" has to be; 15 without it.',
    )
    matrix_element: MatrixElementTable | None = Field(
        None,
        description="Who computes |M|^2; channels still follow from the definition. Without it: "
        "this package.",
    )

    @property
    def definitions(self) -> tuple[str, ...]:
        """The processes, one at least."""
        return tuple(as_list(self.definition))

    @property
    def is_decay(self) -> bool:
        """Whether one particle comes in, whose width is computed."""
        return len(self.definitions[0].partition(">")[0].split()) == 1

    @property
    def widths_of_resonance(self) -> float:
        """Widths from its mass within which a particle counts as being on its mass shell."""
        return 15.0 if self.bwcutoff is None else self.bwcutoff


class ParameterTable(BaseModel):
    """[parameters]: parameters of the model by their SLHA names, numbers, or "auto" for a width."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, ParameterValue]

    param_card: Text | None = Field(
        None, description="SLHA file with parameters, relative to the folder of the card."
    )
    filled_in: tuple[Text, ...] | None = Field(
        None, description="Parameters that the param_card did not have, once it has been read."
    )

    @property
    def overrides(self) -> dict[str, float]:
        """Parameter name -> value; these win over the param_card."""
        values = self.__pydantic_extra__.items()
        return {name: value for name, value in values if value != "auto"}

    @property
    def automatic(self) -> tuple[str, ...]:
        """Names of the parameters that follow from the others."""
        return tuple(name for name, value in self.__pydantic_extra__.items() if value == "auto")


WITHOUT_SET = ("", "none", "epa", "isr")
"""What `beams.pdf` may say without naming a set."""


class BeamTable(CardTable):
    """[beams]: energies and parton densities."""

    energy: BeamEnergies = Field(
        (6500.0, 6500.0), description="Energy of each beam in GeV; 0 for a target at rest."
    )
    particle: BeamTexts | None = Field(
        None,
        description='Particle of each beam, such as "p", "p~", "e-" or "Pb208"; protons where '
        "there are parton densities, else the partons.",
    )
    pdf: BeamTexts | None = Field(
        None,
        description='Of both beams, or of each: LHAPDF set name, folder, "toy" (for tests), or '
        '"none": a parton at beam energy, "epa": photons, "isr": a lepton that radiates. No '
        "default.",
    )
    polarization: Polarizations | None = Field(
        None,
        description="Degree of polarisation of each beam, from -1 (left-handed) to 1, for partons "
        "and leptons that radiate. Without it: none.",
    )
    pdf_backend: Literal["builtin", "lhapdf"] = Field(
        "builtin", description="What interpolates the PDF grids."
    )
    beamstrahlung: BeamTexts | None = Field(
        None,
        description="Table of the energies of leptons, relative to the folder of the card; of both "
        'beams, or of each ("none").',
    )
    nucleons: Literal["free", "bound"] | None = Field(
        None,
        description="Of nuclei: those of the set of a proton, free, or the average nucleon of the "
        "set of a nucleus, bound. No default.",
    )

    @property
    def pdfs(self) -> tuple[str, str]:
        """What `pdf` says of each beam; "" where it says nothing."""
        return _of_each_beam(self.pdf or "")

    @property
    def sets(self) -> tuple[str, ...]:
        """The different PDF sets of the beams."""
        return tuple(dict.fromkeys(name for name in self.pdfs if name not in WITHOUT_SET))

    @property
    def tables(self) -> tuple[str, str]:
        """Files of `beamstrahlung` of each beam; "none" where there is none."""
        return _of_each_beam(self.beamstrahlung or "none")

    @property
    def particles(self) -> tuple[str, str]:
        """What `particle` says of each beam; "" where it says nothing, or "default"."""
        first, second = _of_each_beam(self.particle or "default")
        return first if first != "default" else "", second if second != "default" else ""


Choice = TypeVar("Choice")


def _of_each_beam(value: Choice | tuple[Choice, Choice]) -> tuple[Choice, Choice]:
    return value if isinstance(value, tuple) else (value, value)


class ScaleTable(CardTable):
    """[scales]: where parton densities and the strong coupling are evaluated."""

    factorization: BeamScales = Field(
        91.188,
        description="mu_F in GeV, ht, sum_et, sum_mt or sqrt_s, a part such as ht/3, or "
        "clustering; one for both beams, or two.",
    )
    renormalization: Scale = Field(
        91.188,
        description="mu_R in GeV, ht, sum_et, sum_mt or sqrt_s, a part such as ht/3, or "
        "clustering.",
    )
    alpha_s_running: Flag = Field(
        False,
        description="Whether alpha_s runs from aS at M_Z to mu_R where no beam has parton "
        "densities; aS at every scale if not.",
    )
    factorization_factor: Positive = Field(1.0, description="What multiplies mu_F.")
    renormalization_factor: Positive = Field(1.0, description="What multiplies mu_R.")

    @property
    def factorizations(self) -> tuple[float | str, float | str]:
        """`factorization` of each beam."""
        return _of_each_beam(self.factorization)

    @property
    def clustered(self) -> bool:
        """Whether one of them follows from the clustering of events."""
        return CLUSTERING in (*self.factorizations, self.renormalization)


class MergingTable(CardTable):
    """[merging]: samples of several jet multiplicities for a shower, see docs/merging.md."""

    scheme: Literal["none", "mlm"] = Field(
        "none",
        description="mlm: alpha_s and parton densities at the nodes of the clustering, as with "
        "MadGraph's ickkw = 1.",
    )
    xqcut: Energy = Field(0.0, description="Smallest kT of jets in the clustering, in GeV.")
    ktdurham: Energy = Field(
        0.0,
        description="Smallest p_T of jets, and smallest kT of pairs of them (longitudinally "
        "invariant), in GeV: the merging scale of CKKW-L.",
    )
    dparameter: Positive = Field(0.4, description="Radius D in the kT of pairs for ktdurham.")
    ptlund: Energy = Field(
        0.0,
        description="Smallest evolution scale of Pythia's showers between jets, and between jets "
        "and beams, in GeV: the merging scale of CKKW-L in Lund p_T, and of UMEPS.",
    )
    maxjetflavor: QuarkFlavour | None = Field(
        None,
        description="Largest PDG code of a quark that makes a jet; the largest in the beams, at "
        "least 4, without it.",
    )
    asrwgtflavor: QuarkFlavour | None = Field(
        None,
        description="Largest PDG code of a quark whose nodes have alpha_s at their own kT; "
        "maxjetflavor without it.",
    )
    alpsfact: Positive = Field(1.0, description="What multiplies kT in alpha_s of the nodes.")
    pdfwgt: Flag = Field(
        True, description="Whether the parton densities follow the nodes, too (mlm)."
    )
    auto_ptj_mjj: Flag = Field(
        True, description="Whether xqcut is also the least p_T and pair mass of the jets."
    )

    @property
    def active(self) -> bool:
        """Whether the events are for merging."""
        return self.scheme != "none" or max(self.xqcut, self.ktdurham, self.ptlund) > 0

    @property
    def clusters(self) -> bool:
        """Whether the cross section needs the clustering of the events."""
        return self.scheme != "none" or self.xqcut > 0
