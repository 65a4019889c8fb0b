"""Densities of the beams and alpha_s in the kernels of a device, against those of the processor."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from grids import COUPLING, FLAVOURS, INFO, grid_text, write_set
from places import SHARED

from madnis_py.arrays import Array, Flags
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.errors import PdfError
from madnis_py.physics.beam_densities.beam_density import BeamDensity, SetDensity
from madnis_py.physics.beam_densities.luminosity import (
    BeamLuminosity,
    ConstantCoupling,
    PartonLuminosity,
    UnitLuminosity,
)
from madnis_py.physics.on_device.densities_on_device import densities_on_device
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.pdf.pdf import GridPdf, LhapdfPdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED
from madnis_py.physics.pdf.running_coupling import AlphaS, running_from

NNPDF = SHARED / "pdf" / "NNPDF40_lo_as_01180"
ENERGIES = (4096.0, 8192.0)
"""Powers of two, so that x comes back from the momenta as it was."""

PARTONS = np.array([(21, 21), (2, -2), (-2, 2), (1, 21), (21, 5), (22, 2), (0, 3)], np.int32)
"""Some of them in no set."""

INSIDE, BELOW, ABOVE = (0.0, 1.0), (-0.2, 0.0), (1.0, 1.2)
REGIONS = {
    "on the grid": (INSIDE, INSIDE),
    "below x": (BELOW, INSIDE),
    "below Q": (INSIDE, BELOW),
    "above Q": (INSIDE, ABOVE),
    "below x and Q": (BELOW, BELOW),
    "below x and above Q": (BELOW, ABOVE),
}
"""Ranges of log x and log Q^2, in which the knots run from 0 to 1."""

on_both_sets = pytest.mark.parametrize(
    "pdf",
    [
        SHIPPED / "toy",
        pytest.param(
            NNPDF,
            marks=pytest.mark.skipif(not NNPDF.is_dir(), reason="the NNPDF4.0 grid is not here"),
        ),
    ],
    ids=lambda folder: str(folder.name),
    indirect=True,
)


@pytest.fixture
def pdf(request: pytest.FixtureRequest) -> GridPdf:
    return GridPdf.from_folder(request.param)


def protons(pdf: GridPdf) -> BeamLuminosity:
    return hadrons(*(SetDensity(pdf, partons) for partons in PARTONS.T.tolist()))


def hadrons(first: BeamDensity, second: BeamDensity) -> BeamLuminosity:
    alpha_s = first.pdf.alpha_s if first.pdf else ConstantCoupling(0.1).evaluate
    return BeamLuminosity((first, second), ENERGIES, len(PARTONS), alpha_s)


def momenta(x: Array) -> Array:
    """Four particles, of which two come in with shares x (n, 2) of their beams."""
    p = np.random.default_rng(1).normal(size=(4, 4, len(x)))
    p[:2, 0] = (x * ENERGIES).T
    return p.transpose(2, 0, 1)


def on_processor(luminosity: PartonLuminosity, x: Array, q2: Array) -> tuple[Array, Array]:
    """Products of densities, and alpha_s."""
    return luminosity.evaluate(momenta(x), q2), luminosity.alpha_s(q2)


def on_device(
    luminosity: PartonLuminosity, x: Array, q2: Array, mask: Flags | None = None
) -> tuple[Array, Array]:
    """The same in emulated kernels, for the events of a mask."""
    densities = densities_on_device(luminosity, EmulatedKernels())
    live = LiveEvents.of(torch.from_numpy(np.ones(len(q2), bool) if mask is None else mask))
    p = torch.from_numpy(momenta(x))
    scale = torch.from_numpy(q2)
    return densities.evaluate(p, scale, live).numpy(), densities.alpha_s(scale, live).numpy()


def points(pdf: GridPdf, region: str, n: int) -> tuple[Array, Array]:
    """x of both partons (n, 2), and Q^2 (n,), all over a region."""
    random = np.random.default_rng(len(region))
    x_range, q2_range = REGIONS[region]

    def drawn(knots: Array, share: tuple[float, float], *shape: int) -> Array:
        first, last = np.log(knots[[0, -1]])
        return np.asarray(np.exp(first + random.uniform(*share, shape) * (last - first)))

    return drawn(pdf.member.x, x_range, n, 2), drawn(pdf.member.q2, q2_range, n)


@on_both_sets
@pytest.mark.parametrize("region", REGIONS)
def test_densities_on_a_device_are_those_of_the_processor(pdf: GridPdf, region: str) -> None:
    x, q2 = points(pdf, region, 2000)
    for found, expected in zip(
        on_device(protons(pdf), x, q2), on_processor(protons(pdf), x, q2), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0)


@on_both_sets
def test_knots_and_borders_of_subgrids_belong_to_the_same_interval(pdf: GridPdf) -> None:
    random, (knots, q2_knots) = np.random.default_rng(2), (pdf.member.x, pdf.member.q2)
    x = random.choice(knots, (2000, 2))
    borders = q2_knots[:-1][np.diff(q2_knots) == 0]
    q2 = random.choice(np.concatenate([q2_knots, np.repeat(borders, 10)]), 2000)
    q2[:100], q2[100:200] = q2_knots[0], q2_knots[-1]
    x[200:250, 0], x[250:300, 1] = knots[0], knots[-1]
    found, expected = (of(protons(pdf), x, q2)[0] for of in (on_device, on_processor))
    assert (expected[(x < 1).all(axis=1)] != 0).any(axis=0)[:5].all()
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13 * np.abs(expected).min())


@on_both_sets
def test_nothing_lies_beyond_the_range_of_x_and_nan_stays_nan(pdf: GridPdf) -> None:
    x = np.array([[0.0, 0.1], [-0.1, 0.1], [0.1, 1.5], [np.nan, 0.1], [0.1, 0.1], [0.1, 0.1]])
    q2 = np.array([100.0, 100.0, 100.0, 100.0, np.nan, -1.0])
    with np.errstate(invalid="ignore"):
        expected = on_processor(protons(pdf), x, q2)
    for found, wanted in zip(on_device(protons(pdf), x, q2), expected, strict=True):
        np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert (on_device(protons(pdf), x, q2)[0][1:3] == 0).all()


@on_both_sets
@pytest.mark.parametrize("n", [0, 1, 127, 128, 129])
def test_events_that_do_not_live_have_no_densities(pdf: GridPdf, n: int) -> None:
    x, q2 = points(pdf, "on the grid", n)
    mask = np.arange(n) % 3 == 0
    for found, whole in zip(
        on_device(protons(pdf), x, q2, mask), on_device(protons(pdf), x, q2), strict=True
    ):
        assert (found[mask] == whole[mask]).all()
        assert (found[~mask] == 0).all()
        assert len(found) == n


X, SHAPES = [0.01, 0.1, 0.5, 1.0], {21: np.array([[3.0], [2.0], [-0.5], [0.0]]), 2: np.array(0.25)}
SUBGRIDS = grid_text(X, [1.0, 2.0], SHAPES) + grid_text(
    X, [2.0, 4.0, 8.0], {21: np.array(0.3), 2: np.array(0.2)}
)
MEMBER = SUBGRIDS.replace("---\nPdfType: central\nFormat: lhagrid1\n---\n", "---\n")


@pytest.mark.parametrize("level", [0, 1, 2])
def test_subgrids_of_two_scales_and_negative_densities_are_read_alike(
    tmp_path: Path, level: int
) -> None:
    info = INFO + FLAVOURS.format(flavours="21, 2") + COUPLING + f"ForcePositive: {level}\n"
    small = GridPdf.from_folder(write_set(tmp_path / "small", info, MEMBER))
    random = np.random.default_rng(4)
    x, q2 = random.uniform(0.005, 1, (500, 2)), random.uniform(0.5, 70, 500)
    found, expected = (of(protons(small), x, q2)[0] for of in (on_device, on_processor))
    assert ((expected < 0).any()) == (level == 0)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


ANALYTIC = "AlphaS_Type: analytic\nAlphaS_OrderQCD: {order}\nMCharm: 1.3\nMBottom: 4.5\nMTop: 175\n"
COUPLINGS = {
    "a table": COUPLING,
    "one loop": ANALYTIC.format(order=1) + "AlphaS_Lambda4: 0.3\nAlphaS_Lambda5: 0.2\n",
    "four loops": ANALYTIC.format(order=4) + "AlphaS_Lambda5: 0.226\n",
    "a fixed number of flavours": ANALYTIC.format(order=2)
    + "AlphaS_FlavorScheme: fixed\nAlphaS_NumFlavors: 4\nAlphaS_Lambda4: 0.3\n",
}


@pytest.mark.parametrize("lines", COUPLINGS.values(), ids=COUPLINGS)
def test_couplings_of_every_kind_run_on_a_device(tmp_path: Path, lines: str) -> None:
    info = INFO + FLAVOURS.format(flavours="21, 2") + lines
    pdf = GridPdf.from_folder(write_set(tmp_path / "small", info, MEMBER))
    q2 = np.array([0.0, 1e-3, 0.04, 1.0, 1.69, 2.0, 20.25, 91.0**2, 1e6, 1e12, -1.0, np.nan])
    x = np.full((len(q2), 2), 0.5)
    found, expected = (of(protons(pdf), x, q2)[1] for of in (on_device, on_processor))
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("coupling", [ConstantCoupling(0.118), running_from(0.118, 91.188)])
def test_beams_that_are_partons_have_the_coupling_of_the_model(
    coupling: ConstantCoupling | AlphaS,
) -> None:
    luminosity, n = UnitLuminosity(3, coupling), 5
    x, q2, mask = np.full((n, 2), 0.5), np.full(n, 100.0), np.arange(n) != 2
    densities, alpha_s = on_device(luminosity, x, q2, mask)
    expected, expected_coupling = on_processor(luminosity, x, q2)
    np.testing.assert_array_equal(densities, expected * mask[:, None])
    np.testing.assert_allclose(alpha_s, expected_coupling * mask, rtol=1e-13)


def test_densities_of_another_library_stay_on_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member = SimpleNamespace(lhapdfID=1, xMin=1e-9, xMax=1.0, q2Min=1.0, q2Max=1e10)
    module = SimpleNamespace(
        mkPDF=lambda name: member, verbosity=lambda: 0, setVerbosity=lambda level: None
    )
    monkeypatch.setitem(sys.modules, "lhapdf", module)
    densities = SetDensity(LhapdfPdf("SOME"), [2])
    other = hadrons(densities, densities)
    with pytest.raises(PdfError, match="SOME: expected the PDF backend 'builtin' on a device"):
        densities_on_device(other, EmulatedKernels())


def test_a_set_without_a_coupling_is_refused(tmp_path: Path) -> None:
    info = INFO + FLAVOURS.format(flavours="21, 2")
    silent = GridPdf.from_folder(write_set(tmp_path / "silent", info, MEMBER))
    with pytest.raises(PdfError, match=r"silent\.info: expected a strong coupling"):
        densities_on_device(protons(silent), EmulatedKernels())
