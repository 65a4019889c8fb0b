"""Adam on parameters in one vector: step, copy and norm are single passes over memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

ROWS = ("parameter", "exp_avg", "exp_avg_sq", "mean")
"""Numbers kept of each parameter: value, Adam's two moments, slower mean of averaged trainings."""

ADAM: dict[str, Any] = {
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "weight_decay": 0.0,
    "amsgrad": False,
    "maximize": False,
    "fused": True,
}
"""The constants that arXiv:1412.6980 recommends."""

Memory = tuple[Tensor, ...]
"""Everything that the next step depends on.

For each number type the rows of its n parameters, shape (len(rows), n), and Adam's count of steps,
a float32 scalar.
"""


class FlatAdam:
    """Adam, arXiv:1412.6980, on parameters that lie side by side in memory.

    There is one memory for each number type, with the moments beside the parameters.

    From now on the parameters are views of that memory; their values stay what they are.

    Args:
        parameters: by name.
        averaged: follow the parameters with a slower mean.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], averaged: bool = False) -> None:
        kinds = {name: (str(p.device), str(p.dtype)) for name, p in parameters.items()}
        groups = groupby(sorted(parameters, key=kinds.__getitem__), key=kinds.__getitem__)
        rows = ROWS if averaged else ROWS[:-1]
        self._vectors = [
            _Vector({name: parameters[name] for name in names}, rows) for _, names in groups
        ]

    @property
    def device(self) -> torch.device:
        """Where the parameters are; the first ones, should they be in several places."""
        return self._vectors[0].memory.device

    def take_gradient(self, loss: Tensor) -> Tensor:
        """Compute the gradient of the loss; returns its norm, a float64 scalar."""
        parameters = [p for vector in self._vectors for p in vector.parameters.values()]
        gradients = iter(torch.autograd.grad(loss, parameters, allow_unused=True))
        norms = [vector.take_gradient(gradients).to(self.device) for vector in self._vectors]
        return reduce(torch.hypot, norms)

    def step(self, learning_rate: float, scale: float | Tensor) -> None:
        """Move the parameters against the gradient.

        Args:
            learning_rate: of this step.
            scale: factor of the gradient, a number or a float64 scalar where the norm is.
        """
        for vector in self._vectors:
            vector.step(learning_rate, scale)

    def follow(self, share: float) -> None:
        """Move the mean of the parameters by this share of the way to them."""
        for vector in self._vectors:
            vector.rows["mean"].lerp_(vector.rows["parameter"], share)

    def adopt_mean(self) -> None:
        """Give the parameters the values of their mean."""
        for vector in self._vectors:
            vector.rows["parameter"].copy_(vector.rows["mean"])

    @property
    def memory(self) -> Memory:
        """Where it is now."""
        return tuple(tensor for vector in self._vectors for tensor in (vector.memory, vector.count))

    def tensors(self) -> dict[str, Tensor]:
        """Everything but the parameters, by "<row>.<name of the parameter>", and the step count."""
        count = self._vectors[0].count
        rows = [
            vector.named(row)
            for vector in self._vectors
            for row in vector.rows
            if row != "parameter"
        ]
        return {"step": count} | {name: tensor for row in rows for name, tensor in row.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` gave."""
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])
        for vector in self._vectors:
            vector.count.copy_(tensors["step"])


def copied(source: Memory, target: Memory | None = None) -> Memory:
    """A copy, in the place of `target` if there is one."""
    if target is None:
        return tuple(tensor.clone() for tensor in source)
    for to, tensor in zip(target, source, strict=True):
        to.copy_(tensor)
    return target


class _Vector:
    """The parameters of one number type."""

    def __init__(self, parameters: dict[str, nn.Parameter], rows: tuple[str, ...]) -> None:
        self.parameters = parameters
        values = torch.cat([p.detach().flatten() for p in parameters.values()])
        self.memory = values.new_zeros(len(rows), len(values))
        self.rows = dict(zip(rows, self.memory, strict=True))
        for name in {"parameter", "mean"} & self.rows.keys():
            self.rows[name].copy_(values)
        for name, part in self._parts("parameter"):
            parameters[name].data = part
        self.count = torch.zeros((), device=values.device)
        self._gradient = torch.zeros_like(values)

    def named(self, row: str) -> dict[str, Tensor]:
        """The parts of a row by "<row>.<name of the parameter>", views."""
        return {f"{row}.{name}": part for name, part in self._parts(row)}

    def _parts(self, row: str) -> Iterator[tuple[str, Tensor]]:
        sizes = [p.numel() for p in self.parameters.values()]
        for (name, p), part in zip(
            self.parameters.items(), self.rows[row].split(sizes), strict=True
        ):
            yield name, part.view(p.shape)

    def take_gradient(self, gradients: Iterator[Tensor | None]) -> Tensor:
        """Take the next gradients, None for zero; returns their norm, a float64 scalar."""
        pairs = zip(self.parameters.values(), gradients)  # noqa: B905 - the rest belongs to the next vector
        parts = [torch.zeros_like(p) if g is None else g for p, g in pairs]
        torch.cat([part.flatten() for part in parts], out=self._gradient)
        norm: Tensor = torch.linalg.vector_norm(self._gradient)
        return norm.double()

    def step(self, learning_rate: float, scale: float | Tensor) -> None:
        """Move the parameters against the gradient times `scale`."""
        if isinstance(scale, Tensor) or scale != 1.0:
            self._gradient.mul_(scale)
        rows = ([self.rows[name]] for name in ROWS[:3])
        parameter, exp_avg, exp_avg_sq = rows
        adam(
            parameter,
            [self._gradient],
            exp_avg,
            exp_avg_sq,
            [],
            [self.count],
            lr=learning_rate,
            **ADAM,
        )
