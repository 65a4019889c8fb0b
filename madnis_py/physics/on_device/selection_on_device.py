"""Selection of events in the kernels of a device, as `Acceptance` selects on the processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.devices.kernels import Kernels
from madnis_py.devices.upload import upload
from madnis_py.physics.observables.cuts import AnyCut, Cut, Isolation, RankedCut
from madnis_py.physics.observables.selection import Selection
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.momenta_on_device import momentum_rows

_FixedRow = tuple[str, tuple[int, ...], float, float]
_RankedRow = tuple[str, list[tuple[tuple[int, ...], int]], float, float]
_IsolationRow = tuple[int, tuple[int, ...], float, float, float]


class SelectionOnDevice:
    """Test of events: which pass a selection.

    Args:
        selection: its cuts.
        n_particles: of an event, incoming ones counted.
        kernels: of the device.

    Raises:
        ValueError: a cut names a particle that there is not.
    """

    def __init__(self, selection: Selection, n_particles: int, kernels: Kernels) -> None:
        further = selection.further if any(selection.further) else ()
        described = _core.Selection(
            n_particles=n_particles,
            common=_rows(selection.common),
            further=[_rows(cuts) for cuts in further],
        )
        self._spec, self._kernels = upload(described, kernels), kernels
        self._n_sets, self._n_particles = len(further), n_particles
        self._index = torch.tensor(selection.index, device=kernels.torch_device)

    def passes(self, p: Tensor, jacobian: Tensor) -> Tensor:
        """Which events lie in phase space and pass the cuts for some flavours at least.

        An observable that is NaN passes, see `Cuts.passes`.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4).
            jacobian: of their map, float64, shape (n,); 0 outside of phase space.

        Returns:
            bool, shape (n,).
        """
        n, passed = len(p), torch.empty_like(jacobian, dtype=torch.bool)
        self._kernels.launch(
            "observables",
            "selection",
            n,
            self._spec,
            momentum_rows(p),
            jacobian,
            self._n_particles,
            passed,
            n,
        )
        return passed

    def restrict(self, p: Tensor, densities: Tensor, live: LiveEvents) -> Tensor:
        """Set to zero what fails the cuts of its flavours, as `Acceptance.restrict`.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4).
            densities: per combination of flavours, shape (n, n_flavours).
            live: events that pass; the others get 0 where the cuts depend on flavours.
        """
        if not self._n_sets:
            return densities
        return torch.where(self._sets(p, live)[:, self._index], densities, 0.0)

    def _sets(self, p: Tensor, live: LiveEvents) -> Tensor:
        """Which further sets of cuts live events pass, bool, shape (n, n_sets)."""
        n = len(p)
        passed = torch.zeros(self._n_sets, n, dtype=torch.bool, device=p.device)
        self._kernels.launch(
            "observables",
            "further_cuts",
            n,
            self._spec,
            momentum_rows(p),
            self._n_particles,
            live.positions,
            live.count,
            passed,
            n,
        )
        return passed.T


def _rows(
    cuts: Sequence[AnyCut],
) -> tuple[list[_FixedRow], list[_RankedRow], list[_IsolationRow]]:
    """A set of cuts as the kernels know it."""
    fixed = [
        (cut.observable, cut.particles, cut.minimum, cut.maximum)
        for cut in cuts
        if isinstance(cut, Cut)
    ]
    ranked = [
        (
            cut.observable,
            [(one.particles, one.rank) for one in cut.particles],
            cut.minimum,
            cut.maximum,
        )
        for cut in cuts
        if isinstance(cut, RankedCut)
    ]
    isolations = [astuple(cut) for cut in cuts if isinstance(cut, Isolation)]
    return fixed, ranked, isolations
