"""Beamstrahlung: energies of leptons that have met the other bunch, from a table.

A table has two columns: a share x of the energy of the beam, ascending, and the density of leptons
there, a straight line between the rows and 0 outside. A line `full P` says how many keep all of
their energy. Lines may be empty, or comments that begin with #.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.beam_densities.beam_density import BeamDensity
from madnis_py.physics.beam_densities.lepton_structure import RadiatingLepton

_TOLERANCE = 0.01
"""Distance of the integral of a table from 1 that counts as rounding."""

POWER = 0.025
"""Of the peak of a map without radiation: half of its points have shares that are not resolved."""

_NODES = 48
"""Of the integral over energies before radiation."""


@dataclass(frozen=True)
class Spectrum:
    """Energies of the leptons of a beam, normalised to 1.

    Attributes:
        x: shares of the energy of the beam, ascending, float64 (k,).
        density: of leptons there, float64 (k,).
        full: how many keep all of their energy.
    """

    x: Array
    density: Array
    full: float

    @classmethod
    def read(cls, file: Path) -> Spectrum:
        """The spectrum of a table.

        Raises:
            InputError: the file cannot be read, a line is none of a table, or it does not add up
                to 1; names file and line.
        """
        full, rows = 0.0, [(0.0, 0.0)]
        for number, line in enumerate(_lines(file), start=1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            values = _numbers(words[1:] if words[0] == "full" else words)
            if words[0] == "full" and len(values) == 1 and 0 <= values[0] <= 1:
                full = values[0]
            elif len(values) == 2 and rows[-1][0] < values[0] <= 1 and values[1] >= 0:
                rows.append((values[0], values[1]))
            else:
                expected = 'expected "x density", x ascending in (0, 1], or "full share"'
                raise InputError(f"{file}:{number}: {expected}; got {line.strip()[:80]!r}")
        x, density = np.array(rows[1:] or [(0.5, 0.0), (1.0, 0.0)]).T
        total = full + float(np.trapezoid(density, x))
        if abs(total - 1) > _TOLERANCE:
            raise InputError(f"{file}: expected a spectrum that adds up to 1; got {total:.6g}")
        return cls(x, density / total, full / total)

    def at(self, x: Array) -> Array:
        """The density at any share, float64 as x."""
        return np.interp(x, self.x, self.density, left=0.0, right=0.0)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file}: expected a readable table of beamstrahlung; got {error}"
        ) from None


def _numbers(words: list[str]) -> list[float]:
    """The numbers that the words are; none if one of them is not."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        return []
    return values if all(map(math.isfinite, values)) else []


class Beamstrahlung(BeamDensity):
    """The density of leptons of a spectrum, as they are or after radiation.

    Leptons with all of their energy have shares below the resolution of the map; see
    `RadiatingLepton`.

    Args:
        spectrum: of the beam.
        radiation: what happens to them afterwards.
        power: of the peak of the map.
    """

    def __init__(self, spectrum: Spectrum, radiation: RadiatingLepton | None, power: float) -> None:
        self._spectrum, self._radiation, self._power = spectrum, radiation, power
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        self._nodes, self._weights = (1 + nodes) / 2, weights / 2

    def evaluate(self, x: Array, q2: Array) -> Array:
        """See `BeamDensity.evaluate`, (n, 1)."""
        if self._radiation is None:
            unresolved = 1 - x <= _core.LEAST_REST
            peak = self._spectrum.full * self._power / _core.LEAST_REST
            found = np.where(unresolved, peak, self._spectrum.at(x))
        else:
            found = self._spectrum.full * self._radiation.density(x, q2)
            found = found + self._after_radiation(self._radiation, x, q2)
        return np.asarray(x * found)[:, None]

    def _after_radiation(self, radiation: RadiatingLepton, x: Array, q2: Array) -> Array:
        """Integral over y of D(y) f(x / y) / y where f is not 0, by z = (1 - y)^beta."""
        beta = radiation.power(q2)[:, None]
        first, last = (
            np.clip(1 - x / end, 0.0, 1.0)[:, None] ** beta for end in self._spectrum.x[[0, -1]]
        )
        left = (first + (last - first) * self._nodes) ** (1 / beta)
        y = 1 - left
        smooth = radiation.without_peak(np.maximum(y, 1e-300), left, q2[:, None])
        values = smooth * self._spectrum.at(x[:, None] / np.maximum(y, x[:, None])) / y
        return np.asarray((values @ self._weights) * (last - first)[:, 0])
