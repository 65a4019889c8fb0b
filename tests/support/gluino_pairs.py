"""Closed forms of gluino pairs at tree level."""

from __future__ import annotations

import numpy as np

from madnis_py.arrays import Array

METRIC = np.array([1.0, -1.0, -1.0, -1.0])


def of_gluons(p: Array, mass: float, alpha_s: float) -> Array:
    """|M|^2 of g g > go go, Dawson, Eichten and Quigg; gamma gamma > f f~ with colours of octets.

    Args:
        p: momenta in GeV, (n, 4, 4).
        mass: of the gluino.
        alpha_s: the strong coupling.
    """
    s, t, u = _invariants(p, mass)
    x = mass**2 * s / (t * u)
    squares = 8 * 72 * (1 - t * u / s**2) * (s**2 / (t * u) - 2 + 4 * x * (1 - x))
    return (4 * np.pi * alpha_s) ** 2 * squares / (4 * 64) / 2


def of_quarks(p: Array, mass: float, squarks: tuple[float, float], alpha_s: float) -> Array:
    """|M|^2 of q q~ > go go, Beenakker, Hoepker, Spira and Zerwas, Nucl. Phys. B492 (1997) 51, (8).

    Args:
        p: momenta in GeV, (n, 4, 4).
        mass: of the gluino.
        squarks: masses of the partners of both helicities of the quark, which do not interfere.
        alpha_s: the strong coupling.
    """
    both = [_of_quarks(*_invariants(p, mass), mass, squark) for squark in squarks]
    # Without squarks 8 (t^2 + u^2 + 2 m^2 s) / s^2 times Tr(T^a T^b) Tr(F^a F^b) = 12.
    return (4 * np.pi * alpha_s) ** 2 * (both[0] + both[1]) / (4 * 9) / 2


def _of_quarks(s: Array, t: Array, u: Array, mass: float, squark: float) -> Array:
    mass2, gap = mass**2, mass**2 - squark**2
    t_squark, u_squark = t + gap, u + gap
    octet, flavour = 24.0, 8 / 3  # C_O = N (N^2 - 1), C_K = (N^2 - 1) / N
    return octet * (
        2 * (2 * mass2 * s + t**2 + u**2) / s**2
        + 2 * (mass2 * s + t**2) / (s * t_squark)
        + 2 * (mass2 * s + u**2) / (s * u_squark)
        + t**2 / t_squark**2
        + u**2 / u_squark**2
    ) + flavour * (2 * s * mass2 / (t_squark * u_squark) - t**2 / t_squark**2 - u**2 / u_squark**2)


def _invariants(p: Array, mass: float) -> tuple[Array, Array, Array]:
    """s, t - m^2 and u - m^2."""
    a, b, k, other = np.moveaxis(p, 1, 0)
    s, t, u = ((x**2 * METRIC).sum(axis=1) for x in (a + b, a - k, a - other))
    return s, t - mass**2, u - mass**2
