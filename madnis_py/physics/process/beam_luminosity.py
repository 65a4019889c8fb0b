"""The luminosity of the beams of a card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from madnis_py.card.card import Card
from madnis_py.card.process_tables import WITHOUT_SET
from madnis_py.errors import InputError
from madnis_py.physics.beam_densities.beam_density import BeamDensity, SetDensity, WholeBeam
from madnis_py.physics.beam_densities.beamstrahlung import Beamstrahlung, Spectrum
from madnis_py.physics.beam_densities.lepton_structure import RadiatingLepton
from madnis_py.physics.beam_densities.luminosity import (
    BeamLuminosity,
    ConstantCoupling,
    PartonLuminosity,
    UnitLuminosity,
)
from madnis_py.physics.beam_densities.masses import MASSES, PROTON
from madnis_py.physics.beam_densities.nucleus import NucleusDensity
from madnis_py.physics.beam_densities.photon_flux import LeptonPhotons, ProtonPhotons
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import AbstractPdf, load_pdf
from madnis_py.physics.pdf.pdf_sets import choices
from madnis_py.physics.pdf.running_coupling import AlphaS, running_from
from madnis_py.physics.process.beams import Beams

_PHOTON = 22


def parton_luminosity(
    card: Card, beams: Beams, flavours: NDArray[np.int32], model: Model
) -> PartonLuminosity:
    """The luminosity of the beams of a card.

    alpha_s is that of the first beam with a set, else that of the model.

    Args:
        card: its table [beams].
        beams: of the card.
        flavours: PDG codes of the external legs, incoming first, shape (n_flavours, P).
        model: for aS, and for names of particles.

    Raises:
        PdfError: a set cannot be loaded.
        CardError: a proton should hold what it does not, or the card names no set for it.
    """
    if beams.partonic:
        return UnitLuminosity(len(flavours), coupling_of_model(card, model))
    for beam in (0, 1):
        _require_partons(beam, flavours[:, beam].tolist(), card, model)
    if not all(card.beams.pdfs):
        raise card.error(
            "beams.pdf", f"expected the parton densities of the protons; got none. {choices()}"
        )
    sets = {name: load_pdf(name, card.beams.pdf_backend) for name in card.beams.sets}
    first, second = (
        _density_of_set(sets[name], beam, flavours[:, beam].tolist(), card, beams)
        if name in sets
        else _density_without_set(beam, card, beams, model)
        for beam, name in enumerate(card.beams.pdfs)
    )
    alpha_s = next((pdf.alpha_s for pdf in sets.values()), coupling_of_model(card, model).evaluate)
    return BeamLuminosity((first, second), beams.colliding.energies, len(flavours), alpha_s)


def coupling_of_model(card: Card, model: Model) -> ConstantCoupling | AlphaS:
    """The strong coupling of the model: its alpha_s at M_Z, or running from there."""
    mz = model.at("MASS", 23)
    if card.scales.alpha_s_running and model.alpha_s and mz:
        return running_from(model.alpha_s, mz)
    return ConstantCoupling(model.alpha_s)


def _require_partons(beam: int, partons: Sequence[int], card: Card, model: Model) -> None:
    """A proton holds massless particles with colour, and photons."""
    pdf = card.beams.pdfs[beam]
    if pdf == "epa" and set(partons) != {_PHOTON}:
        names = ", ".join(model.particle_name(pdg) for pdg in dict.fromkeys(partons))
        raise card.error("beams.pdf", f'expected photons in the beam of "epa"; got {names}')
    if pdf in WITHOUT_SET and pdf:
        return
    for pdg in dict.fromkeys(partons):
        name, mass = model.particle_name(pdg), model.mass(pdg)
        if model.particle(pdg).colour == 1 and pdg != 22:
            named = f' of "{pdf}"' if pdf else ""
            expected = f"expected quarks, gluons or photons in the protons{named}"
            raise card.error(
                "beams.pdf", f'{expected}; got {name}, which needs pdf = "none" for its beam'
            )
        if mass > 0:
            raise card.error(
                "beams.pdf", f"expected partons of mass 0 in protons; got {name} of {mass:g} GeV"
            )


def _density_without_set(beam: int, card: Card, beams: Beams, model: Model) -> BeamDensity:
    name, table, pdg = card.beams.pdfs[beam], card.beams.tables[beam], abs(beams.pdg[beam])
    if name == "epa":
        return ProtonPhotons() if pdg == PROTON else LeptonPhotons(MASSES[pdg])
    power = beams.powers[beam]
    radiation = RadiatingLepton(MASSES[pdg], model.alpha_qed, power) if name == "isr" else None
    if table != "none":
        return Beamstrahlung(_spectrum(table, card), radiation, power)
    return radiation or WholeBeam()


def _spectrum(table: str, card: Card) -> Spectrum:
    try:
        return Spectrum.read(Path(table))
    except InputError as error:
        raise card.error("beams.beamstrahlung", str(error)) from None


def _density_of_set(
    pdf: AbstractPdf, beam: int, partons: Sequence[int], card: Card, beams: Beams
) -> BeamDensity:
    nucleus = beams.nuclei[beam]
    if nucleus is None:
        return SetDensity(pdf, _as_protons(beams.pdg[beam], partons))
    protons = nucleus.protons if card.beams.nucleons == "free" else nucleus.nucleons
    return NucleusDensity(pdf, partons, protons, nucleus.nucleons - protons)


def _as_protons(pdg: int, partons: Sequence[int]) -> Sequence[int]:
    """Partons of a hadron as the proton has them: antiparticles for those of an antiproton."""
    return [_charge_conjugate(one) for one in partons] if pdg < 0 else partons


def _charge_conjugate(pdg: int) -> int:
    """PDG code of the antiparticle of a quark, a gluon or a photon."""
    return -pdg if abs(pdg) <= 6 else pdg
