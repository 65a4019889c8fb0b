"""Events of squarks, gluinos, sextets and junctions: their checks, files and showers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from event_samples import PARTON_SHOWER_ALONE, shower_of

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.lhe import LheWriter
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.physics.colour.colour import FIRST_EPSILON, Closed, String, closed, trace
from madnis_py.physics.colour.colour_lines import flow_lines
from madnis_py.physics.colour.open_lines import open_lines

UP, DOWN, STRANGE, GLUON = 2, 1, 3, 21
SDOWN, GLUINO, SEXTET = 1000001, 1000021, 9000006
MASS = {SDOWN: 600.0, GLUINO: 800.0, SEXTET: 700.0}
ENERGY = 3000.0
N = 100

SEXTETS = (
    f"{SEXTET}:new = six six~ 1 4 3 {MASS[SEXTET]} 0. 0. 0. 0.",
    f"{SEXTET}:mayDecay = off",
    f"{SDOWN}:m0 = {MASS[SDOWN]}",
    f"{SDOWN}:mayDecay = off",
    f"{GLUINO}:m0 = {MASS[GLUINO]}",
    f"{GLUINO}:mayDecay = off",
)
"""Lines that teach Pythia the particles of these tests; colour type 3 is a sextet."""


@dataclass(frozen=True)
class Sample:
    """A process with one of its colour flows.

    Attributes:
        pdg: of the legs, two incoming ones first.
        flow: strings and traces over the legs.
    """

    pdg: tuple[int, ...]
    flow: Closed

    def events(self, n: int = N) -> EventBatch:
        """Events with flat angles at one energy, all momenta on their shells."""
        legs = len(self.pdg)
        mass = np.array([MASS.get(abs(code), 0.0) for code in self.pdg])
        p = np.zeros((n, legs, 4))
        p[:, 0] = ENERGY / 2 * np.array([1.0, 0.0, 0.0, 1.0])
        p[:, 1] = ENERGY / 2 * np.array([1.0, 0.0, 0.0, -1.0])
        p[:, 2:] = two_bodies(n, *mass[2:])
        status = [-1, -1] + [1] * (legs - 2)
        lines = flow_lines(self.flow, [one < 0 for one in status])
        scale = np.full(n, 1000.0)
        mothers = [[0, 0], [0, 0]] + [[1, 2]] * (legs - 2)
        return EventBatch(
            pdg=np.tile(np.array(self.pdg, np.int32), (n, 1)),
            status=np.tile(np.array(status, np.int32), (n, 1)),
            mothers=np.tile(np.array(mothers, np.int32), (n, 1, 1)),
            colour=np.tile(np.array(lines, np.int32), (n, 1, 1)),
            momenta=p,
            mass=np.tile(mass, (n, 1)),
            lifetime=np.zeros((n, legs)),
            spin=np.full((n, legs), 9.0),
            weight=np.ones(n),
            scale=scale,
            factorization_scale=scale,
            renormalization_scale=scale,
            alpha_qed=np.full(n, 1 / 132.507),
            alpha_s=np.full(n, 0.118),
            process_id=np.ones(n, np.int32),
            variations=np.empty((n, 0)),
        )


def two_bodies(n: int, first: float, second: float) -> Array:
    """Momenta of two particles that share the energy, (n, 2, 4)."""
    random = np.random.default_rng(7)
    cosine, phi = random.uniform(-0.9, 0.9, n), random.uniform(0, 2 * np.pi, n)
    energy = (ENERGY**2 + first**2 - second**2) / (2 * ENERGY)
    size = np.sqrt(energy**2 - first**2)
    sine = np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)
    p = np.zeros((n, 2, 4))
    p[:, 0, 1:], p[:, 1, 1:] = size * direction, -size * direction
    p[:, 0, 0] = np.hypot(size, first)
    p[:, 1, 0] = np.hypot(size, second)
    return p


def decayed_squarks() -> EventBatch:
    """g g > sd sd~, sd > u~ s~, sd~ > u s: a junction in each decay, gluons between the two.

    The squarks have the colours that their decays leave.
    """
    flow = closed([
        *(String(FIRST_EPSILON - index, (), leg) for index, leg in enumerate((2, 3))),
        *(String(leg, (), FIRST_EPSILON - 3 - index) for index, leg in enumerate((4, 5))),
        String(FIRST_EPSILON - 2, (0, 1), FIRST_EPSILON - 5),
    ])  # fmt: skip
    lines = np.array(flow_lines(flow, [True, True] + [False] * 4), np.int32)
    members = np.array([[[False, False, True, True, False, False], [False] * 4 + [True, True]]])
    own, fits = open_lines(lines[None], members, np.array([[3, -3]], np.int32), 2)
    assert fits.all()
    pairs = SAMPLES["squarks"].events()
    p = np.zeros((N, 8, 4))
    p[:, :4] = pairs.momenta
    for parent, first in ((2, 4), (3, 6)):
        p[:, first : first + 2] = decay(p[:, parent], MASS[SDOWN])
    pdg = (GLUON, GLUON, SDOWN, -SDOWN, -UP, -STRANGE, UP, STRANGE)
    status = [-1, -1, 2, 2, 1, 1, 1, 1]
    mothers = [[0, 0], [0, 0], [1, 2], [1, 2], [3, 3], [3, 3], [4, 4], [4, 4]]
    colour = np.concatenate([lines[:2], own[0], lines[2:]])
    mass = [MASS.get(abs(code), 0.0) for code in pdg]
    return replace(
        pairs.padded(8),
        pdg=np.tile(np.array(pdg, np.int32), (N, 1)),
        status=np.tile(np.array(status, np.int32), (N, 1)),
        mothers=np.tile(np.array(mothers, np.int32), (N, 1, 1)),
        colour=np.tile(colour.astype(np.int32), (N, 1, 1)),
        momenta=p,
        mass=np.tile(np.array(mass), (N, 1)),
        spin=np.full((N, 8), 9.0),
    )


def decay(parent: Array, mass: float) -> Array:
    """Momenta of two massless particles, at right angles to their parent in its rest frame."""
    axis = np.cross(parent[:, 1:], [0.3, 0.5, 0.7])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    along = parent / 2
    across = np.concatenate([np.zeros((len(parent), 1)), axis * mass / 2], axis=1)
    return np.stack([along + across, along - across], axis=1)


def ends_at_epsilon(*strings: tuple[tuple[int, ...], int]) -> Closed:
    """Three strings from one epsilon to triplets: gluons and leg of each."""
    return closed(
        String(FIRST_EPSILON - index, gluons, leg) for index, (gluons, leg) in enumerate(strings)
    )


SAMPLES: Mapping[str, Sample] = {
    "gluinos": Sample((GLUON, GLUON, GLUINO, GLUINO), (trace((0, 2, 1, 3)),)),
    "squarks": Sample((GLUON, GLUON, SDOWN, -SDOWN), (String(2, (0, 1), 3),)),
    "a squark and a gluino": Sample((DOWN, GLUON, SDOWN, GLUINO), (String(2, (3, 1), 0),)),
    "sextets": Sample(
        (GLUON, GLUON, SEXTET, -SEXTET), closed([String(2, (0, 1), 3), String(2, (), 3)])
    ),
    "sextets, a gluon at each index": Sample(
        (GLUON, GLUON, SEXTET, -SEXTET), closed([String(2, (0,), 3), String(2, (1,), 3)])
    ),
    "a sextet from two quarks": Sample(
        (UP, UP, SEXTET, GLUON), closed([String(2, (), 0), String(2, (3,), 1)])
    ),
    "an antisquark from two quarks": Sample(
        (UP, DOWN, -SDOWN, GLUON), ends_at_epsilon(((), 0), ((3,), 1), ((), 2))
    ),
    "a squark from two antiquarks": Sample(
        (-UP, -DOWN, SDOWN, GLUON),
        closed(String(leg, gluons, FIRST_EPSILON - k)
               for k, (leg, gluons) in enumerate(((0, ()), (1, ()), (2, (3,))))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_colour_flows_of_any_representation_are_events_for_showers(name: str) -> None:
    SAMPLES[name].events().check()


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("tag", [0, 499])
def test_a_line_that_is_lost_is_refused(name: str, tag: int) -> None:
    events = SAMPLES[name].events()
    for leg, side in np.argwhere(events.colour[0] != 0).tolist():
        colour = events.colour.copy()
        colour[3, leg, side] = np.sign(colour[3, leg, side]) * tag
        with pytest.raises(GenerationError, match="event 3: colour tags do not pair up"):
            replace(events, colour=colour).check()


def test_two_lines_that_end_alone_make_no_junction() -> None:
    events = SAMPLES["a sextet from two quarks"].events()
    colour = events.colour.copy()
    colour[3, 2] = 0  # neither colour of the sextet
    with pytest.raises(GenerationError, match="event 3: colour tags do not pair up"):
        replace(events, colour=colour).check()


def written(path: Path, events: EventBatch) -> Path:
    init = LheInit((2212, 2212), (6500.0, 6500.0), (331900, 331900), (LheProcess(1.0, 0.1, 1.0),))
    with LheWriter(path, init) as writer:
        writer.write(events)
    return path


@pytest.mark.parametrize("name", SAMPLES)
def test_pythia_showers_flows_of_any_representation(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / "events.lhe", SAMPLES[name].events())
    pythia = shower_of(path, (*PARTON_SHOWER_ALONE, *SEXTETS))
    junctions = {0} if all(one.quark >= -1 <= one.antiquark for one in SAMPLES[name].flow) else {1}
    for _ in range(N):
        assert pythia.next()
        assert {pythia.process.sizeJunction()} == junctions


def test_pythia_showers_squarks_that_decay_through_junctions(tmp_path: Path) -> None:
    events = decayed_squarks()
    events.check()
    path = written(tmp_path / "events.lhe", events)
    pythia = shower_of(path, ("PartonLevel:MPI = off", *SEXTETS))
    for _ in range(N):
        assert pythia.next()
        assert pythia.process.sizeJunction() == 2
