"""Squared amplitudes by `ufoamp`, an independent evaluator of UFO models.

Decay chains are put together from amplitudes of production and of each decay with all particles on
their mass shells, where a propagator is the sum of its states over i |m| Gamma.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product
from math import factorial, prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from madnis_py.arrays import Array
from madnis_py.physics.diagrams.reactions import Branch, Reaction
from madnis_py.physics.model.model import Model


@dataclass(frozen=True)
class LegOnShell:
    """A particle with its momentum (E, px, py, pz) in GeV, and what it decays to."""

    pdg: int
    p: Array
    products: tuple[LegOnShell, ...] = ()

    @property
    def final(self) -> list[Array]:
        """Momenta of the final state."""
        return [p for one in self.products for p in one.final] or [self.p]


class UfoampAmplitudes:
    """Amplitudes of a model with the values that it has here.

    Args:
        folder: of the model.
        model: the same one; all of its external parameters are taken from here, and those that it
            does not have from restrict_default.dat.
        fixed: values of parameters that follow from others.
    """

    def __init__(
        self, folder: Path, model: Model, fixed: Mapping[str, complex] = MappingProxyType({})
    ) -> None:
        self._model, self._fixed = model, dict(fixed)
        self._tables = pytest.importorskip("ufoamp.ufo_model").load(str(folder))
        read = pytest.importorskip("ufoamp.analysis").read_param_card
        removed = read(str(folder / "restrict_default.dat"), self._tables)
        self._values = {**removed, **{name: model[name] for name in model.parameters}}
        self._process = pytest.importorskip("ufoamp.process").Process
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], Any] = {}

    def squared(self, reaction: Reaction, p: Sequence[Array]) -> list[float]:
        """|M|^2 of a reaction without decays at points of momenta, (n_legs, 4) each."""
        incoming, final = list(reaction.incoming), [one.pdg for one in reaction.outgoing]
        process = self._made(incoming, final)
        return [process.m2([*point]) / _permutations(final) for point in p]

    def squared_chain(
        self, reaction: Reaction, incoming: Sequence[Array], legs: Sequence[LegOnShell]
    ) -> float:
        """|M|^2 of a decay chain whose particles are on their mass shells.

        Args:
            reaction: with the decays.
            incoming: momenta.
            legs: what comes out of the collision.
        """
        found = self._with_decays(list(reaction.incoming), incoming, legs)
        states = (len(self._states(pdg)) * self._colours(pdg) for pdg in reaction.incoming)
        final = [one.pdg for one in reaction.outgoing]
        return float((abs(found) ** 2).sum()) / prod(states) / _permutations(final)

    def _with_decays(
        self, incoming: list[int], momenta: Sequence[Array], legs: Sequence[LegOnShell]
    ) -> Any:
        """Amplitudes of all states, those of what comes in first: a helicity, then a colour."""
        letter = count()
        pdgs = [*incoming, *(leg.pdg for leg in legs)]
        labels = [
            [next(letter), *([next(letter)] if self._colours(pdg) > 1 else [])] for pdg in pdgs
        ]
        amplitudes = self._amplitudes(incoming, [*momenta, *(leg.p for leg in legs)], legs)
        helicities = [label[0] for label in labels]
        colours = [colour for label in labels for colour in label[1:]]
        operands: list[Any] = [amplitudes, [*helicities, *colours]]
        out = [label for one in labels[: len(incoming)] for label in one]
        for leg, own in zip(legs, labels[len(incoming) :], strict=True):
            if not leg.products:
                out += own
                continue
            decay = self._with_decays([leg.pdg], [leg.p], leg.products)
            pole = self._model.mass(leg.pdg) * self._model.width(leg.pdg)
            rest = [next(letter) for _ in range(decay.ndim - len(own))]
            operands += [decay / pole, [*own, *rest]]
            out += rest
        return np.einsum(*operands, out)

    def _amplitudes(
        self, incoming: list[int], momenta: Sequence[Array], legs: Sequence[LegOnShell]
    ) -> Any:
        """Amplitudes without decays, an axis per helicity and then one per colour."""
        final = [leg.pdg for leg in legs]
        process = self._made(incoming, final)
        states = [self._states(pdg) for pdg in (*incoming, *final)]
        batch = process.legs_batch([*momenta], list(product(*states)))
        found = np.asarray(sum(process.amp.amplitude_flows(batch).values()))
        shaped = found.reshape([*map(len, states), *found.shape[1:]])
        if self._colours(final[-1]) > 1:  # the colour of the last leg comes first there
            shaped = np.moveaxis(shaped, len(states), -1)
        return shaped

    def _made(self, incoming: list[int], final: list[int]) -> Any:
        key = tuple(incoming), tuple(final)
        if key not in self._known:
            self._known[key] = self._process(
                self._tables,
                incoming,
                final,
                overrides=self._values,
                inject=self._fixed,
                gauge="unitary",
            )
        return self._known[key]

    def _states(self, pdg: int) -> list[int]:
        """Twice the helicities of fermions, and helicities, in the order of that program."""
        spin = self._model.particle(pdg).spin
        with_mass = [1, -1, 0] if self._model.mass(pdg) else [1, -1]
        return {1: [0], 2: [1, -1], 3: with_mass}[spin]

    def _colours(self, pdg: int) -> int:
        return abs(self._model.particle(pdg).colour)


def _permutations(final: Sequence[int]) -> int:
    """Of identical particles."""
    return prod(factorial(final.count(pdg)) for pdg in set(final))


def legs_on_shell(
    reaction: Reaction, model: Model, seed: int
) -> tuple[list[Array], tuple[LegOnShell, ...]]:
    """A collision of two particles and decays into two each, well above threshold.

    Returns:
        Momenta of what comes in, and what comes out.
    """
    random = np.random.default_rng(seed)
    masses = [[model.mass(pdg) for pdg in reaction.incoming]]
    masses.append([model.mass(one.pdg) for one in reaction.outgoing])
    energy = 1.3 * max(map(sum, masses)) + 200
    total = np.array([energy, 0.0, 0.0, 0.0])
    incoming = list(_two_particles(total, masses[0], np.array([0.0, 0.0, 1.0])))
    return incoming, _decayed(total, reaction.outgoing, model, random)


def _decayed(
    total: Array, branches: Sequence[Branch], model: Model, random: np.random.Generator
) -> tuple[LegOnShell, ...]:
    direction = random.normal(size=3)
    masses = [model.mass(one.pdg) for one in branches]
    momenta = _two_particles(total, masses, direction / np.sqrt(direction @ direction))
    return tuple(
        LegOnShell(one.pdg, p, _decayed(p, one.decay.outgoing, model, random) if one.decay else ())
        for one, p in zip(branches, momenta, strict=True)
    )


def _two_particles(total: Array, masses: Sequence[float], direction: Array) -> Iterator[Array]:
    """Momenta back to back in the rest frame of their sum, (4,) each."""
    a, b = masses
    mass = np.sqrt(total[0] ** 2 - total[1:] @ total[1:])
    size = np.sqrt((mass**2 - (a + b) ** 2) * (mass**2 - (a - b) ** 2)) / (2 * mass)
    for own, sign in ((a, 1), (b, -1)):
        at_rest = sign * size * direction
        along = total[1:] @ at_rest
        energy = (total[0] * np.hypot(own, size) + along) / mass
        moved = at_rest + total[1:] * (np.hypot(own, size) + energy) / (total[0] + mass)
        yield np.array([np.sqrt(own**2 + moved @ moved), *moved])
