"""Parton densities of grids: other codes, published numbers, sum rules, edges, batches."""

import itertools
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from places import ROOT, SHARED
from scipy.interpolate import CubicHermiteSpline
from small_pdf_set import hide_other_sets

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.physics.pdf.lhagrid import read_member
from madnis_py.physics.pdf.pdf import GridPdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED
from madnis_py.physics.pdf.set_files import SetFiles

SCRIPT = ROOT / "scripts" / "make_toy_pdf.py"
NNPDF = SHARED / "pdf" / "NNPDF40_lo_as_01180"


needs_nnpdf = pytest.mark.skipif(not NNPDF.is_dir(), reason="the NNPDF4.0 grid is not here")
both_sets = pytest.mark.parametrize(
    "folder", [SHIPPED / "toy", pytest.param(NNPDF, marks=needs_nnpdf)], ids=str
)


@pytest.fixture(scope="module")
def toy() -> GridPdf:
    return GridPdf.from_folder(SHIPPED / "toy")


@pytest.fixture(autouse=True)
def _no_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_other_sets(tmp_path, monkeypatch)


def random_points(pdf: GridPdf, count: int) -> tuple[Array, Array]:
    """Points all over the grid, a fifth of them on knots of x or Q^2 or in the outermost bins."""
    random = np.random.default_rng(1)
    x = np.exp(random.uniform(np.log(pdf.x_min), 0, count))
    x[: count // 5] = random.uniform(pdf.x_min, 1, count // 5)
    q2 = np.exp(random.uniform(np.log(pdf.member.q2[0]), np.log(pdf.member.q2[-1]), count))
    k = count // 20
    x[-2 * k :] = random.choice(pdf.member.x[:-1], 2 * k)
    q2[-3 * k : -k] = random.choice(pdf.member.q2, 2 * k)
    x[-4 * k : -3 * k] = random.uniform(pdf.member.x[0], pdf.member.x[1], k)
    return x, np.clip(q2, pdf.member.q2[0], pdf.member.q2[-1])


def subgrids(q2: Array) -> list[slice]:
    """The pieces between repeated knots."""
    cuts = [0, *(np.flatnonzero(np.diff(q2) == 0) + 1), len(q2)]
    return [slice(*pair) for pair in itertools.pairwise(cuts)]


def log_cubic(knots: Array, values: Array) -> CubicHermiteSpline:
    """LHAPDF's cubic in the logarithm: slopes are means of quotients, one-sided at ends."""
    u = np.log(knots)
    quotient = np.diff(values, axis=0) / np.diff(u).reshape(-1, *[1] * (values.ndim - 1))
    slopes = np.concatenate([quotient[:1], (quotient[1:] + quotient[:-1]) / 2, quotient[-1:]])
    return CubicHermiteSpline(u, values, slopes)


# Against other codes and published numbers


@both_sets
def test_density_agrees_with_neopdf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    neopdf = pytest.importorskip("neopdf")
    monkeypatch.setenv("NEOPDF_DATA_PATH", str(folder.parent))
    reference = neopdf.pdf.PDF.mkPDF(folder.name)
    pdf = GridPdf.from_folder(folder)
    x, q2 = random_points(pdf, 100_000)
    truth = np.array(
        [reference.xfxQ2_allpids(list(pdf.member.pdg), *point) for point in zip(x, q2, strict=True)]
    )
    if pdf.member.metadata.integer("ForcePositive", 0):  # which neopdf 0.4 does not know
        truth = np.maximum(truth, 0.0)
    np.testing.assert_allclose(pdf.density(pdf.member.pdg, x, q2), truth, rtol=1e-10, atol=1e-18)


@both_sets
def test_density_is_the_hermite_cubic_of_each_subgrid(folder: Path) -> None:
    pdf = GridPdf.from_folder(folder)
    random = np.random.default_rng(2)
    for piece in subgrids(pdf.member.q2):
        knots = pdf.member.q2[piece]
        x = np.exp(random.uniform(np.log(pdf.x_min), 0, 300))
        q2 = np.exp(random.uniform(np.log(knots[0]), np.log(knots[-1]), 300))
        at_x = log_cubic(pdf.member.x, pdf.member.values[:, piece])(np.log(x))
        truth = np.array(
            [log_cubic(knots, row)(np.log(scale)) for row, scale in zip(at_x, q2, strict=True)]
        )
        np.testing.assert_allclose(
            pdf.density(pdf.member.pdg, x, q2), truth, rtol=1e-10, atol=1e-14
        )


@both_sets
def test_alpha_s_agrees_with_neopdf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Next to a threshold neopdf 0.4 takes slopes across it, which LHAPDF does not; the next test
    # covers those bins.
    neopdf = pytest.importorskip("neopdf")
    monkeypatch.setenv("NEOPDF_DATA_PATH", str(folder.parent))
    reference = neopdf.pdf.PDF.mkPDF(folder.name)
    pdf = GridPdf.from_folder(folder)
    knots = pdf.member.metadata.numbers("AlphaS_Qs") ** 2
    q2 = np.exp(np.random.default_rng(3).uniform(np.log(knots[0]), np.log(knots[-1]), 10_000))
    for piece in subgrids(knots)[1:]:
        q2 = q2[(q2 <= knots[piece.start - 2]) | (q2 >= knots[piece.start + 1])]
    truth = np.array([reference.alphasQ2(value) for value in q2])
    np.testing.assert_allclose(pdf.alpha_s(q2), truth, rtol=1e-10)


@both_sets
def test_alpha_s_is_the_hermite_cubic_of_each_subgrid(folder: Path) -> None:
    pdf = GridPdf.from_folder(folder)
    knots, values = (
        pdf.member.metadata.numbers("AlphaS_Qs") ** 2,
        pdf.member.metadata.numbers("AlphaS_Vals"),
    )
    for piece in subgrids(knots):
        q2 = np.geomspace(knots[piece][0], knots[piece][-1], 1001)[1:-1]
        truth = log_cubic(knots[piece], values[piece])(np.log(q2))
        np.testing.assert_allclose(pdf.alpha_s(q2), truth, rtol=1e-12)


def test_toy_reproduces_the_published_benchmark(toy: GridPdf) -> None:
    # hep-ph/0204316, table 2, leading order, variable flavour number, mu_F^2 = 10^4 GeV^2, printed
    # with five digits: x u_v, d_v, L_- = db - ub, L_+ = 2 (ub + db), s+sb, c+cb, b+bb, g
    published = np.array(
        [
            [
                1e-7,
                5.8771e-5,
                3.4963e-5,
                7.8233e-7,
                1.0181e2,
                4.9815e1,
                4.9088e1,
                4.6070e1,
                1.3272e3,
            ],
            [
                1e-6,
                3.3933e-4,
                2.0129e-4,
                5.1142e-6,
                5.1182e1,
                2.4725e1,
                2.4148e1,
                2.2239e1,
                6.0117e2,
            ],
            [
                1e-5,
                1.9006e-3,
                1.1229e-3,
                3.2249e-5,
                2.4693e1,
                1.1659e1,
                1.1201e1,
                1.0037e1,
                2.5282e2,
            ],
            [
                1e-4,
                1.0186e-2,
                5.9819e-3,
                1.9345e-4,
                1.1406e1,
                5.1583e0,
                4.7953e0,
                4.1222e0,
                9.6048e1,
            ],
            [
                1e-3,
                5.0893e-2,
                2.9576e-2,
                1.0730e-3,
                5.0424e0,
                2.0973e0,
                1.8147e0,
                1.4582e0,
                3.1333e1,
            ],
            [
                1e-2,
                2.2080e-1,
                1.2497e-1,
                4.9985e-3,
                2.0381e0,
                7.2625e-1,
                5.3107e-1,
                3.8106e-1,
                7.7728e0,
            ],
            [
                1e-1,
                5.7166e-1,
                2.8334e-1,
                1.0428e-2,
                4.0496e-1,
                1.1596e-1,
                5.8288e-2,
                3.5056e-2,
                8.4358e-1,
            ],
            [
                3e-1,
                3.7597e-1,
                1.4044e-1,
                3.2629e-3,
                3.9592e-2,
                1.0363e-2,
                4.0740e-3,
                2.2039e-3,
                7.8026e-2,
            ],
            [
                5e-1,
                1.3284e-1,
                3.4802e-2,
                4.2031e-4,
                2.8066e-3,
                7.1707e-4,
                2.5958e-4,
                1.3522e-4,
                7.4719e-3,
            ],
            [
                7e-1,
                2.2643e-2,
                3.5134e-3,
                1.5468e-5,
                6.7201e-5,
                1.7278e-5,
                6.3958e-6,
                3.3996e-6,
                3.5241e-4,
            ],
        ]
    )
    db, ub, g, d, u, s, sb, c, cb, b, bb = toy.density(
        [-1, -2, 21, 1, 2, 3, -3, 4, -4, 5, -5], published[:, 0].copy(), 1e4
    ).T
    ours = np.stack([u - ub, d - db, db - ub, 2 * (ub + db), s + sb, c + cb, b + bb, g], axis=1)
    digits = (
        1.5e-5 * published[:, 4:5]
    )  # the file has five digits: differences of two seas keep fewer
    assert np.all(np.abs(ours - published[:, 1:]) < 5e-4 * published[:, 1:] + digits)


def test_toy_is_what_its_script_makes(tmp_path: Path) -> None:
    pytest.importorskip("hoppet")
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[1])}
    subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "toy"], env=environment, check=True, capture_output=True
    )
    made, shipped = (
        read_member(SetFiles.of_folder(folder), 0) for folder in (tmp_path / "toy", SHIPPED / "toy")
    )
    assert (tmp_path / "toy" / "toy.info").read_text() == (SHIPPED / "toy" / "toy.info").read_text()
    np.testing.assert_array_equal(made.x, shipped.x)
    np.testing.assert_array_equal(made.q2, shipped.q2)
    np.testing.assert_allclose(
        made.values, shipped.values, rtol=1.01e-4
    )  # the fifth digit may differ by one


