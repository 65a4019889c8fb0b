"""Tables of a process card about cuts, and the isolation of photons."""

from __future__ import annotations

import math

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from madnis_py.card.tables import CardTable
from madnis_py.card.values import (
    Energy,
    Flag,
    NonNegative,
    Positive,
    Real,
    Text,
)


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
