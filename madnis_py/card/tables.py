"""Tables of a process card: typed, with a sentence per key."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from madnis_py.card.choices import CLUSTERING, Preset, PriorName
from madnis_py.card.sentences import shown
from madnis_py.card.values import (
    BeamEnergies,
    BeamScales,
    BeamTexts,
    Bins,
    Count,
    Energy,
    Factor,
    Files,
    Flag,
    Indices,
    Legs,
    NonNegative,
    ParameterValue,
    Polarizations,
    Positive,
    QuarkFlavour,
    Range,
    Real,
    Scale,
    ScannedValue,
    ScannedValues,
    Setting,
    Share,
    Text,
    Texts,
    as_list,
)


class CardTable(BaseModel):
    """A table whose keys are all known, and which does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    model: Literal["sm", "sm_zprime"] = Field(
        "sm", description="The Standard Model, without or with a Z'."
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


class IsolationTable(CardTable):
    """isolation of an entry of [cuts]: smooth isolation of each particle, hep-ph/9801442.

    Within R <= R_0 the others have at most epsilon p_T ((1 - cos R) / (1 - cos R_0))^n of p_T.
    """

    radius: Positive = Field(0.4, description="R_0, in pseudorapidity and azimuth.")
    exponent: NonNegative = Field(
        1.0, description="n; 0 is a cone, which does not remove the collinear divergence."
    )
    epsilon: NonNegative = Field(1.0, description="Share of the p_T of the isolated particle.")
    partons: Text = Field("jet", description='What it is isolated from, e.g. "jet|bottom".')
    electromagnetic: Flag = Field(
        True, description="Whether it is isolated from photons and charged leptons too, apart."
    )


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
        return self.scheme != "none" or self.xqcut > 0 or self.ktdurham > 0

    @property
    def clusters(self) -> bool:
        """Whether the cross section needs the clustering of the events."""
        return self.scheme != "none" or self.xqcut > 0


class CutTable(CardTable):
    """One entry of [cuts]: the range of each observable in which events are kept, ends included."""

    pt_min: Energy | None = Field(None, description="Transverse momentum of a particle in GeV.")
    pt_max: Energy | None = Field(None, description="Transverse momentum of a particle in GeV.")
    eta_min: NonNegative | None = Field(None, description="Absolute pseudorapidity of a particle.")
    eta_max: NonNegative | None = Field(None, description="Absolute pseudorapidity of a particle.")
    rapidity_min: NonNegative | None = Field(
        None,
        validation_alias=AliasChoices("rapidity_min", "y_min"),
        description="Absolute rapidity of a particle.",
    )
    rapidity_max: NonNegative | None = Field(
        None,
        validation_alias=AliasChoices("rapidity_max", "y_max"),
        description="Absolute rapidity of a particle.",
    )
    energy_min: Energy | None = Field(
        None, description="Energy of a particle in GeV, in the laboratory."
    )
    energy_max: Energy | None = Field(
        None, description="Energy of a particle in GeV, in the laboratory."
    )
    partonic_energy_min: Energy | None = Field(
        None, description="Energy of a particle in GeV, in the rest frame of the colliding partons."
    )
    partonic_energy_max: Energy | None = Field(
        None, description="Energy of a particle in GeV, in the rest frame of the colliding partons."
    )
    mass_min: Energy | None = Field(
        None, description="Invariant mass of two or more particles in GeV."
    )
    mass_max: Energy | None = Field(
        None, description="Invariant mass of two or more particles in GeV."
    )
    pt_sum_min: Energy | None = Field(
        None, description="Transverse momentum of a system of particles in GeV."
    )
    pt_sum_max: Energy | None = Field(
        None, description="Transverse momentum of a system of particles in GeV."
    )
    dr_min: NonNegative | None = Field(
        None, description="Distance of a pair in rapidity and azimuth."
    )
    dr_max: NonNegative | None = Field(
        None, description="Distance of a pair in rapidity and azimuth."
    )
    deta_min: NonNegative | None = Field(
        None, description="Absolute difference of the pseudorapidities of a pair."
    )
    deta_max: NonNegative | None = Field(
        None, description="Absolute difference of the pseudorapidities of a pair."
    )
    dy_min: NonNegative | None = Field(
        None, description="Absolute difference of the rapidities of a pair."
    )
    dy_max: NonNegative | None = Field(
        None, description="Absolute difference of the rapidities of a pair."
    )
    dphi_min: NonNegative | None = Field(
        None, description="Absolute difference of the azimuths of a pair, 0 to pi."
    )
    dphi_max: NonNegative | None = Field(
        None, description="Absolute difference of the azimuths of a pair, 0 to pi."
    )
    eta_product_min: Real | None = Field(
        None,
        description="Product of the pseudorapidities of a pair, negative on opposite sides.",
    )
    eta_product_max: Real | None = Field(
        None,
        description="Product of the pseudorapidities of a pair, negative on opposite sides.",
    )
    sfos_mass_min: Energy | None = Field(
        None, description="Mass of each pair of one flavour and opposite charges in GeV."
    )
    sfos_mass_max: Energy | None = Field(
        None, description="Mass of each pair of one flavour and opposite charges in GeV."
    )
    ht_min: Energy | None = Field(
        None,
        description="Sum of the transverse momenta of all that one name means, or of several "
        "particles, in GeV.",
    )
    ht_max: Energy | None = Field(
        None,
        description="Sum of the transverse momenta of all that one name means, or of several "
        "particles, in GeV.",
    )
    system_mass_min: Energy | None = Field(
        None, description="Invariant mass of all that the name means together in GeV."
    )
    system_mass_max: Energy | None = Field(
        None, description="Invariant mass of all that the name means together in GeV."
    )
    system_pt_min: Energy | None = Field(
        None, description="Transverse momentum of all that the name means together in GeV."
    )
    system_pt_max: Energy | None = Field(
        None, description="Transverse momentum of all that the name means together in GeV."
    )
    missing_pt_min: Energy | None = Field(
        None, description="Of the event: transverse momentum of all neutrinos in GeV."
    )
    missing_pt_max: Energy | None = Field(
        None, description="Of the event: transverse momentum of all neutrinos in GeV."
    )
    sqrt_s_min: Energy | None = Field(
        None, description="Of the event: energy of the partonic collision in GeV."
    )
    sqrt_s_max: Energy | None = Field(
        None, description="Of the event: energy of the partonic collision in GeV."
    )

    isolation: IsolationTable | None = Field(
        None, description="Smooth isolation of each particle, usually of photons."
    )

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Observable -> (minimum, maximum) for those that are cut on; an open end is infinite."""
        limits = self.model_dump(exclude_none=True, exclude={"isolation"})
        observables = dict.fromkeys(name.rpartition("_")[0] for name in limits)
        return {
            name: (limits.get(f"{name}_min", -math.inf), limits.get(f"{name}_max", math.inf))
            for name in observables
        }


class CutTables(BaseModel):
    """[cuts]: ranges of observables by the names of what they are on, and what holds for all."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, CutTable]

    decay_products: Flag | None = Field(
        None,
        description="Whether cuts on single particles and on pairs hold for products of decays of "
        "the definition; true without it. Cuts on ranks, sums and the event always do.",
    )

    @property
    def by_name(self) -> dict[str, CutTable]:
        """Names of what is cut on -> ranges."""
        return dict(self.__pydantic_extra__)

    @property
    def spare_decay_products(self) -> bool:
        """Whether decay products pass cuts on single particles and on pairs."""
        return self.decay_products is False


class HistogramTable(CardTable):
    """One entry of [histograms]: bins of an observable; what is missing follows from the events."""

    bins: Bins | None = Field(None, description="Number of bins, all of one width.")
    range: Range | None = Field(
        None, description="Lower end of the first bin and upper end of the last one."
    )


class ChannelTable(CardTable):
    """[channels]: how the integral is split."""

    prior: PriorName = Field(
        "auto", description="Channel weights before training; auto chooses for the process."
    )
    phase_space: Literal["diagrams", "flat"] = Field(
        "diagrams",
        description="One channel per diagram, or a single one with flat phase space (RAMBO on "
        "diet).",
    )
    omit: tuple[Text, ...] = Field(
        (), description="Names of channels to leave out; the others then have to cover their peaks."
    )


class TrainingTable(BaseModel):
    """[training]: a preset, and settings that differ, by the names in `TrainingSettings`."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Setting]

    preset: Preset = Field("standard", description="Size of networks and training.")

    @property
    def overrides(self) -> dict[str, Setting]:
        """Setting name -> value, to be checked by the training."""
        return dict(self.__pydantic_extra__)


class EventTable(CardTable):
    """[events]: how weighted events become unweighted ones."""

    overweight_share: Share = Field(
        0.001,
        description="Share of the cross section that may lie in events above the maximum weight.",
    )
    overweights: Literal["keep", "copies"] = Field(
        "keep",
        description="Events above the maximum keep their weight, or come as copies of weight 1.",
    )
    maximum_raise: Factor = Field(
        2.0,
        description="Factor by which the maxima may grow during generation to keep the overweight "
        "share; 1 leaves them.",
    )
    resonance_widths: NonNegative | None = Field(
        None,
        description="Distance from its mass, in widths, within which an unstable particle is "
        "written to events; process.bwcutoff without it.",
    )
    bias: Text | None = Field(
        None,
        description='How many times as often events are made, "pt(jet[1])**2"; their weights undo '
        "it.",
    )


class SystematicsTable(CardTable):
    """[systematics]: weights that every event carries beside its own."""

    scale_factors: tuple[Positive, ...] = Field(
        (0.5, 1.0, 2.0), description="Factors of mu_R and mu_F, all pairs of them; none if empty."
    )
    pdf_members: Flag = Field(True, description="Whether to use the other members of the PDF set.")
    pdf_sets: tuple[Text, ...] = Field(
        (), description='Other sets, or members of them like "SET/3".'
    )


SCANNED = ("parameters", "beams", "scales", "cuts")
"""Tables whose keys a scan can go through."""


class ScanTable(BaseModel):
    """[scan]: lists of values; each combination of them is a run of its own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, ScannedValues]

    combine: Literal["product", "zip"] = Field(
        "product",
        description="All combinations, the last key first, or the first values, the second ones, "
        "...",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_whole_keys(cls, data: Any) -> Any:
        """Keys may be written as tables in each other: parameters.MT is "parameters.MT"."""
        return dict(_flattened(data)) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _has_keys_that_can_be_scanned(self) -> Self:
        for key in self.lists:
            table, _, name = key.partition(".")
            if table not in SCANNED or not name:
                wanted = 'expected a key like "parameters.MT", of '
                raise ValueError(f"{wanted}{', '.join(SCANNED)}; got {shown(key)}")
        lengths = {len(values) for values in self.lists.values()}
        if self.combine == "zip" and len(lengths) > 1:
            got = ", ".join(f"{len(values)} of {key}" for key, values in self.lists.items())
            raise ValueError(f"expected lists of one length for zip; got {got}")
        return self

    @property
    def lists(self) -> dict[str, tuple[ScannedValue, ...]]:
        """Key of the card, such as "beams.energy" -> its values."""
        return dict(self.__pydantic_extra__)


def _flattened(data: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


class ClusterTable(CardTable):
    """[cluster]: workers that are started for a run; without it, threads of this machine."""

    kind: Literal["none", "local", "slurm", "htcondor"] = Field(
        "none", description="Processes of this machine, or jobs of a batch system, through dask."
    )
    workers: Count = Field(4, description="How many, with one core each.")
    memory: Text = Field("4GB", description="Memory of each job.")
    walltime: Text = Field("02:00:00", description="Time limit of each job (Slurm).")
    queue: Text | None = Field(None, description="Partition of the jobs (Slurm).")
    account: Text | None = Field(None, description="Account of the jobs (Slurm).")
    tls: bool = Field(
        True, description="Reach the workers with credentials that are made for the run."
    )
    options: dict[str, Setting] = Field(
        {}, description="Further arguments of dask's cluster class."
    )
