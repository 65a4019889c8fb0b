"""Matrix elements in the kernels of a device: tapes, Drell-Yan in closed form, mirror images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.devices.kernels import BLOCK, Kernels
from madnis_py.devices.upload import upload
from madnis_py.errors import DeviceError
from madnis_py.physics.amplitudes.drell_yan import DrellYan
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.amplitudes.tapes.tape_tables import has_form_factors, has_wide_waves
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.momenta_on_device import momentum_rows
from madnis_py.physics.process.mirrored import Mirrored
from madnis_py.physics.process.off_shell import OffShell

_SHARE_OF_MEMORY = 0.5
"""Of the free memory, what a workspace may take: the rest is for what others make meanwhile."""

_NUMBER = 8
"""Bytes of a number of a workspace."""


class MatrixElementOnDevice(ABC):
    """|M|^2 of one subprocess on a device, as `MatrixElement` computes it on the processor."""

    @abstractmethod
    def squared(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> Tensor:
        """Squared matrix element of the live events.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory.
            alpha_s: strong coupling, float64, shape (n,).
            live: the events that it is wanted of.

        Returns:
            averaged over initial spins and colours, summed over final ones, GeV^(8 - 2
            n_particles), float64, shape (n,); 0 where an event does not live.

        Raises:
            DeviceError: the device has too little free memory for a block of events.
        """

    @abstractmethod
    def evaluate(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> tuple[Tensor, Tensor]:
        """The result of `squared`, and its single-diagram parts.

        Returns:
            me2: as `squared` gives it.
            diagrams: helicity sum of |A_k|^2 per diagram without colour and averaging factors,
                float64, shape (n, n_diagrams), events fastest in memory; 0 where an event does not
                live.
        """


def matrix_element_on_device(element: MatrixElement, kernels: Kernels) -> MatrixElementOnDevice:
    """A matrix element of the package in the kernels of a device.

    Raises:
        DeviceError: another program computes it, parts of it are left out on mass shells, or it has
            particles of spin 2 or 3/2.
    """
    match element:
        case TreeAmplitude():
            return _Tapes(element, kernels)
        case DrellYan():
            return _ClosedForm(element, kernels)
        case Mirrored():
            return _MirrorImage(element, kernels)
        case OffShell():
            raise DeviceError(
                'device: expected a definition without particles off their mass shell ("$"), which '
                "no GPU computes yet; --device cpu takes it"
            )
    raise DeviceError(
        "device: expected matrix elements of this package, which alone run on a GPU; got "
        f"{type(element).__name__}: --device cpu takes it"
    )


class _Tapes(MatrixElementOnDevice):
    def __init__(self, element: TreeAmplitude, kernels: Kernels) -> None:
        tapes = element.tapes
        if has_wide_waves(tapes.amplitude) or has_wide_waves(tapes.squares):
            raise DeviceError(
                f"device: expected particles of spin 0, 1/2 and 1 in {element.name}; no GPU "
                "computes others yet, --device cpu takes them"
            )
        if has_form_factors(tapes.amplitude) or has_form_factors(tapes.squares):
            raise DeviceError(
                f"device: expected vertices without form factors in {element.name}; no GPU "
                "computes them yet, --device cpu takes them"
            )
        amplitude = _core.AmplitudeTape(tapes.amplitude, tapes.average)
        self._amplitude = _TapeKernel("amplitude", amplitude, kernels, element.name)
        squares = _core.DiagramTape(tapes.squares)
        self._squares = _TapeKernel("diagram_squares", squares, kernels, element.name)
        self._n_diagrams = element.n_diagrams

    def squared(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> Tensor:
        """See `MatrixElementOnDevice.squared`."""
        me2 = torch.zeros_like(alpha_s)
        helicities = flows = helicity_parts = 0
        self._amplitude.run(p, alpha_s, live, me2, helicities, flows, helicity_parts)
        return me2

    def evaluate(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> tuple[Tensor, Tensor]:
        """See `MatrixElementOnDevice.evaluate`."""
        squares = alpha_s.new_zeros(self._n_diagrams, len(alpha_s))
        self._squares.run(p, alpha_s, live, squares)
        return self.squared(p, alpha_s, live), squares.T


class _TapeKernel:
    """A kernel that runs a tape, in as many launches as the free memory asks for.

    Args:
        name: of the kernel in `cpp/cuda/amplitudes.cu`.
        tape: what it runs.
        kernels: of the device.
        process: whose tape, for messages.
    """

    def __init__(
        self,
        name: str,
        tape: _core.AmplitudeTape | _core.DiagramTape,
        kernels: Kernels,
        process: str,
    ) -> None:
        self._name, self._kernels, self._process = name, kernels, process
        self._spec, self._numbers = upload(tape, kernels), tape.workspace_numbers

    def run(self, p: Tensor, alpha_s: Tensor, live: LiveEvents, *arguments: Tensor | int) -> None:
        """Run it for the live events.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory.
            alpha_s: strong coupling, float64, shape (n,).
            live: the events that it is wanted of.
            arguments: the others of the kernel, 0 for a null pointer.
        """
        n, rows = len(alpha_s), momentum_rows(p)
        slices = list(self._slices(n))
        workspace = alpha_s.new_empty(self._numbers * max(size for _, size in slices))
        for first, size in slices:
            self._kernels.launch(
                "amplitudes",
                self._name,
                size,
                self._spec,
                rows,
                alpha_s,
                live.positions,
                live.count,
                workspace,
                first,
                size,
                n,
                *arguments,
            )

    def _slices(self, n: int) -> Iterator[tuple[int, int]]:
        """First event and number of events of each launch, together all n."""
        of_event = self._numbers * _NUMBER
        free = self._kernels.free_bytes()
        most = int(_SHARE_OF_MEMORY * free) // of_event // BLOCK * BLOCK
        if most == 0:
            raise DeviceError(
                f"device: expected {int(BLOCK * of_event / _SHARE_OF_MEMORY)} bytes of free memory "
                f"for {BLOCK} events of {self._process}; got {free}"
            )
        for first in range(0, max(n, 1), most):
            yield first, min(most, n - first)


class _ClosedForm(MatrixElementOnDevice):
    def __init__(self, element: DrellYan, kernels: Kernels) -> None:
        self._kernels, self._n_diagrams = kernels, element.n_diagrams
        self._spec = upload(element.kernel, kernels)

    def squared(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> Tensor:
        """See `MatrixElementOnDevice.squared`."""
        return self.evaluate(p, alpha_s, live)[0]

    def evaluate(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> tuple[Tensor, Tensor]:
        """See `MatrixElementOnDevice.evaluate`."""
        n, me2 = len(alpha_s), torch.zeros_like(alpha_s)
        squares = alpha_s.new_zeros(self._n_diagrams, n)
        self._kernels.launch(
            "amplitudes",
            "drell_yan",
            n,
            self._spec,
            momentum_rows(p),
            live.positions,
            live.count,
            me2,
            squares,
            n,
        )
        return me2, squares.T


class _MirrorImage(MatrixElementOnDevice):
    def __init__(self, element: Mirrored, kernels: Kernels) -> None:
        self._element = matrix_element_on_device(element.element, kernels)
        order = [1, 0, *range(2, element.n_particles)]
        self._order = torch.tensor(order, device=kernels.torch_device)
        self._columns = torch.tensor(element.columns, device=kernels.torch_device)

    def squared(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> Tensor:
        """See `MatrixElementOnDevice.squared`."""
        return self._element.squared(self._exchanged(p), alpha_s, live)

    def evaluate(self, p: Tensor, alpha_s: Tensor, live: LiveEvents) -> tuple[Tensor, Tensor]:
        """See `MatrixElementOnDevice.evaluate`."""
        me2, squares = self._element.evaluate(self._exchanged(p), alpha_s, live)
        return me2, squares.T[self._columns].T

    def _exchanged(self, p: Tensor) -> Tensor:
        """Momenta with the two incoming particles exchanged, events fastest in memory."""
        return momentum_rows(p)[self._order].permute(2, 0, 1)