# Sum rules of the toy set, by Gauss-Legendre quadrature in log x between the knots


def integral_over_x(
    toy: GridPdf, weights: dict[int, float], moment: int, q2: float, edges: Array
) -> float:
    nodes, shares = np.polynomial.legendre.leggauss(8)
    half = np.diff(np.log(edges))[:, None] / 2
    x = np.exp(np.log(edges[:-1, None]) + half * (1 + nodes)).ravel()
    xf = toy.density(list(weights), x, q2) @ np.array(list(weights.values()))
    return float(np.sum((half * shares).ravel() * x**moment * xf))


@pytest.mark.parametrize("q2", [2.0, 4.0, 30.0, 91.188**2, 1e8])
def test_momentum_of_the_toy_partons_is_one(toy: GridPdf, q2: float) -> None:
    edges = np.concatenate([np.geomspace(1e-12, toy.x_min, 30)[:-1], toy.member.x])
    assert integral_over_x(toy, dict.fromkeys(toy.member.pdg, 1.0), 1, q2, edges) == pytest.approx(
        1, abs=2e-4
    )


@pytest.mark.parametrize("q2", [4.0, 30.0, 91.188**2, 1e8])
@pytest.mark.parametrize(("pdg", "number"), [(2, 2), (1, 1), (3, 0), (4, 0), (5, 0)])
def test_valence_numbers_of_the_toy_partons(toy: GridPdf, pdg: int, number: int, q2: float) -> None:
    # The valence below x = 1e-7 is 7e-5, but the difference of two seas with five digits is not to
    # be continued there.
    number_here = integral_over_x(toy, {pdg: 1.0, -pdg: -1.0}, 0, q2, toy.member.x)
    assert number_here == pytest.approx(number, abs=1e-3)


