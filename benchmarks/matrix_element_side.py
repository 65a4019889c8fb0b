"""Squared amplitudes at work, for comparisons with numbers that other programs reached."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from tape_counts import reaction
from workers import Work

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta

ALPHA_S = 0.118
DIFFERENT_POINTS = 64
"""Of a batch, repeated until it is full: the time does not depend on where a point is."""


def start(threads: int) -> None:
    """Threads are those of the kernels."""
    _core.set_thread_count(threads)


@cache
def make_amplitude(process: str, folder: str) -> TreeAmplitude:
    """The amplitude of a process in MadGraph's notation, its tape kept in a folder."""
    model = Model("sm")
    return TreeAmplitude(reaction(process, model), model, cache=TapeCache(Path(folder)))


def make_momenta(amplitude: TreeAmplitude, n: int) -> Array:
    """Momenta in GeV, event-fastest float64 (n, n_legs, 4)."""
    model = Model("sm")
    masses = [model.mass(pdg) for pdg in amplitude.legs]
    points = generic_momenta(masses, n_incoming=2, count=min(n, DIFFERENT_POINTS))
    return as_momenta(np.resize(points, (n, *points.shape[1:])))


def squared(process: str, folder: str, n: int, single: bool) -> Work:
    """|M|^2 alone."""
    amplitude = make_amplitude(process, folder)
    p, alpha_s = make_momenta(amplitude, n), np.full(n, ALPHA_S)

    def work() -> float:
        amplitude.squared(p, alpha_s, single)
        return n

    return work


def diagram_squares(process: str, folder: str, n: int) -> Work:
    """|M_i|^2 of all diagrams without |M|^2."""
    amplitude = make_amplitude(process, folder)
    p, alpha_s = make_momenta(amplitude, n), np.full(n, ALPHA_S)

    def work() -> float:
        amplitude._squares.evaluate(p, alpha_s)
        return n

    return work
