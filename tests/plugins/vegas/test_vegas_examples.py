"""Integrals that users of vegas do: distributions, posteriors, path integrals, C functions."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import gvar
import numpy as np
import pytest
from dropin_integrands import lbatch, pull, rbatch

from madnis_py import vegas
from madnis_py.arrays import Array

pytestmark = pytest.mark.usefixtures("gvar_seed")


def test_a_histogram_and_its_covariance_come_from_one_integral() -> None:
    @rbatch
    def integrand(x: Array) -> dict[str, Array]:
        height = np.exp(-10 * ((x - 0.5) ** 2).sum(axis=0))
        radius = np.sqrt(((x - 0.5) ** 2).sum(axis=0))
        rows = np.arange(5)[:, None] == np.minimum(radius / 0.2, 4).astype(int)
        return {"I": height, "dI": rows * height}

    result = vegas.Integrator([[0, 1]] * 4)(integrand, nitn=8, neval=4000)
    assert abs(pull(result["I"], (math.sqrt(math.pi / 10) * math.erf(math.sqrt(2.5))) ** 4)) < 5
    assert abs(gvar.mean(result["dI"].sum() - result["I"])) < 1e-10
    assert gvar.sdev(result["dI"].sum() / result["I"]) < 0.01 * gvar.sdev(result["I"])


def test_a_posterior_with_correlated_parameters_has_the_mean_of_its_fit(
    short_training: None,
) -> None:
    x = np.array([0.1, 1.2, 1.9, 3.5])
    y, error = 1.0 + 0.5 * x, 0.3

    @lbatch
    def posterior(p: Array) -> dict[str, Array]:
        chi2 = ((p[:, :1] + p[:, 1:] * x - y) ** 2).sum(axis=1) / error**2
        weight = np.exp(-chi2 / 2)
        return {"norm": weight, "p": weight[:, None] * p, "slope2": weight * p[:, 1] ** 2}

    result = vegas.Integrator([[-3, 5], [-2, 3]], method="flow")(posterior, nitn=6, neval=4000)
    design = np.stack([np.ones(4), x], axis=1)
    covariance = np.linalg.inv(design.T @ design) * error**2
    assert abs(pull(result["norm"], 2 * math.pi * math.sqrt(np.linalg.det(covariance)))) < 5
    slope = result["p"][1] / result["norm"]
    assert abs(pull(slope, 0.5)) < 5
    assert abs(pull(result["slope2"] / result["norm"] - slope**2, covariance[1, 1])) < 5


def test_a_path_integral_has_the_ground_state_of_its_lattice() -> None:
    """exp(-S) of a harmonic oscillator with periodic time, 6 slices a = 0.5 apart.

    A Gaussian of known determinant.
    """
    slices, a = 6, 0.5
    kinetic = (
        2 * np.eye(slices)
        - np.roll(np.eye(slices), 1, axis=0)
        - np.roll(np.eye(slices), -1, axis=0)
    )
    action = kinetic / a + a * np.eye(slices)

    @lbatch
    def path(theta: Array) -> Array:
        x = np.tan(theta)
        return np.exp(-0.5 * np.einsum("ni,ij,nj->n", x, action, x)) * (1 + x**2).prod(axis=1)  # type: ignore[no-any-return]

    region = slices * [[-math.pi / 2, math.pi / 2]]
    integrator = vegas.Integrator(region)
    integrator(path, nitn=5, neval=5000)
    truth = math.sqrt((2 * math.pi) ** slices / np.linalg.det(action))
    assert abs(pull(integrator(path, nitn=5, neval=5000), truth)) < 5


def test_a_function_of_a_c_library_is_integrated(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    import cffi

    (tmp_path / "f.c").write_text(
        "#include <math.h>\n"
        "double f(const double *x, int dim)"
        " { double s = 0; for (int d = 0; d < dim; d++) s += x[d] * x[d]; return exp(-s); }\n"
        "void many(const double *x, int n, int dim, double *y)"
        " { for (int i = 0; i < n; i++) y[i] = f(x + i * dim, dim); }"
    )
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", "f.so", "f.c", "-lm"], cwd=tmp_path, check=True
    )
    ffi: Any = cffi.FFI()
    ffi.cdef("double f(const double*, int); void many(const double*, int, int, double*);")
    library = ffi.dlopen(str(tmp_path / "f.so"))

    def one(x: Any) -> float:
        return float(library.f(ffi.cast("double*", ffi.from_buffer(np.asarray(x))), len(x)))

    @lbatch
    def many(x: Array) -> Array:
        values = np.empty(len(x))
        x_c, values_c = (
            ffi.cast("double*", ffi.from_buffer(array))
            for array in (np.ascontiguousarray(x), values)
        )
        library.many(x_c, *x.shape, values_c)
        return values

    truth = (math.sqrt(math.pi) / 2 * math.erf(1.0)) ** 3
    for integrand in (one, many):
        assert abs(pull(vegas.Integrator([[0, 1]] * 3)(integrand, nitn=5, neval=2000), truth)) < 5
