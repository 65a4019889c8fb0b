"""Several channels with maps of their own behind the interface of vegas."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
import vegas as original
from dropin_integrands import SQUARE, lbatch, pull, ridge

from madnis_py import vegas
from madnis_py.arrays import Array
from madnis_py.errors import InputError

pytestmark = pytest.mark.usefixtures("gvar_seed")


class Peak:
    """A map of the unit square that follows a Cauchy density around a point on the diagonal."""

    def __init__(self, centre: float, width: float) -> None:
        self.centre, self.width = centre, width
        self.low, self.high = math.atan(-centre / width), math.atan((1 - centre) / width)

    def forward(self, y: Array) -> tuple[Array, Array]:
        x = self.centre + self.width * np.tan(self.low + (self.high - self.low) * y)
        return x.clip(0, 1), self.jacobian(x)

    def inverse(self, x: Array) -> tuple[Array, Array]:
        y = (np.arctan((x - self.centre) / self.width) - self.low) / (self.high - self.low)
        return y, self.jacobian(x)

    def jacobian(self, x: Array) -> Array:
        slopes = (self.high - self.low) * (self.width**2 + (x - self.centre) ** 2) / self.width
        return slopes.prod(axis=1)  # type: ignore[no-any-return]


@lbatch
def two_peaks(x: Array) -> Array:
    def peak(centre: float) -> Array:
        return np.exp(-((x - centre) ** 2).sum(axis=1) / (2 * 0.01**2)) / (2 * math.pi * 0.01**2)  # type: ignore[no-any-return]

    return 0.25 * peak(0.3) + 0.75 * peak(0.7)


@pytest.mark.parametrize("method", ["vegas", "flow"])
def test_channels_share_the_integrand(short_training: None, method: str) -> None:
    channels = [Peak(0.3, 0.02), Peak(0.7, 0.02)]
    integrator = vegas.Integrator(SQUARE, channels=channels, method=method)
    result = integrator(two_peaks, nitn=5, neval=2000)
    assert integrator.sampler == method
    assert abs(pull(result, 1.0)) < 5
    alone = original.Integrator(SQUARE)(two_peaks, nitn=5, neval=2000)
    assert result.sdev < 0.5 * alone.sdev
    again = pickle.loads(pickle.dumps(integrator))
    assert abs(pull(again(two_peaks, nitn=2, adapt=False), 1.0)) < 5
    weight, x = again.sample(mode="lbatch")
    assert x.shape == (len(weight), 2)


def test_channels_with_a_prior_of_their_own_have_the_same_integral() -> None:
    def prior(x: Array) -> Array:
        return np.stack(
            [1.0 / (1e-3 + ((x - centre) ** 2).sum(axis=1)) for centre in (0.3, 0.7)], axis=1
        )

    integrator = vegas.Integrator(SQUARE, channels=[Peak(0.3, 0.02), Peak(0.7, 0.02)], prior=prior)
    assert abs(pull(integrator(two_peaks, nitn=5, neval=3000), 1.0)) < 5


@pytest.mark.parametrize(
    ("channels", "prior", "message"),
    [
        ([], None, "channels: expected one map at least; got none"),
        (
            [Peak(0.3, 0.1), "ring"],
            None,
            r"channels\[1\]: expected a map with forward and inverse; got 'ring'",
        ),
        (
            [Peak(0.3, 0.1)],
            lambda x: x[:, :1] - 2.0,
            "prior: expected weights that are not negative",
        ),
        ([Peak(0.3, 0.1)], lambda x: x[:, 0], r"prior: expected shape \(\d+, 1\); got \(\d+,\)"),
    ],
)
def test_channels_that_cannot_be_are_refused(channels: Any, prior: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        vegas.Integrator(SQUARE, channels=channels, prior=prior)(ridge, nitn=1)


def test_a_map_of_the_wrong_shape_is_refused() -> None:
    flat = Peak(0.3, 0.1)
    flat.forward = lambda y: (y[:, :1], y[:, 0])  # type: ignore[method-assign]
    with pytest.raises(InputError, match=r"channels\[0\]\.forward: expected points \(\d+, 2\)"):
        vegas.Integrator(SQUARE, channels=[flat])(ridge, nitn=1)
