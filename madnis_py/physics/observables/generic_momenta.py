"""Momenta in general position, to find out what vanishes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.observables.momenta import as_momenta

_SEED = 20_240_501


def generic_momenta(masses: Sequence[float], n_incoming: int, count: int = 4) -> Array:
    """Points of phase space without any symmetry: seen from a frame in which no particle is along an axis.

    Args:
        masses: of the legs in GeV, incoming first.
        n_incoming: 1 or 2.
        count: how many points.

    Returns:
        Momenta in GeV, event-fastest float64 (count, n_legs, 4).
    """
    random = np.random.Generator(np.random.Philox(_SEED))
    energy = _energy(masses, n_incoming)
    points = []
    for _ in range(count):
        incoming = (
            _two_bodies(energy, *masses[:2])
            if n_incoming == 2
            else np.array([[energy, 0.0, 0.0, 0.0]])
        )
        outgoing = _flat_phase_space(energy, masses[n_incoming:], random)
        points.append(_boosted(np.concatenate([incoming, outgoing]), random))
    return as_momenta(np.array(points))


def _energy(masses: Sequence[float], n_incoming: int) -> float:
    """A total energy somewhat above all thresholds; the mass where one particle comes in or goes out."""
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
    momentum = _at_rest(momentum)
    scale = energy / np.linalg.norm(momentum, axis=1).sum()
    for _ in range(50):  # Newton: sum of sqrt(m^2 + scale^2 q^2) = energy
        energies = np.sqrt(mass**2 + scale**2 * (momentum**2).sum(axis=1))
        scale -= (energies.sum() - energy) / (scale * ((momentum**2).sum(axis=1) / energies).sum())
    momentum *= scale
    return np.column_stack([np.sqrt(mass**2 + (momentum**2).sum(axis=1)), momentum])


def _at_rest(momentum: Array) -> Array:
    """Massless three-momenta seen from the frame where they add up to zero."""
    light = np.column_stack([np.linalg.norm(momentum, axis=1), momentum])
    total = light.sum(axis=0)
    return _boost(light, -total[1:] / total[0])[:, 1:]


def _boost(p: Array, beta: Array) -> Array:
    gamma = 1 / math.sqrt(1 - beta @ beta)
    along = p[:, 1:] @ beta
    energy = gamma * (p[:, 0] + along)
    factor = gamma**2 / (gamma + 1) * along + gamma * p[:, 0]
    return np.column_stack([energy, p[:, 1:] + factor[:, None] * beta])


def _boosted(p: Array, random: np.random.Generator) -> Array:
    """Turn and boost in random directions."""
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    beta = random.normal(size=3)
    turned = np.column_stack([p[:, 0], p[:, 1:] @ rotation.T])
    return _boost(turned, 0.4 * beta / np.linalg.norm(beta))
