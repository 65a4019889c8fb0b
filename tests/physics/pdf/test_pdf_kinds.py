"""PDF sets as they are found: read as LHAPDF and neopdf read them, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from grids import COUPLING, FLAVOURS, INFO, grid_of_pythia, grid_text, grids_of_pythia, write_set
from scipy import optimize
from scipy.integrate import quad

from madnis_py.arrays import Array
from madnis_py.errors import PdfError
from madnis_py.physics.pdf.alpha_s_evolution import beta
from madnis_py.physics.pdf.pdf import GridPdf, load_pdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED, missing_members, named_members, other_members

X = np.geomspace(1e-5, 1.0, 25)
Q = np.array([1.0, 3.0, 10.0, 100.0, 1e4])
SHAPES = {
    pdg: (1 + 0.1 * abs(pdg)) * X[:, None] ** 0.2 * (1 - X[:, None]) ** 3 * (1 + 0.05 * np.log(Q))
    for pdg in (-1, 21, 1)
}
WHOLE = FLAVOURS.format(flavours="-1, 21, 1")
MEMBER = grid_text(X.tolist(), Q.tolist(), SHAPES)
ZEROS = "0.0000000000e+00 0.0000000000e+00 0.0000000000e+00\n"


def repeated(x: slice, q: slice) -> str:
    """The grid with knots, and what belongs to them, written twice."""
    of_x, of_q = ([*range(n), *range(n)[part]] for n, part in ((len(X), x), (len(Q), q)))
    shapes = {pdg: values[np.ix_(sorted(of_x), sorted(of_q))] for pdg, values in SHAPES.items()}
    return grid_text(X[sorted(of_x)].tolist(), Q[sorted(of_q)].tolist(), shapes)


NONE, FIRST, LAST = slice(0, 0), slice(0, 1), slice(-1, None)

READ = {
    "first x knot twice": (INFO + WHOLE + COUPLING, repeated(FIRST, NONE)),
    "last x knot twice": (INFO + WHOLE + COUPLING, repeated(LAST, NONE)),
    "first Q knot twice": (INFO + WHOLE + COUPLING, repeated(NONE, FIRST)),
    "all borders twice": (
        INFO + WHOLE + COUPLING,
        repeated(slice(0, None, len(X) - 1), slice(0, None, len(Q) - 1)),
    ),
    "flavours in another order": (INFO + FLAVOURS.format(flavours="21, 1, -1") + COUPLING, MEMBER),
    "flavours that the grid has not": (
        INFO + FLAVOURS.format(flavours="-2, -1, 21, 1, 2, 22") + COUPLING,
        MEMBER,
    ),
    "no flavours": (INFO + COUPLING, MEMBER),
    "no type of the coupling": (INFO + WHOLE + COUPLING.replace("AlphaS_Type: ipol\n", ""), MEMBER),
    "names in capitals": (
        INFO + WHOLE + COUPLING.replace("ipol", "IPOL") + "Interpolator: LogCubic\n",
        MEMBER,
    ),
    "no end of the last subgrid": (INFO + WHOLE + COUPLING, MEMBER.removesuffix("---\n")),
    "no end of the last line": (INFO + WHOLE + COUPLING, MEMBER.removesuffix("\n---\n")),
    "lines of Windows": (
        (INFO + WHOLE + COUPLING).replace("\n", "\r\n"),
        MEMBER.replace("\n", "\r\n"),
    ),
    "comments and empty lines": (
        "# a comment\n\n" + INFO + "\n" + WHOLE + COUPLING,
        MEMBER.replace("---\n", "---\n\n", 1),
    ),
    "the gluon as 0": (
        INFO + WHOLE.replace("21", "0") + COUPLING,
        MEMBER.replace("-1 21 1\n", "-1 0 1\n"),
    ),
    "zeros that touch each other": (
        INFO + WHOLE + COUPLING,
        MEMBER.replace(ZEROS, ZEROS.replace(" ", "", 1)),
    ),
    "a coupling of its own": (INFO + WHOLE, MEMBER.replace("Format", COUPLING + "Format", 1)),
}


@pytest.mark.parametrize("name", READ)
def test_a_set_of_this_kind_is_read(tmp_path: Path, name: str) -> None:
    plain = load_pdf(str(write_set(tmp_path / "plain", INFO + WHOLE + COUPLING, MEMBER)))
    pdf = load_pdf(str(write_set(tmp_path / "kind", *READ[name])))
    random = np.random.default_rng(1)
    x, q2 = (
        np.exp(random.uniform(np.log(1e-5), 0, 200)),
        np.exp(random.uniform(0, np.log(1e8), 200)),
    )
    x[:2], q2[1:3] = (X[0], X[-1]), (Q[0] ** 2, Q[-1] ** 2)
    np.testing.assert_allclose(
        pdf.density([21, 1, -1, 22], x, q2), plain.density([21, 1, -1, 22], x, q2), rtol=1e-14
    )
    np.testing.assert_array_equal(pdf.alpha_s(q2), plain.alpha_s(q2))


def test_letters_of_latin_1_are_no_obstacle(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "latin", INFO + WHOLE + COUPLING, MEMBER)
    (folder / "latin.info").write_bytes(
        "Authors: Jérôme\n".encode("latin-1") + (folder / "latin.info").read_bytes()
    )
    assert load_pdf(str(folder)).density([21], np.array([0.1]), 10.0)[0, 0] > 0


REFUSED = {
    "x knots twice inside": (
        INFO + WHOLE + COUPLING,
        repeated(slice(3, 4), NONE),
        "x knots: expected at least 4 positive",
    ),
    "fewer flavours than the grid": (
        INFO + FLAVOURS.format(flavours="21, 1") + COUPLING,
        MEMBER,
        r"flavours: expected those of kind.info, \(21, 1\); got \(-1, 21, 1\)",
    ),
    "a number cut in two": (INFO + WHOLE + COUPLING, MEMBER[:2000], "the file is truncated"),
    "numbers that touch each other": (
        INFO + WHOLE + COUPLING,
        MEMBER.replace("e-01 ", "e-01", 1),
        "numbers",
    ),
    "a coupling of an unknown kind": (
        INFO + WHOLE + "AlphaS_Type: lattice\n",
        MEMBER,
        "AlphaS_Type: expected ipol, analytic, ode",
    ),
    "analytic without Lambda": (
        INFO + WHOLE + "AlphaS_Type: analytic\n",
        MEMBER,
        "AlphaS_Type: expected AlphaS_Lambda3",
    ),
    "ode without a reference": (
        INFO + WHOLE + "AlphaS_Type: ode\nAlphaS_OrderQCD: 1\n",
        MEMBER,
        "expected the key AlphaS_MZ",
    ),
    "ode of an unknown order": (
        INFO + WHOLE + "AlphaS_Type: ode\nAlphaS_OrderQCD: 5\n",
        MEMBER,
        "expected 0 to 3; got 5",
    ),
    "ode at negative scales": (
        INFO
        + WHOLE
        + "AlphaS_Type: ode\nAlphaS_OrderQCD: 1\nAlphaS_MZ: 0.118\nAlphaS_Qs: [-1, 2]\n",
        MEMBER,
        "AlphaS_Qs: expected at least two positive",
    ),
    "thresholds in another order": (
        INFO + WHOLE + "AlphaS_Type: ode\nAlphaS_OrderQCD: 1\nAlphaS_MZ: 0.118\nMCharm: 6.0\n",
        MEMBER,
        "that ascend as MCharm, MBottom, MTop; got 6, 4.19, 172.9",
    ),
    "no text": (
        INFO + WHOLE + COUPLING,
        MEMBER.replace("central", "\x1f\x08"),
        "expected text; got other bytes at position 9",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_set_of_this_kind_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    info, member, sentence = REFUSED[name]
    with pytest.raises(PdfError, match=sentence):
        load_pdf(str(write_set(tmp_path / "kind", info, member)))


IN_SHORT = ("CT14qed_proton", "NNPDF31_nnlo_as_0118_luxqed", "SU21proton", "GRS99LOpi")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in IN_SHORT else pytest.mark.slow)
        for name in grids_of_pythia()
    ],
)
def test_grids_that_come_with_pythia_agree_with_neopdf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    neopdf = pytest.importorskip("neopdf")
    folder = grid_of_pythia(name, tmp_path)
    pdf = GridPdf.from_folder(folder)
    # neopdf 0.4 needs Flavors and the last ---, ends at zeros that touch, and has NaN between two
    # equal knots
    info, member = folder / f"{name}.info", folder / f"{name}_0000.dat"
    info.write_text(
        info.read_text() + FLAVOURS.format(flavours=", ".join(map(str, pdf.member.pdg)))
    )
    info.write_text(
        info.read_text() + "".join(f"{key}: {value}\n" for key, value in NEEDED_BY_NEOPDF.items())
    )
    text = member.read_text().rstrip().removesuffix("---").replace("e+000.", "e+00 0.")
    member.write_text(f"{text.rstrip()}\n---\n")
    monkeypatch.setenv("NEOPDF_DATA_PATH", str(tmp_path))
    reference = neopdf.pdf.PDF.mkPDF(name)
    random = np.random.default_rng(1)
    x = np.exp(random.uniform(np.log(pdf.member.x[1]), np.log(pdf.x_max), 60))
    q2 = np.exp(random.uniform(2 * np.log(pdf.q_min), 2 * np.log(pdf.q_max), 60))
    truth = np.array(
        [reference.xfxQ2_allpids(list(pdf.member.pdg), *point) for point in zip(x, q2, strict=True)]
    )
    ours = pdf.density(pdf.member.pdg, x, q2)
    known = np.isfinite(truth)
    assert known.mean() > 0.95
    np.testing.assert_allclose(ours[known], truth[known], rtol=1e-10, atol=1e-15)
    assert np.isfinite(
        pdf.density(pdf.member.pdg, np.geomspace(pdf.member.x[0], pdf.member.x[1], 5), 100.0)
    ).all()


NEEDED_BY_NEOPDF = {
    **{
        "XMin": 1e-9,
        "XMax": 1.0,
        "QMin": 1.0,
        "QMax": 1e5,
        "Particle": 2212,
        "OrderQCD": 1,
        "AlphaS_OrderQCD": 1,
    },
    **{
        "AlphaS_MZ": 0.118,
        "MZ": 91.1876,
        "MUp": 0,
        "MDown": 0,
        "MStrange": 0,
        "MCharm": 1.3,
        "MBottom": 4.5,
        "MTop": 172,
    },
}


def coupling(folder: Path, lines: str) -> Callable[[Array | list[float]], Array]:
    pdf = load_pdf(str(write_set(folder, INFO + WHOLE + lines, MEMBER)))
    return lambda q: pdf.alpha_s(np.asarray(q, np.float64) ** 2)


MASSES = "MDown: 0.005\nMUp: 0.002\nMStrange: 0.1\nMCharm: 1.3\nMBottom: 4.5\nMTop: 173.0\n"


def test_the_coupling_of_the_shipped_set_follows_from_its_equation(tmp_path: Path) -> None:
    # Its table is of another program, HOPPET: one loop with the masses of the set.
    entries = (SHIPPED / "toy" / "toy.info").read_text().splitlines()
    kept = [
        line
        for line in entries
        if line.startswith(("M", "NumFlavors", "FlavorScheme", "AlphaS_MZ"))
    ]
    found = coupling(tmp_path / "ode", "\n".join(kept) + "\nAlphaS_Type: ode\nAlphaS_OrderQCD: 1\n")
    table = GridPdf.from_folder(SHIPPED / "toy").member.metadata
    np.testing.assert_allclose(
        found(table.numbers("AlphaS_Qs")), table.numbers("AlphaS_Vals"), rtol=5e-6
    )


@pytest.mark.parametrize(("order", "third"), [(2, 0.0), (3, 0.972057 - 4 * 0.0846515)])
def test_the_coupling_is_the_solution_of_the_implicit_equation_on_both_sides_of_a_threshold(
    tmp_path: Path, order: int, third: float
) -> None:
    reference = "AlphaS_Reference: 0.118\nAlphaS_MassReference: 91.1876\n"
    found = coupling(
        tmp_path / "ode", f"{MASSES}AlphaS_Type: ode\nAlphaS_OrderQCD: {order}\n{reference}"
    )

    def run(start: float, value: float, q: float, n: int) -> float:
        b = [(33 - 2 * n) / (12 * np.pi), (153 - 19 * n) / (24 * np.pi**2)]
        b.append((2857 - 5033 * n / 9 + 325 * n**2 / 27) / (128 * np.pi**3))

        def way(end: float) -> float:
            """log(q^2 / start^2) at which the coupling has this value."""
            result, _ = quad(
                lambda a: -1 / sum(b[k] * a ** (k + 2) for k in range(order)),
                value,
                end,
                epsabs=1e-12,
            )
            return float(result)

        return float(
            optimize.brentq(lambda a: way(a) - 2 * np.log(q / start), 0.05, 0.6, xtol=1e-13)
        )

    at_bottom = run(91.1876, 0.118, 4.5, 5)
    x = at_bottom / np.pi
    below = at_bottom * (1 + 11 / 72 * x**2 + third * x**3)
    q = [200.0, 91.1876, 20.0, 4.51, 4.49, 2.0]
    expected = [run(91.1876, 0.118, one, 5) for one in q[:4]] + [
        run(4.5, below, one, 4) for one in q[4:]
    ]
    np.testing.assert_allclose(found(q), expected, rtol=2e-6)


def test_the_analytic_coupling_has_the_published_value_of_cteq6(tmp_path: Path) -> None:
    # hep-ph/0201195: Lambda_5 = 226 MeV, Lambda_4 = 326 MeV at two loops is alpha_s(M_Z) = 0.118.
    lines = (
        MASSES
        + "AlphaS_Type: analytic\nAlphaS_OrderQCD: 2\n"
        + "AlphaS_Lambda5: 0.226\nAlphaS_Lambda4: 0.326\n"
    )
    found = coupling(tmp_path / "analytic", lines)
    assert found([91.1876])[0] == pytest.approx(0.118, abs=5e-5)
    below, above = found([4.4999, 4.5001])
    assert abs(below / above - 1) < 2e-3
    assert np.isinf(found([0.3])).all()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_analytic_coupling_solves_its_equation_up_to_the_next_order(
    tmp_path: Path, order: int
) -> None:
    lines = f"{MASSES}AlphaS_Type: analytic\nAlphaS_OrderQCD: {order}\nAlphaS_Lambda5: 0.226\n"
    found = coupling(tmp_path / "analytic", lines)
    q, step = np.array([1e3, 1e6, 1e9]), 1e-4
    a = found(q)
    slope = (found(q * np.exp(step)) - found(q * np.exp(-step))) / (4 * step)
    missing = slope + sum(float(b) * a ** (k + 2) for k, b in enumerate(beta(5)[:order]))
    assert (np.abs(missing) < 2 * a ** (order + 2) + 1e-9 * a**2).all()


def test_a_set_of_which_one_member_is_there_goes_without_the_others(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path / "lone", INFO.replace("NumMembers: 1", "NumMembers: 5") + WHOLE + COUPLING, MEMBER
    )
    assert other_members(str(folder)) == ()
    (sentence,) = missing_members(str(folder))
    assert (
        sentence == f'systematics: members 1 to 4 of "lone" are not in {folder}; '
        "events go without their weights"
    )
    (folder / "lone_0002.dat").write_text(MEMBER)
    assert other_members(f"{folder}/2") == (f"{folder}/0",)
    assert other_members(str(folder)) == (f"{folder}/2",)
    assert named_members(["toy", f"{folder}/*"]) == ("toy", str(folder), f"{folder}/2")
    assert "members 1, 3 to 4 of" in missing_members(str(folder))[0]
