"""Drell-Yan cross sections by deterministic quadrature; of our kernels only the parton densities.

sigma = sum_q Int dm (2 m / S) Int dy [f_q(x1) f_qbar(x2) + f_qbar(x1) f_q(x2)] sigma_q(m^2),
x1,2 = (m / sqrt(S)) e^(+-y),
sigma_q(s) = s / (144 pi) sum over chiralities i, j of |sum_V g_i^q g_j^l / (s - M_V^2 + i M_V
Gamma_V)|^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from toy_oracles import gauss_panels

from madnis_py.arrays import Array
from madnis_py.physics.pdf.pdf import AbstractPdf

PICOBARN = 3.8937937217185e8  # (hbar c)^2 in GeV^2 pb


@dataclass(frozen=True)
class Electroweak:
    """MadGraph's `sm` input, and a Z' with the couplings of the Z."""

    z_prime: bool = False
    alpha: float = 1 / 132.507
    gf: float = 1.16639e-5
    mz: float = 91.188
    wz: float = 2.441404
    mzp: float = 400.0
    wzp: float = 0.5

    def propagators(
        self, s: Array | float, up: bool
    ) -> dict[tuple[bool, bool], NDArray[np.complex128]]:
        """Sum over chiralities of the squared sum of propagators times couplings, GeV^-4."""
        mw2 = self.mz**2 / 2 + np.sqrt(
            self.mz**4 / 4 - np.pi * self.alpha * self.mz**2 / (np.sqrt(2) * self.gf)
        )
        sw2 = 1 - mw2 / self.mz**2
        charge, isospin = (2 / 3, 0.5) if up else (-1 / 3, -0.5)
        amplitudes: dict[tuple[bool, bool], NDArray[np.complex128]] = {}
        for quark in (isospin, 0.0):
            for lepton in (-0.5, 0.0):
                z = (quark - charge * sw2) * (lepton + sw2) / (sw2 * (1 - sw2))
                amplitude = -charge / s + z / (s - self.mz**2 + 1j * self.mz * self.wz)
                if self.z_prime:
                    amplitude = amplitude + z / (s - self.mzp**2 + 1j * self.mzp * self.wzp)
                amplitudes[quark != 0, lepton != 0] = 4 * np.pi * self.alpha * amplitude
        return amplitudes

    def sigma(self, s: Array | float, up: bool, pt_min: float = 0.0) -> Array:
        """Partonic cross section in pb with both leptons above pt_min in GeV."""
        cos = np.sqrt(np.maximum(1 - 4 * pt_min**2 / s, 0))
        accepted = (3 * cos + cos**3) / 4
        squares = sum(abs(a) ** 2 for a in self.propagators(s, up).values())
        return np.asarray(PICOBARN * accepted * s / (144 * np.pi) * squares)

    def differential(self, s: Array | float, up: bool, cos: Array) -> Array:
        """D sigma / d cos(theta) in pb, theta between the quark and the negative lepton."""
        squares = {True: np.zeros(1), False: np.zeros(1)}
        for (quark, lepton), amplitude in self.propagators(s, up).items():
            squares[quark == lepton] = squares[quark == lepton] + abs(amplitude) ** 2
        both = squares[True] * (1 + cos) ** 2 + squares[False] * (1 - cos) ** 2
        return np.asarray(PICOBARN * s / (384 * np.pi) * both)


def mass_edges(lowest: float, highest: float, resonances: Sequence[tuple[float, float]]) -> Array:
    """Edges of panels: logarithmic, and dense around the resonances (mass, width)."""
    steps = np.concatenate([[0], np.geomspace(0.25, 200, 21)])
    near = [mass + sign * width * steps for mass, width in resonances for sign in (1, -1)]
    edges = np.unique(np.concatenate([np.geomspace(lowest, highest, 60), *near]))
    return edges[(edges >= lowest) & (edges <= highest)]


def cross_sections(
    pdf: AbstractPdf,
    electroweak: Electroweak | None = None,
    energies: tuple[float, float] = (6500.0, 6500.0),
    mass_min: float = 15.0,
    pt_min: float = 0.0,
    mu: float = 91.188,
) -> dict[int, float]:
    """Cross section in pb by quark flavour: 1 d, 2 u, 3 s, 4 c."""
    electroweak = electroweak or Electroweak()
    s_beams = 4 * energies[0] * energies[1]
    resonances = [(electroweak.mz, electroweak.wz)] + [
        (electroweak.mzp, electroweak.wzp)
    ] * electroweak.z_prime
    lowest = max(mass_min, 2 * pt_min)
    m, m_weight = gauss_panels(mass_edges(lowest, np.sqrt(s_beams), resonances), 8)
    y, y_weight = gauss_panels(np.linspace(-1, 1, 11), 12)
    root_tau = m / np.sqrt(s_beams)
    reach = -np.log(root_tau)
    x1 = (root_tau[:, None] * np.exp(reach[:, None] * y)).ravel()
    x2 = (root_tau[:, None] * np.exp(-reach[:, None] * y)).ravel()
    flavours = [1, 2, 3, 4, -1, -2, -3, -4]
    f1, f2 = (pdf.density(flavours, x, mu**2) / x[:, None] for x in (x1, x2))
    result = {}
    for column, quark in enumerate((1, 2, 3, 4)):
        both = f1[:, column] * f2[:, column + 4] + f1[:, column + 4] * f2[:, column]
        luminosity = reach * (both.reshape(len(m), -1) @ y_weight)
        partonic = electroweak.sigma(m**2, quark % 2 == 0, pt_min)
        result[quark] = float(np.sum(m_weight * 2 * m / s_beams * luminosity * partonic))
    return result
