"""Parton densities of the beams and their strong coupling in the kernels of a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.devices.kernels import Kernels
from madnis_py.devices.upload import upload
from madnis_py.errors import PdfError
from madnis_py.physics.beam_densities.beam_density import SetDensity
from madnis_py.physics.beam_densities.luminosity import (
    BeamLuminosity,
    ConstantCoupling,
    PartonLuminosity,
    UnitLuminosity,
)
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.momenta_on_device import momentum_rows
from madnis_py.physics.pdf.alpha_s_evolution import AnalyticAlphaS, expansion
from madnis_py.physics.pdf.pdf import GridPdf
from madnis_py.physics.pdf.running_coupling import AlphaS


class DensitiesOnDevice(ABC):
    """What a `PartonLuminosity` says, of events on a device.

    Attributes:
        hadronic: whether the partons carry a share of the beam that varies.
    """

    hadronic: bool

    @abstractmethod
    def evaluate(self, p: Tensor, q2: Tensor, live: LiveEvents) -> Tensor:
        """f_a(x_a, Q^2) f_b(x_b, Q^2) for every combination of flavours.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), partons first.
            q2: factorisation scale squared in GeV^2, float64, shape (n,).
            live: events to evaluate.

        Returns:
            float64, shape (n, n_flavours), events fastest in memory; 0 for events that do not live.
        """

    @abstractmethod
    def alpha_s(self, q2: Tensor, live: LiveEvents) -> Tensor:
        """Strong coupling at the scale squared q2 in GeV^2, float64 (n,); 0 as above."""


def densities_on_device(luminosity: PartonLuminosity, kernels: Kernels) -> DensitiesOnDevice:
    """The luminosity of a process in the kernels of a device.

    Raises:
        PdfError: the densities come from another library, or the set has no strong coupling.
    """
    match luminosity:
        case UnitLuminosity():
            return _Unit(luminosity, kernels)
        case BeamLuminosity():
            return _Hadrons(luminosity, kernels)
    raise TypeError(f"expected densities of beams or partons; got {luminosity!r}")


class _Unit(DensitiesOnDevice):
    """Beams that are the partons."""

    hadronic = False

    def __init__(self, luminosity: UnitLuminosity, kernels: Kernels) -> None:
        self._n_flavours, coupling = luminosity.n_flavours, luminosity.coupling
        self._constant = coupling.value if isinstance(coupling, ConstantCoupling) else None
        if not isinstance(coupling, ConstantCoupling):
            self._running = _coupling_on_device(coupling, kernels)

    def evaluate(self, p: Tensor, q2: Tensor, live: LiveEvents) -> Tensor:
        """Ones; see `DensitiesOnDevice.evaluate`."""
        return live.mask.double().expand(self._n_flavours, -1).contiguous().T

    def alpha_s(self, q2: Tensor, live: LiveEvents) -> Tensor:
        """Strong coupling of the model."""
        if self._constant is None:
            return self._running.evaluate(q2, live)
        return live.mask.double() * self._constant


class _Hadrons(DensitiesOnDevice):
    """Two hadrons that share a PDF set; every density is looked up once.

    Raises:
        PdfError: the beams do not share a set, the densities come from another library, or the set
            has no strong coupling.
    """

    hadronic = True

    def __init__(self, luminosity: BeamLuminosity, kernels: Kernels) -> None:
        pdf, other = luminosity.pdfs
        densities = [one for one in luminosity.densities if isinstance(one, SetDensity)]
        if pdf is None or pdf is not other or len(densities) < 2:
            expected = "expected two beams of protons or antiprotons with one PDF set on a device"
            names = " and ".join(one.name if one else "a beam without" for one in luminosity.pdfs)
            raise PdfError(f"beams.pdf: {expected}; got {names}; --device cpu takes others")
        if not isinstance(pdf, GridPdf):
            expected = "expected the PDF backend 'builtin' on a device"
            raise PdfError(f"{pdf.name}: {expected}; --device cpu takes others")
        self._kernels, self._energies = kernels, luminosity.energies
        self._grid = upload(pdf.grid, kernels)
        self._columns = [
            torch.tensor(pdf.columns(density.codes), device=kernels.torch_device)
            for density in densities
        ]
        places = np.stack([density.places for density in densities], axis=1)
        self._pairs = torch.from_numpy(places).to(kernels.torch_device)
        self._coupling = _coupling_on_device(pdf.coupling, kernels)

    def evaluate(self, p: Tensor, q2: Tensor, live: LiveEvents) -> Tensor:
        """See `DensitiesOnDevice.evaluate`."""
        n, n_flavours = live.n, len(self._pairs)
        result = p.new_zeros(n_flavours, n)
        beams = [argument for columns in self._columns for argument in (columns, len(columns))]
        self._kernels.launch(
            "pdf",
            "luminosity",
            n,
            self._grid,
            momentum_rows(p),
            q2,
            *self._energies,
            *beams,
            self._pairs,
            n_flavours,
            live.positions,
            live.count,
            result,
            n,
        )
        return result.T

    def alpha_s(self, q2: Tensor, live: LiveEvents) -> Tensor:
        """Strong coupling of the set."""
        return self._coupling.evaluate(q2, live)


class CouplingOnDevice(Protocol):
    """alpha_s at scales of events on a device."""

    def evaluate(self, q2: Tensor, live: LiveEvents) -> Tensor:
        """The coupling at Q^2 in GeV^2, float64 (n,); 0 for events that do not live."""


def _coupling_on_device(coupling: AlphaS, kernels: Kernels) -> CouplingOnDevice:
    match coupling:
        case _core.AlphaSTable():
            return _Table(coupling, kernels)
        case AnalyticAlphaS():
            return _Analytic(coupling, kernels)
    raise TypeError(f"expected a table or a formula of alpha_s; got {coupling!r}")


class _Table:
    def __init__(self, table: _core.AlphaSTable, kernels: Kernels) -> None:
        self._kernels, self._table = kernels, upload(table, kernels)

    def evaluate(self, q2: Tensor, live: LiveEvents) -> Tensor:
        result = torch.zeros_like(q2)
        arguments = (self._table, q2, live.positions, live.count, result, live.n)
        self._kernels.launch("pdf", "table_alpha_s", live.n, *arguments)
        return result


class _Analytic:
    """`AnalyticAlphaS` in functions of torch."""

    def __init__(self, formula: AnalyticAlphaS, kernels: Kernels) -> None:
        def on_device(values: object) -> Tensor:
            return torch.tensor(values, dtype=torch.float64, device=kernels.torch_device)

        flavours = formula.flavours
        self._order, self._lambdas = formula.order, on_device(formula.lambdas)
        self._betas = on_device(formula.betas)
        self._thresholds = on_device([mass**2 for mass in flavours.thresholds.values()])
        self._fewest = 3 if flavours.thresholds else flavours.most

    def evaluate(self, q2: Tensor, live: LiveEvents) -> Tensor:
        n = self._fewest + torch.searchsorted(self._thresholds, q2)
        t = (q2 / self._lambdas[n] ** 2).log()
        value = expansion(t, t.log(), list(self._betas[:, n]), self._order)
        value = torch.where(q2 >= 0, torch.where(t > 0, value, torch.inf), torch.nan)
        return torch.where(live.mask, value, 0.0)
