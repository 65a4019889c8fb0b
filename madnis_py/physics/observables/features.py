"""Features: the numbers of an event that the channel weights see, the same for every card.

`observable` has what histograms of a card show, `parton_kinematics` what a cross section needs.
"""

from __future__ import annotations

import numpy as np

from madnis_py import _core
from madnis_py.arrays import Array

_BOUND = 50.0
"""Limit of every feature: eta and log(p_T / GeV) of a particle along the beam are infinite."""


def features(p: Array, hadronic: bool, n_incoming: int = 2) -> Array:
    """log(p_T / GeV), eta and phi of every final particle; for hadrons also s-hat and rapidity.

    The logarithm of s-hat tells the channel weights at once which resonance an event belongs to;
    the rapidity of the collision is the other number that parton densities depend on.

    Args:
        p: momenta in GeV, event-fastest float64 (n, P, 4), incoming ones first.
        hadronic: whether to append log(s-hat / GeV^2) and the rapidity of the collision.
        n_incoming: 1 for a decay.

    Returns:
        float64 (n, 3 (P - n_incoming)), for hadrons with 2 columns more, never NaN: within plus and
        minus 50 also along the beam.
    """
    values = _core.observables(p, list(range(n_incoming, p.shape[1])))
    if hadronic:
        with np.errstate(divide="ignore"):
            log_a, log_b = np.log(p[:, 0, 0]), np.log(p[:, 1, 0])
            values = np.column_stack([values, np.log(4.0) + log_a + log_b, (log_a - log_b) / 2])
    return np.clip(np.nan_to_num(values, copy=False, nan=0.0), -_BOUND, _BOUND)
