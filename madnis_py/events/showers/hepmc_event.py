"""Events of Pythia as those of HepMC3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyhepmc

SYSTEM, FIRST_BEAM, SECOND_BEAM = 0, 1, 2
"""Entries of Pythia's event record that stand for no particle, and for the beams."""


def hepmc_event(
    record: Any, number: int, weights: Sequence[float], info: Any, run: pyhepmc.GenRunInfo
) -> pyhepmc.GenEvent:
    """The event of a filled record, with its vertices.

    Particles with the same mothers come out of one vertex.

    Args:
        record: `Pythia.event`; GeV and mm.
        number: of the event.
        weights: in the order of the names of `run`.
        info: `Pythia.infoPython()` of the event.
        run: what all events of the file share.
    """
    from pyhepmc import GenCrossSection, GenEvent, Units

    event = GenEvent(Units.GEV, Units.MM)
    event.run_info, event.event_number, event.weights = run, number, list(weights)
    particles = _particles(record)
    vertices = _joined(record, particles)  # particles do not keep them
    event.add_tree(particles[FIRST_BEAM : SECOND_BEAM + 1])
    del vertices
    event.cross_section = GenCrossSection()
    event.pdf_info = _partons(info)
    for name, value in {
        "alphaQCD": info.alphaS(),
        "alphaQED": info.alphaEM(),
        "event_scale": info.QRen(),
        "signal_process_id": info.code(),
        "mpi": info.nMPI(),
    }.items():
        event.attributes[name] = value
    return event


def _particles(record: Any) -> list[pyhepmc.GenParticle]:
    """The entries of a record, the first of which is no particle."""
    from pyhepmc import GenParticle

    particles = []
    for row in range(record.size()):
        entry = record[row]
        momentum = (entry.px(), entry.py(), entry.pz(), entry.e())
        particle = GenParticle(momentum, entry.id(), entry.statusHepMC())
        particle.generated_mass = entry.m()
        particles.append(particle)
    return particles


def _joined(
    record: Any, particles: Sequence[pyhepmc.GenParticle]
) -> list[pyhepmc.GenVertex | None]:
    """Join particles by vertices; a mother that has come to an end already joins no second one.

    Returns:
        the vertex at which each particle ends.
    """
    from pyhepmc import FourVector, GenVertex

    ends: list[pyhepmc.GenVertex | None] = [None] * len(particles)
    for row in range(SECOND_BEAM + 1, len(particles)):
        entry = record[row]
        mothers = [mother for mother in entry.motherList() if mother != SYSTEM]
        if not mothers:
            continue
        vertex = next((ends[mother] for mother in mothers if ends[mother] is not None), None)
        if vertex is None:
            vertex = GenVertex()
            if entry.hasVertex():
                place = (entry.xProd(), entry.yProd(), entry.zProd(), entry.tProd())
                vertex.position = FourVector(*place)
        for mother in mothers:
            if ends[mother] is None:
                vertex.add_particle_in(particles[mother])
                ends[mother] = vertex
        vertex.add_particle_out(particles[row])
    return ends


def _partons(info: Any) -> pyhepmc.GenPdfInfo:
    from pyhepmc import GenPdfInfo

    partons = GenPdfInfo()
    partons.parton_id1, partons.parton_id2 = info.id1pdf(), info.id2pdf()
    partons.x1, partons.x2 = info.x1pdf(), info.x2pdf()
    partons.scale = info.QFac()
    partons.xf1, partons.xf2 = info.pdf1(), info.pdf2()
    return partons
