"""Sums over strata on a device, beside those of torch on the CPU."""

from __future__ import annotations

import pytest
import torch

from madnis_py.devices.device import device_of
from madnis_py.devices.stratum_sums import StratumSums
from madnis_py.integration.training.losses import LOSSES, LossInput

STRATA = {"sorted": [0, 0, 1, 1, 1, 3], "groups of channels": [0, 1, 1, 0, 3, 0]}


def sums_of(stratum: torch.Tensor) -> StratumSums:
    device = device_of("emulated")
    assert device
    return StratumSums(stratum, torch.bincount(stratum, minlength=4), device.kernels)


@pytest.mark.parametrize("name", STRATA)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_and_its_gradient_are_those_of_torch(loss: str, name: str) -> None:
    stratum = torch.tensor(STRATA[name])
    random = torch.rand(4, 6, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    random[2, 1] = 0.0
    found = []
    for sums in (None, sums_of(stratum)):
        log_q, alpha = (random[k].clone().requires_grad_() for k in (0, 1))
        counts = torch.bincount(stratum, minlength=4)
        value = LOSSES[loss](LossInput(log_q, alpha, random[2], random[3], stratum, counts, sums))
        found.append((value, *torch.autograd.grad(value, (log_q, alpha), allow_unused=True)))
    for here, there in zip(*found, strict=True):
        if here is None:
            assert there is None
        else:
            assert torch.isfinite(here).all()
            torch.testing.assert_close(there, here, rtol=1e-13, atol=1e-15)
