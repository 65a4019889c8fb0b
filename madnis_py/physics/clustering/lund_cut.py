"""Cut on Pythia's evolution scale between the jets of a sample for merging."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array

_BEAMS = (0, 1)


class LundCut:
    """Events in which no jet is closer than some p_T to what may have radiated it.

    p_T is the variable in which Pythia's showers evolve (Sjostrand and Skands, Eur. Phys. J. C 39
    (2005) 129), of every splitting into a jet and another jet or an incoming parton that momenta
    allow, whatever colours and flavours are, as `ptlund` in `cuts.f` of MadEvent. Where two jets
    are the whole final state their p_T counts: they have no share of energy that would define it.

    Args:
        jets: positions of the jets, which have no mass.
        n_particles: of the events, incoming ones included.
        pt: the least p_T in GeV.
    """

    def __init__(self, jets: tuple[int, ...], n_particles: int, pt: float) -> None:
        self._jets, self._least = jets, pt**2
        self._alone = len(jets) == n_particles - 2 == 2

    def __call__(self, p: Array) -> NDArray[np.bool_]:
        """Which events pass, bool (n,); p in GeV, float64 (n, P, 4)."""
        passes = np.ones(len(p), bool)
        for square in self._transverse(p) if self._alone else self._squares(p):
            passes &= square >= self._least
        return passes

    def _transverse(self, p: Array) -> Iterator[Array]:
        for jet in self._jets:
            yield p[:, jet, 1] ** 2 + p[:, jet, 2] ** 2

    def _squares(self, p: Array) -> Iterator[Array]:
        """p_T^2 of each splitting in GeV^2, infinite where it is not possible."""
        for jet, beam in product(self._jets, _BEAMS):
            yield _from_beam(p[:, beam], p[:, jet], p[:, 1 - beam])
        for radiator, jet in permutations(self._jets, 2):
            for recoiler in self._jets:
                if recoiler not in (radiator, jet):
                    yield _from_jet(p[:, radiator], p[:, jet], p[:, recoiler])
            for beam in _BEAMS:
                yield _from_jet_beside_beam(p[:, radiator], p[:, jet], p[:, beam])


def _from_beam(radiator: Array, jet: Array, recoiler: Array) -> Array:
    """p_T^2 = (1 - z) Q^2 of a jet that an incoming parton has radiated."""
    virtuality, total = 2 * _product(radiator, jet), 2 * _product(radiator, recoiler)
    lost = (virtuality + 2 * _product(recoiler, jet)) / total
    return np.asarray(lost * virtuality)


def _from_jet(radiator: Array, jet: Array, recoiler: Array) -> Array:
    """p_T^2 = z (1 - z) Q^2 of a jet that another one has radiated beside a third."""
    between = _product(radiator, jet)
    kept, given = _product(radiator, recoiler), _product(jet, recoiler)
    z = (between + kept) / (2 * between + kept + given)
    return np.asarray(2 * z * (1 - z) * between)


def _from_jet_beside_beam(radiator: Array, jet: Array, beam: Array) -> Array:
    """As `_from_jet`, where an incoming parton had less momentum before the splitting."""
    virtuality = 2 * _product(radiator, jet)
    before = 2 * (_product(radiator, beam) + _product(jet, beam)) - virtuality
    possible = before > virtuality
    ratio = virtuality / np.where(possible, before, np.inf)
    share = ((1 - ratio) / (1 + ratio))[:, None]
    return np.where(possible, _from_jet(radiator, jet, share * beam), np.inf)


def _product(a: Array, b: Array) -> Array:
    """Scalar product of momenta (E, px, py, pz), (n,)."""
    return np.asarray(a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(axis=1))
