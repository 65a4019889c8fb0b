"""Partial widths of a particle at lowest order, from |M|^2 of its decays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from madnis_py.arrays import Array
from madnis_py.card.process_tables import ProcessTable
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.amplitudes.widths import widths_of
from madnis_py.physics.decays.decay_cache import Widths, kept_widths
from madnis_py.physics.decays.decay_modes import Products, three_body_modes, two_body_modes
from madnis_py.physics.diagrams.coupling_orders import ALL_ORDERS
from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.reactions import reaction_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.diagrams.vertex_table import vertex_table
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.observables.momenta import as_momenta

_NODES = 32
"""Nodes of the quadrature over each invariant of three products: 1e-6 of the width or better."""


@dataclass(frozen=True)
class PartialWidth:
    """The width of a decay.

    Attributes:
        products: PDG codes.
        width: in GeV.
    """

    products: Products
    width: float


@dataclass(frozen=True)
class DecayTable:
    """The decays of a particle.

    Attributes:
        pdg: PDG code of the particle.
        partial: its decays, the most frequent first.
    """

    pdg: int
    partial: tuple[PartialWidth, ...]

    @property
    def total(self) -> float:
        """The total width in GeV."""
        return math.fsum(one.width for one in self.partial)

    def branching_ratio(self, one: PartialWidth) -> float:
        """Share of a decay in the total width."""
        return one.width / self.total

    def slha(self, model: Model, width: float | None = None) -> str:
        """A block DECAY of SLHA, hep-ph/0311123.

        Args:
            model: for names.
            width: the total width in GeV, that of the decays by default.
        """
        total = self.total if width is None else width
        lines = [f"DECAY {self.pdg} {total:.6e} # {model.particle_name(self.pdg)}"]
        for one in self.partial:
            codes = " ".join(map(str, one.products))
            names = " ".join(map(model.particle_name, one.products))
            numbers = f"{self.branching_ratio(one):.6e} {len(one.products)} {codes}"
            lines.append(f"   {numbers} # {names}, {one.width:.6e} GeV")
        return "\n".join(lines) + "\n"


def decay_table(pdg: int, model: Model, *, two_body: bool = False) -> DecayTable:
    """The decays of a particle at lowest order.

    They are those to two particles, and those to three through a particle that is too heavy to be
    on its mass shell (see `three_body_modes`). What was computed once is kept on disk.

    Args:
        pdg: PDG code of the particle.
        model: masses, widths of propagators, couplings, all at real masses.
        two_body: whether to leave out decays to three particles.
    """
    model = model.at_real_masses()

    def computed() -> Widths:
        modes = two_body_modes(pdg, model) + (() if two_body else three_body_modes(pdg, model))
        return [(mode, partial_width(pdg, mode, model)) for mode in modes]

    widths = kept_widths(f"{pdg} {two_body}", model, computed)
    open_modes = (PartialWidth(*one) for one in widths if one[1] > 0)
    return DecayTable(pdg, tuple(sorted(open_modes, key=lambda one: -one.width)))


def partial_width(pdg: int, products: Products, model: Model) -> float:
    """The width of a decay to two or three particles in GeV, 1 / (2 M) of |M|^2 dPhi.

    All coupling orders add up: a width has no lowest one. |M|^2 is constant for two products. For
    three it depends on two invariants, over which the integral is a Gaussian quadrature; a decay in
    which an unstable particle can be on its mass shell is one to two particles, and 0 here.

    Args:
        pdg: PDG code of the particle, with a mass.
        products: PDG codes.
        model: masses, widths of propagators, couplings.
    """
    mass, masses = model.mass(pdg), tuple(map(model.mass, products))
    reaction = reaction_of((pdg,), products, ALL_ORDERS)
    diagrams = diagrams_of(recursion_of(reaction, vertex_table(model)))
    limits = MassLimits((mass, *masses), (), mass, n_incoming=1)
    if not diagrams or _has_resonance(diagrams, limits, model):
        return 0.0
    table = ProcessTable(definition=model.reaction_name(reaction.legs, 1))
    widths = widths_of(reaction, diagrams, limits, model, table)
    amplitude = TreeAmplitude(reaction, model, widths.zero, TapeCache())
    p, weights = (_two_products if len(products) == 2 else _three_products)(mass, masses)
    squared = amplitude.squared(as_momenta(p), np.full(len(p), model.alpha_s))
    return float(weights @ squared) / (2 * mass)


def _has_resonance(diagrams: Iterable[Diagram], limits: MassLimits, model: Model) -> bool:
    """Whether an unstable particle between can be on its mass shell."""
    lines = {
        (abs(tree.pdg), tree.legs)
        for diagram in diagrams
        for tree in diagram.tree.subtrees()
        if tree.children and tree is not diagram.tree and model.width(tree.pdg) > 0
    }
    return any(limits.reaches_pole(positions(legs), model.mass(pdg)) for pdg, legs in lines)


def _two_products(mass: float, masses: Sequence[float]) -> tuple[Array, Array]:
    """Momenta of a decay, (1, 3, 4) in GeV, and its phase space, (1,)."""
    momentum = _momentum(mass, *masses)
    p = np.zeros((1, 3, 4))
    p[0, 0, 0] = mass
    p[0, 1:, 0] = np.hypot(masses, momentum)
    p[0, 1:, 3] = momentum, -momentum
    return p, np.array([momentum / (4 * math.pi * mass)])


def _three_products(mass: float, masses: Sequence[float]) -> tuple[Array, Array]:
    """Momenta of decays in a plane, (n, 4, 4) in GeV, and their phase space, (n,) in GeV^2.

    The last two come from the particle between.
    """
    first, second, third = masses
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    u, cosine = (grid.ravel() for grid in np.meshgrid(0.5 * (1 + nodes), nodes))
    weight = np.outer(0.5 * weights, 0.5 * weights).ravel()
    low, high = (second + third) ** 2, (mass - first) ** 2
    s = low + (high - low) * np.sin(0.5 * np.pi * u) ** 2  # smooth at thresholds
    weight = weight * (high - low) * 0.5 * np.pi * np.sin(np.pi * u)
    pair = np.sqrt(s)
    out, inside = _momentum(mass, first, pair), _momentum(pair, second, third)
    weight = weight / (2 * np.pi) * out / (4 * np.pi * mass) * inside / (4 * np.pi * pair)
    p = np.zeros((len(s), 4, 4))
    p[:, 0, 0] = mass
    p[:, 1, 0], p[:, 1, 3] = np.hypot(first, out), -out
    energy, sine = np.hypot(second, inside), np.sqrt(1 - cosine**2)
    gamma, boost = np.hypot(pair, out) / pair, out / pair
    p[:, 2, 0] = gamma * energy + boost * inside * cosine
    p[:, 2, 1] = inside * sine
    p[:, 2, 3] = gamma * inside * cosine + boost * energy
    p[:, 3] = p[:, 0] - p[:, 1] - p[:, 2]
    return p, weight


def _momentum(mass: float | Array, first: float, second: float | Array) -> Array:
    """Momentum of two products where what decays rests, in GeV."""
    sums = (mass - first - second) * (mass + first + second)
    differences = (mass - first + second) * (mass + first - second)
    return np.asarray(np.sqrt(np.maximum(sums * differences, 0.0)) / (2 * mass))
