"""Make the PDF set `toy` that is shipped with the package; needs the extra `pdf-maker` (HOPPET).

    python scripts/make_toy_pdf.py [FOLDER]

The set is the input of the Les Houches benchmark (hep-ph/0204316, section 1.3: Q0^2 = 2 GeV^2,
alpha_s(Q0) = 0.35, charm at sqrt(2) GeV, bottom at 4.5 GeV), evolved at leading order with up to
five flavours. It is no fit to data: good for tests, examples and timing, not for predictions. The
script writes the same bytes whenever it runs.

Knots are uniform in a function of x that is log x at small x, and has more of them towards x = 1,
where the densities fall like powers of 1 - x; in log log Q they lie closer above the two
thresholds, where heavy quarks start from zero. Numbers have five significant digits.

SetIndex is 0: LHAPDF's register gives that number to no set, so an event file with it (PDFSUP 0)
names none by mistake, and readers that expect an unsigned number accept it.

At the end it prints the relative error of the interpolated set against HOPPET at random points
(flavours above 1e-9, x log-uniform from 1e-6 to 0.8 and Q from 1.42 GeV to 90 TeV; HOPPET 2.3.0):

    Q                 median     99 %      largest
    1.42 .. 4.5 GeV   1.2e-5     1.1e-3   4.4e-2
    4.5 .. 10 GeV     1.5e-5     6.2e-4   3.3e-2
    10 GeV .. 90 TeV  2.9e-5     6.7e-4   4.7e-3

The largest are those of the charm and bottom quarks right above their thresholds, where they start
from zero.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import hoppet
import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.pdf.pdf import GridPdf
from madnis_py.physics.pdf.pdf_sets import SHIPPED

PDG = (-5, -4, -3, -2, -1, 21, 1, 2, 3, 4, 5)
COLUMNS = [6 + (0 if pdg == 21 else pdg) for pdg in PDG]  # HOPPET's order: gluon in the middle
Q0, ALPHA_S_Q0 = np.sqrt(2.0), 0.35
CHARM, BOTTOM, NO_TOP = (
    1.414213563,
    4.5,
    1e6,
)  # GeV; charm above Q0 by a rounding, as in HOPPET's own benchmark
MZ = 91.1876
X_MIN, Q_MAX = 1e-7, 1e5
NOISE = 1e-15  # x f below it is rounding of the evolution


def evolve() -> None:
    """Evolve the benchmark input at leading order; HOPPET keeps the result."""
    step = 0.05
    hoppet.SetPoleMassVFN(CHARM, BOTTOM, NO_TOP)
    hoppet.StartExtended(18.0, step, 1.0, 1.1 * Q_MAX, step / 8, 1, -6, hoppet.factscheme_MSbar)
    hoppet.Evolve(ALPHA_S_Q0, Q0, 1, 1.0, hoppet.BenchmarkPDFunpol, Q0)


def density(x: float, q: float) -> Array:
    """X f(x, Q) of all flavours, float64 (11,)."""
    xf = np.array(hoppet.Eval(x, q))[COLUMNS] if x < 1 else np.zeros(len(PDG))
    return np.where(np.abs(xf) < NOISE, 0.0, xf)


def x_knots(count: int) -> Array:
    """Knots from X_MIN to 1, uniform in -log x + 14 (1 - x) + 2 log(1 + (1 - x) / 0.03)."""
    x = np.concatenate(
        [np.geomspace(X_MIN, 0.1, 4000), 1 - np.linspace(np.sqrt(0.9), 0, 40000)[1:] ** 2]
    )
    y = -np.log(x) + 14 * (1 - x) + 2 * np.log1p((1 - x) / 0.03)
    return rounded(np.interp(np.linspace(y[-1], y[0], count), y[::-1], x[::-1])[::-1])


def q_knots(low: float, high: float, count: int, power: float) -> Array:
    """Knots in GeV between two scales, equidistant in log log(Q / 0.2 GeV) to a power.

    They are closer at the lower end for power > 1.
    """
    start, stop = np.log(np.log(low / 0.2)), np.log(np.log(high / 0.2))
    return rounded(0.2 * np.exp(np.exp(start + (stop - start) * np.linspace(0, 1, count) ** power)))


def rounded(values: Array) -> Array:
    """The numbers as they are written in the files."""
    return np.array([float(f"{value:.7g}") for value in values])


def written(values: Sequence[float] | Array, digits: int) -> list[str]:
    """Numbers as short text: 1.2345e-5."""
    return [
        re.sub(r"e([+-])0*", r"e\1", f"{value:.{digits}g}").replace("e+", "e") for value in values
    ]


def subgrid_text(x: Array, q: Array) -> str:
    """One subgrid of the member file."""
    head = [written(x, 7), written(q, 7), [str(pdg) for pdg in PDG]]
    rows = [written(density(x_here, q_here), 5) for x_here in x for q_here in q]
    return "\n".join(" ".join(words) for words in [*head, *rows]) + "\n---\n"


def info_text(x: Array, q: Array) -> str:
    """The info file, with a table of alpha_s on knots of its own."""
    coupling = np.concatenate([q_knots(q[0], BOTTOM, 30, 1.0), q_knots(BOTTOM, q[-1], 70, 1.0)])
    entries = {
        "SetDesc": (
            '"Les Houches benchmark input (hep-ph/0204316) at leading order; '
            'for tests and examples, not a fit"'
        ),
        "SetIndex": 0,
        "Authors": "The madnis_py developers, with HOPPET",
        "Reference": "hep-ph/0204316",
        "Format": "lhagrid1",
        "DataVersion": 1,
        "NumMembers": 1,
        "Particle": 2212,
        "Flavors": list(PDG),
        "OrderQCD": 0,
        "FlavorScheme": "variable",
        "NumFlavors": 5,
        "ErrorType": "none",
        "ForcePositive": 1,
        "XMin": x[0],
        "XMax": x[-1],
        "QMin": q[0],
        "QMax": q[-1],
        "MZ": MZ,
        "MUp": 0,
        "MDown": 0,
        "MStrange": 0,
        "MCharm": CHARM,
        "MBottom": BOTTOM,
        "MTop": 175.0,
        "AlphaS_MZ": f"{hoppet.AlphaS(MZ):.7g}",
        "AlphaS_OrderQCD": 0,
        "AlphaS_Type": "ipol",
        "AlphaS_Qs": f"[{', '.join(written(coupling, 7))}]",
        "AlphaS_Vals": f"[{', '.join(written([hoppet.AlphaS(scale) for scale in coupling], 9))}]",
    }
    return "".join(f"{key}: {value}\n" for key, value in entries.items())


def write_set(folder: Path) -> None:
    """Write the info file and the only member."""
    x = x_knots(112)
    low, high = q_knots(Q0, BOTTOM, 14, 1.3), q_knots(BOTTOM, Q_MAX, 22, 1.5)
    head = "PdfType: central\nFormat: lhagrid1\n---\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{folder.name}_0000.dat").write_text(
        head + subgrid_text(x, low) + subgrid_text(x, high)
    )
    (folder / f"{folder.name}.info").write_text(info_text(x, np.concatenate([low, high])))


def report_errors(pdf: GridPdf, q_min: float, q_max: float) -> None:
    """Print median, 99 % quantile and maximum of |interpolated / HOPPET - 1| at random points."""
    random = np.random.default_rng(1)
    x = np.exp(random.uniform(np.log(1e-6), np.log(0.8), 20000))
    q = np.exp(random.uniform(np.log(q_min), np.log(q_max), 20000))
    truth = np.array([density(*point) for point in zip(x.tolist(), q.tolist(), strict=True)])
    error = np.abs(pdf.density(PDG, x, q * q) - truth)[truth > 1e-9] / truth[truth > 1e-9]
    median, tail, largest = np.quantile(error, [0.5, 0.99, 1.0])
    print(
        f"Q {q_min:g} .. {q_max:g} GeV: median {median:.1e}, 99 % {tail:.1e}, largest {largest:.1e}"
    )


def main() -> None:
    """Write the set and measure it."""
    parser = argparse.ArgumentParser(
        description="Make the PDF set that is shipped with the package."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=SHIPPED / "toy", help="folder of the set"
    )
    folder = parser.parse_args().folder
    evolve()
    write_set(folder)
    pdf = GridPdf.from_folder(folder.resolve())
    for q_min, q_max in [(1.42, BOTTOM), (BOTTOM, 10.0), (10.0, 9e4)]:
        report_errors(pdf, q_min, q_max)


if __name__ == "__main__":
    main()
