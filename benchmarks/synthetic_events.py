"""Events of six particles with random momenta, for the files of the comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.events.event_batch import EventBatch
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup

SIGMA = 500.0
"""pb."""

PDG = (21, 21, 6, -6, 21, 21)
STATUS = (-1, -1, 1, 1, 1, 1)
MOTHERS = ((0, 0), (0, 0), (1, 2), (1, 2), (1, 2), (1, 2))
COLOUR = ((501, 502), (502, 503), (501, 0), (0, 504), (504, 505), (505, 503))
MASS = (0.0, 0.0, 173.0, 173.0, 0.0, 0.0)


def events(n: int, variations: int = 0, seed: int = 1) -> EventBatch:
    """G g > t t~ g g with momenta that are conserved and otherwise from nothing, n events."""
    random = np.random.default_rng(seed)
    momenta = _momenta(random, n)
    scale = random.uniform(200.0, 1000.0, n)
    return EventBatch(
        pdg=_repeated(PDG, n),
        status=_repeated(STATUS, n),
        mothers=_repeated(MOTHERS, n),
        colour=_repeated(COLOUR, n),
        momenta=momenta,
        mass=np.tile(MASS, (n, 1)),
        lifetime=np.zeros((n, len(PDG))),
        spin=random.choice([-1.0, 1.0], (n, len(PDG))),
        weight=np.full(n, SIGMA),
        scale=scale,
        factorization_scale=scale,
        renormalization_scale=scale,
        alpha_qed=np.full(n, 1 / 132.507),
        alpha_s=0.118 / (1 + 0.118 * np.log(scale / 91.188)),
        process_id=np.ones(n, dtype=np.int32),
        variations=SIGMA * random.uniform(0.5, 2.0, (n, variations)),
    )


def init(variations: int = 0) -> LheInit:
    """What a file says of such events."""
    weights = tuple(
        NamedWeight(str(number), f"variation {number}") for number in range(2001, 2001 + variations)
    )
    groups = (WeightGroup("variations", "envelope", weights),) if variations else ()
    process = LheProcess(SIGMA, 1.0, SIGMA)
    return LheInit((2212, 2212), (6500.0, 6500.0), (331900, 331900), (process,), groups)


def _momenta(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Four outgoing particles whose transverse momenta cancel, and the gluons that make them."""
    p = np.zeros((n, 6, 4))
    p[:, 2:, 1:] = random.normal(0.0, 150.0, (n, 4, 3))
    p[:, 5, 1:3] = -p[:, 2:5, 1:3].sum(axis=1)
    p[:, 2:, 0] = np.sqrt(np.square(p[:, 2:, 1:]).sum(axis=2) + np.square(MASS[2:]))
    total = p[:, 2:].sum(axis=1)
    for beam, sign in ((0, 1.0), (1, -1.0)):
        p[:, beam, 0] = (total[:, 0] + sign * total[:, 3]) / 2
        p[:, beam, 3] = sign * p[:, beam, 0]
    return p


def _repeated(one: Any, n: int) -> NDArray[np.int32]:
    column = np.array(one, dtype=np.int32)
    return np.tile(column, (n, *[1] * column.ndim))
