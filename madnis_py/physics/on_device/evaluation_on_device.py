"""Matrix elements at momenta that the user gives, in the kernels of a device."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from madnis_py.arrays import Array
from madnis_py.devices.device import Device
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.matrix_elements_on_device import matrix_element_on_device


@dataclass(frozen=True)
class EvaluationOnDevice:
    """|M|^2 and |M_i|^2 of arrays, as `MatrixElement.evaluate`, computed on a device.

    Attributes:
        device: where.
    """

    device: Device

    def __call__(self, element: MatrixElement, p: Array, alpha_s: float) -> tuple[Array, Array]:
        """The result of `MatrixElement.evaluate`.

        Raises:
            DeviceError: another program computes the matrix element.
        """
        there = self.device.torch_device
        momenta = torch.tensor(p, device=there)
        coupling = momenta.new_full((len(p),), alpha_s)
        element_there = matrix_element_on_device(element, self.device.kernels)
        found = element_there.evaluate(momenta, coupling, LiveEvents.all(len(p), there))
        me2, diagrams = (values.cpu().numpy() for values in found)
        return me2, diagrams
