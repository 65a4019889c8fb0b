"""Beamstrahlung from tables: numbers of leptons, cross sections behind them, damaged tables."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import qmc

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.card import card as cards
from madnis_py.errors import CardError
from madnis_py.physics.beam_densities.beamstrahlung import POWER, Beamstrahlung, Spectrum
from madnis_py.physics.beam_densities.lepton_structure import RadiatingLepton, radiation_power
from madnis_py.physics.beam_densities.masses import MASSES
from madnis_py.physics.cross_section.cross_section import PICOBARN_PER_INVERSE_GEV2, CrossSection
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process

ALPHA = Model("sm").alpha_qed
TABLE = """# a spectrum
full 0.4

0.5  0.2
0.9  1.0   # GeV do not matter
1.0  3.6
"""
"""0.4 + 0.4 * 0.6 + 0.1 * 2.3 = 0.87, brought to 1 by another constant."""

CARD = """[process]
definition = "e+ e- > mu+ mu- / z h"
[beams]
energy = [120.0, 80.0]
pdf = {pdf}
beamstrahlung = {table}
[cuts]
"mu+,mu-" = {{ mass_min = 30.0 }}
[scales]
factorization = 150.0
"""


def write(folder: Path, text: str = "", pdf: str = '"none"', table: str = '"bunch.dat"') -> Path:
    scaled = TABLE.replace("full 0.4", "full 0.53")
    (folder / "bunch.dat").write_text(text or scaled)
    path = folder / "card.toml"
    path.write_text(CARD.format(pdf=pdf, table=table))
    return path


def energies(spectrum: Spectrum) -> tuple[Array, Array]:
    """Shares and their probabilities, which add up to 1."""
    x = np.linspace(0.5, 1.0, 2001)
    weights = spectrum.at(x) * (x[1] - x[0])
    weights[[0, -1]] /= 2
    return np.append(x, 1.0), np.append(weights, spectrum.full)


def test_a_table_is_normalised(tmp_path: Path) -> None:
    write(tmp_path)
    spectrum = Spectrum.read(tmp_path / "bunch.dat")
    assert spectrum.full == pytest.approx(0.53, rel=1e-12)
    _, weights = energies(spectrum)
    assert weights.sum() == pytest.approx(1.0, rel=1e-6)


def test_radiation_and_beamstrahlung_change_no_number_of_leptons(tmp_path: Path) -> None:
    write(tmp_path)
    q2, mass = 150.0**2, MASSES[11]
    beta = float(radiation_power(q2, mass, ALPHA))
    for radiation, power in ((None, POWER), (RadiatingLepton(mass, ALPHA, beta), beta)):
        density = Beamstrahlung(Spectrum.read(tmp_path / "bunch.dat"), radiation, power)
        z = (np.arange(20_000) + 0.5) / 20_000
        rest = z ** (1 / power)
        x = 1 - rest
        found = density.evaluate(x, np.full(len(x), q2))[:, 0] / np.maximum(x, 1e-300)
        jacobian = np.maximum(rest, _core.LEAST_REST) ** (1 - power) / power
        assert (found * jacobian)[x > 1e-9].sum() / len(z) == pytest.approx(1.0, abs=2e-4)


@pytest.mark.parametrize("pdf", ["none", "isr"])
@pytest.mark.parametrize("both", [True, False])
def test_muon_pairs_are_the_sum_over_the_energies_of_the_bunches(
    tmp_path: Path, pdf: str, both: bool
) -> None:
    """The sum over the spectrum of sigma at these energies, which the same table has no part in."""
    table = '"bunch.dat"' if both else '["bunch.dat", "none"]'
    found = integral(write(tmp_path, pdf=f'"{pdf}"', table=table))
    x, weights = energies(Spectrum.read(tmp_path / "bunch.dat"))
    other = (x, weights) if both else (np.ones(1), np.ones(1))
    tau = np.outer(x, other[0]).ravel()
    s = 4 * 120.0 * 80.0 * tau
    sigma = 4 * math.pi * ALPHA**2 / (3 * s)
    if pdf == "isr":
        sigma = behind_radiation(s)
    expected = float((np.outer(weights, other[1]).ravel() * sigma).sum())
    assert found == pytest.approx(expected * PICOBARN_PER_INVERSE_GEV2, rel=3e-3)


def behind_radiation(s: Array) -> Array:
    """sigma in GeV^-2 of two leptons that radiate, D with twice the power, above the cut."""
    beta = 2 * float(radiation_power(150.0**2, MASSES[11], ALPHA))
    z = (np.arange(20_000) + 0.5) / 20_000
    rest = z ** (1 / beta)
    both = RadiatingLepton(MASSES[11], ALPHA * 2, beta).without_peak(
        1 - rest, rest, np.full(len(z), 150.0**2)
    )
    grid = np.linspace(s.min(), s.max(), 150)
    found = [
        (both * 4 * math.pi * ALPHA**2 / (3 * one * (1 - rest)) * (one * (1 - rest) > 900.0)).mean()
        for one in grid
    ]
    return np.asarray(np.interp(s, grid, found))


def integral(path: Path) -> float:
    one = CrossSection(Process.from_card(cards.load(path)))
    x = torch.from_numpy(qmc.Sobol(one.dim, seed=3).random_base2(16))
    return float(one.evaluate(x, torch.zeros(len(x), dtype=torch.int64)).value.mean())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("full 0.5\n0.5 1.0\n0.4 1.0\n", "bunch.dat:3: expected"),
        ("full 1.5\n", "bunch.dat:1: expected"),
        ("0.5 1.0 3.0\n", "bunch.dat:1: expected"),
        ("0.5 one\n", "bunch.dat:1: expected"),
        ("0.5 nan\n", "bunch.dat:1: expected"),
        ("1.2 1.0\n", "bunch.dat:1: expected"),
        ("full 0.5\n", "bunch.dat: expected a spectrum that adds up to 1; got 0.5"),
        ("# nothing\n", "bunch.dat: expected a spectrum that adds up to 1; got 0"),
    ],
)
def test_a_damaged_table_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CardError, match=re.escape(sentence)):
        CrossSection(Process.from_card(cards.load(write(tmp_path, text))))


def test_a_table_is_for_leptons(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="beamstrahlung: expected beams of leptons"):
        Process.from_card(cards.load(write(tmp_path, pdf='["none", "toy"]')))
    with pytest.raises(CardError, match=r"beamstrahlung: .*no.dat: expected a readable table"):
        CrossSection(Process.from_card(cards.load(write(tmp_path, table='"no.dat"'))))
