"""Events of hadron beams near the limits in which propagators diverge, independent of any cuts."""

from __future__ import annotations

import numpy as np

from madnis_py.physics.divergences.singular_limits import SingularLimit
from madnis_py.physics.observables.momenta import as_momenta

BEAM = 6500.0
"""GeV."""

Array = np.ndarray


def momenta(pt: Array, y: Array, phi: Array, mass: Array | float) -> Array:
    """(E, px, py, pz) of particles in GeV, shape (..., 4)."""
    transverse = np.hypot(pt, mass)
    return np.stack(
        [transverse * np.cosh(y), pt * np.cos(phi), pt * np.sin(phi), transverse * np.sinh(y)],
        axis=-1,
    )


def events_near(
    limit: SingularLimit, masses: list[float], distance: float, n: int, seed: int
) -> Array:
    """Momenta of events, (n', P, 4), n' <= n.

    Transverse momenta and energies are logarithmic, rapidities and azimuths flat, and one of the
    particles that are no part of the limit balances the others.

    Args:
        limit: what they are near to.
        masses: of the legs in GeV, incoming first.
        distance: relative size of what vanishes in the limit.
        n: how many are tried.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    m, rows = np.array(masses[2:]), np.arange(n)
    legs = [leg - 2 for leg in limit.legs]
    others = [k for k in range(len(m)) if k not in legs]
    shape = (n, len(m))
    pt, y, phi = (
        10 ** random.uniform(0, 3, shape),
        random.uniform(-5, 5, shape),
        random.uniform(0, 2 * np.pi, shape),
    )
    boost = random.uniform(-12, 12, (n, 1)) if limit.kind == "energy" else 0.0
    if limit.kind in ("soft", "energy"):
        pt[:, legs] *= distance
    p = momenta(pt, y + boost, phi, m)
    if limit.kind == "beam":
        energy, across = 10 ** random.uniform(1, 3.7, (n, len(legs))), distance * pt[:, legs]
        side = random.choice([-1.0, 1.0], (n, 1))
        p[:, legs] = momenta(across, side * np.arcsinh(energy / across), phi[:, legs], 0.0)
    if limit.kind == "collinear":
        first, second = legs
        along = p[:, first, 1:] * random.uniform(0.05, 1, (n, 1))
        along += distance * np.linalg.norm(along, axis=1)[:, None] * random.normal(size=along.shape)
        p[:, second] = np.concatenate([np.linalg.norm(along, axis=1)[:, None], along], axis=1)
    balance = random.choice(others or legs, n)
    p[rows, balance] = 0
    recoil = -p.sum(axis=1)[:, 1:3]
    angle = np.arctan2(recoil[:, 1], recoil[:, 0])
    p[rows, balance] = momenta(np.hypot(*recoil.T), (y + boost)[rows, balance], angle, m[balance])
    return _with_partons(p)


def _with_partons(p: Array) -> Array:
    """The events for which the beams have the energy."""
    total = p.sum(axis=1)
    first, second = (total[:, 0] + total[:, 3]) / 2, (total[:, 0] - total[:, 3]) / 2
    partons = np.zeros((len(p), 2, 4))
    partons[:, 0, 0], partons[:, 0, 3] = first, first
    partons[:, 1, 0], partons[:, 1, 3] = second, -second
    possible = (first < BEAM) & (second < BEAM) & (first > 0) & (second > 0)
    return as_momenta(np.concatenate([partons, p], axis=1)[possible])
