"""Generic momenta: points of phase space without symmetry, at which only zeros vanish.

Helicities are dropped, and matrix elements of other programs are probed, at these points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.observables.momenta import as_momenta

_SEED = 20_240_501
"""Seed of the points, the same for every process: tapes depend on it."""


def generic_momenta(masses: Sequence[float], n_incoming: int, count: int = 4) -> Array:
    """Points of phase space in a frame in which no particle moves along an axis.

    Args:
        masses: of the legs in GeV, incoming first.
        n_incoming: 1 or 2.
        count: number of points.

    Returns:
        Momenta in GeV, event-fastest float64 (count, n_legs, 4).
    """
    random = np.random.Generator(np.random.Philox(_SEED))
    energy = _energy(masses, n_incoming)
    if n_incoming == 2:
        incoming = _two_bodies(energy, *masses[:2])
    else:
        incoming = np.array([[energy, 0.0, 0.0, 0.0]])
    points = []
    for _ in range(count):
        outgoing = _flat_phase_space(energy, masses[n_incoming:], random)
        rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
        beta = random.normal(size=3)
        p = np.concatenate([incoming, outgoing])
        turned = np.column_stack([p[:, 0], p[:, 1:] @ rotation.T])
        points.append(_boost(turned, 0.4 * beta / np.linalg.norm(beta)))
    return as_momenta(np.array(points))


def _energy(masses: Sequence[float], n_incoming: int) -> float:
    """Total energy in GeV above all thresholds; the mass where one particle comes in or out."""
    incoming, outgoing = sum(masses[:n_incoming]), sum(masses[n_incoming:])
    if n_incoming == 1:
        return incoming
    return outgoing if len(masses) == 3 else 1.5 * max(incoming, outgoing) + 100.0


def _two_bodies(energy: float, first: float, second: float) -> Array:
    s = energy**2
    momentum = math.sqrt(max((s - (first + second) ** 2) * (s - (first - second) ** 2), 0.0)) / (
        2 * energy
    )
    e1, e2 = math.hypot(first, momentum), math.hypot(second, momentum)
    return np.array([[e1, 0.0, 0.0, momentum], [e2, 0.0, 0.0, -momentum]])


def _flat_phase_space(energy: float, masses: Sequence[float], random: np.random.Generator) -> Array:
    """RAMBO (Kleiss, Stirling, Ellis 1986): massless momenta, then scaled to the masses."""
    mass = np.array(masses)
    if len(masses) == 1:
        return np.array([[energy, 0.0, 0.0, 0.0]])
    q = random.normal(size=(len(masses), 3))
    momentum = (
        q / np.linalg.norm(q, axis=1, keepdims=True) * random.gamma(2.0, size=(len(masses), 1))
    )
    light = np.column_stack([np.linalg.norm(momentum, axis=1), momentum])
    total = light.sum(axis=0)
    momentum = _boost(light, -total[1:] / total[0])[:, 1:]  # their sum is at rest now
    scale = energy / np.linalg.norm(momentum, axis=1).sum()
    for _ in range(50):  # Newton: sum of sqrt(m^2 + scale^2 q^2) = energy
        energies = np.sqrt(mass**2 + scale**2 * (momentum**2).sum(axis=1))
        scale -= (energies.sum() - energy) / (scale * ((momentum**2).sum(axis=1) / energies).sum())
    momentum *= scale
    return np.column_stack([np.sqrt(mass**2 + (momentum**2).sum(axis=1)), momentum])


def _boost(p: Array, beta: Array) -> Array:
    """Momenta seen from a frame that moves with velocity -beta."""
    gamma = 1 / math.sqrt(1 - beta @ beta)
    along = p[:, 1:] @ beta
    energy = gamma * (p[:, 0] + along)
    factor = gamma**2 / (gamma + 1) * along + gamma * p[:, 0]
    return np.column_stack([energy, p[:, 1:] + factor[:, None] * beta])