# Outside the grid


def test_below_the_x_grid_log_f_is_a_line_in_log_x(toy: GridPdf) -> None:
    first, second = toy.density([21, 2], toy.member.x[:2].copy(), 100.0)
    share = np.log(1e-9 / toy.member.x[0]) / np.log(toy.member.x[1] / toy.member.x[0])
    truth = first * (second / first) ** share
    np.testing.assert_allclose(toy.density([21, 2], np.array([1e-9]), 100.0)[0], truth, rtol=1e-12)


def test_above_the_q_grid_log_f_is_a_line_in_log_q(toy: GridPdf) -> None:
    before, last = toy.density([21, 2], np.full(2, 0.01), toy.member.q2[-2:].copy())
    q2 = 9 * toy.member.q2[-1]
    truth = last * (before / last) ** (
        np.log(q2 / toy.member.q2[-1]) / np.log(toy.member.q2[-2] / toy.member.q2[-1])
    )
    np.testing.assert_allclose(toy.density([21, 2], np.array([0.01]), q2)[0], truth, rtol=1e-12)


def test_small_densities_are_continued_by_a_straight_line(toy: GridPdf) -> None:
    before, last = toy.density([-5], np.full(2, 0.6), toy.member.q2[-2:].copy())[:, 0]
    assert last < 1e-3
    q2 = 2 * toy.member.q2[-1]
    share = np.log(2) / np.log(toy.member.q2[-1] / toy.member.q2[-2])
    assert toy.density([-5], np.array([0.6]), q2)[0, 0] == pytest.approx(
        last + share * (last - before), rel=1e-12
    )


def test_beyond_both_edges_the_lines_in_q_are_joined_in_x(toy: GridPdf) -> None:
    q2 = 9 * toy.member.q2[-1]
    first, second = toy.density([21], toy.member.x[:2].copy(), q2)[:, 0]
    share = np.log(1e-9 / toy.member.x[0]) / np.log(toy.member.x[1] / toy.member.x[0])
    truth = first * (second / first) ** share
    assert toy.density([21], np.array([1e-9]), q2)[0, 0] == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("x", [1e-9, 1e-3, 0.3])
def test_below_the_q_grid_the_anomalous_dimension_runs_to_one(toy: GridPdf, x: float) -> None:
    q2_min = toy.member.q2[0]
    at_edge, above = toy.density([21, 2], np.full(2, x), np.array([1, 1.01]) * q2_min)
    dimension = np.maximum(-2.5, (above / at_edge - 1) / 0.01)
    for ratio in (0.9, 0.3, 0.01):
        truth = at_edge * ratio ** (dimension * ratio + 1 - ratio)
        np.testing.assert_allclose(
            toy.density([21, 2], np.array([x]), ratio * q2_min)[0], truth, rtol=1e-10
        )


def test_density_vanishes_at_zero_scale(toy: GridPdf) -> None:
    assert toy.density([21], np.array([0.1]), 0.0)[0, 0] == 0


@pytest.mark.parametrize("x", [-0.1, 0.0, 1.0, 1.0000001, 2.0, np.inf])
def test_density_is_zero_outside_the_physical_x(toy: GridPdf, x: float) -> None:
    assert np.all(toy.density(toy.member.pdg, np.array([x]), 100.0) == 0)


@pytest.mark.parametrize(("x", "q2"), [(np.nan, 100.0), (0.1, np.nan), (0.1, -1.0)])
def test_meaningless_points_give_nan(toy: GridPdf, x: float, q2: float) -> None:
    assert np.isnan(toy.density([21], np.array([x]), q2)).all()


def test_alpha_s_is_a_power_law_below_its_table_and_constant_above(toy: GridPdf) -> None:
    q, values = toy.member.metadata.numbers("AlphaS_Qs"), toy.member.metadata.numbers("AlphaS_Vals")
    power = np.log(values[1] / values[0]) / np.log(q[1] / q[0])
    assert toy.alpha_s(1.0)[0] == pytest.approx(values[0] * (1 / q[0]) ** power, rel=1e-12)
    assert toy.alpha_s(4 * q[-1] ** 2)[0] == values[-1]
    assert np.isnan(toy.alpha_s(np.array([-1.0, np.nan]))).all()


# Flavours, shapes, batches


def test_zero_and_21_are_the_gluon(toy: GridPdf) -> None:
    gluon = toy.density([0, 21], np.array([0.1, 0.2]), 100.0)
    assert np.all(gluon[:, 0] == gluon[:, 1])
    assert np.all(gluon > 0)


def test_a_flavour_that_the_set_lacks_is_zero(toy: GridPdf) -> None:
    assert np.all(toy.density([6, 22], np.array([0.1]), 100.0) == 0)


def test_columns_follow_the_order_asked_for(toy: GridPdf) -> None:
    x = np.geomspace(1e-4, 0.9, 7)
    every = toy.density(toy.member.pdg, x, 100.0)
    wanted = [2, -3, 21, 2]
    np.testing.assert_array_equal(
        toy.density(wanted, x, 100.0), every[:, [toy.member.pdg.index(pdg) for pdg in wanted]]
    )


def test_one_scale_is_the_same_as_many_equal_ones(toy: GridPdf) -> None:
    x = np.geomspace(1e-4, 0.9, 7)
    np.testing.assert_array_equal(toy.density([1], x, 50.0), toy.density([1], x, np.full(7, 50.0)))


def test_an_empty_batch_gives_an_empty_result(toy: GridPdf) -> None:
    assert toy.density([1, 2], np.empty(0), 50.0).shape == (0, 2)


def test_single_precision_is_refused(toy: GridPdf) -> None:
    with pytest.raises(
        ValueError, match=r"x: expected float64 \(2,\), contiguous; got float32 \(2,\)"
    ):
        toy.density([1], np.ones(2, dtype=np.float32), 50.0)


def test_scales_must_be_as_many_as_points(toy: GridPdf) -> None:
    with pytest.raises(ValueError, match=r"q2: expected float64 \(2,\)"):
        toy.density([1], np.full(2, 0.1), np.full(3, 50.0))


@pytest.fixture
def _threads() -> Iterator[None]:
    before = _core.thread_count()
    yield
    _core.set_thread_count(before)


@pytest.mark.usefixtures("_threads")
def test_results_do_not_depend_on_threads(toy: GridPdf) -> None:
    x, q2 = random_points(toy, 20_001)
    results = []
    for count in (1, 3):
        _core.set_thread_count(count)
        results.append((toy.density(toy.member.pdg, x, q2), toy.alpha_s(q2)))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_results_do_not_depend_on_the_place_in_the_batch(toy: GridPdf) -> None:
    x, q2 = random_points(toy, 5000)
    order = np.random.default_rng(4).permutation(5000)
    together = toy.density(toy.member.pdg, x, q2)
    np.testing.assert_array_equal(toy.density(toy.member.pdg, x[order], q2[order]), together[order])
    np.testing.assert_array_equal(toy.density(toy.member.pdg, x[17:18], q2[17:18]), together[17:18])


def test_a_pickled_pdf_gives_the_same_numbers(toy: GridPdf) -> None:
    copy = pickle.loads(pickle.dumps(toy))
    x, q2 = random_points(toy, 100)
    np.testing.assert_array_equal(copy.density([21], x, q2), toy.density([21], x, q2))
    assert (copy.name, copy.lhapdf_id) == (toy.name, toy.lhapdf_id)
