"""The differential cross section of a process on the unit cube, in picobarn."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.errors import GenerationError, InputError
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.physics.channels import AUTO_PRIOR, PRIORS, ChosenPrior
from madnis_py.physics.kinematics import flux, select
from madnis_py.physics.matrix_element import MatrixElement
from madnis_py.physics.observables import features
from madnis_py.physics.parton_luminosity import PartonLuminosity, parton_luminosity
from madnis_py.physics.scales import Scale
from madnis_py.physics.selection import Acceptance
from madnis_py.physics.subprocesses import Subprocess

if TYPE_CHECKING:
    from madnis_py.physics.process import Process

Array = NDArray[np.float64]

_TINY = 1e-300

PICOBARN_PER_INVERSE_GEV2 = 3.8937937217185e8
"""(hbar c)^2 in GeV^2 pb with the exact constants of the SI of 2019 (CODATA 2018 and 2022)."""


@dataclass(frozen=True)
class PartonicEvents:
    """Events of the hard scattering with flavours; n events, P particles, incoming first.

    Attributes:
        momenta: (E, px, py, pz) in GeV, float64, shape (n, P, 4).
        pdg: PDG codes, int32, shape (n, P).
        colour: colour and anticolour numbers of the Les Houches format, int32, shape (n, P, 2).
        mass: masses in GeV, float64, shape (n, P).
        scale: factorisation scale in GeV, float64, shape (n,).
        alpha_s: strong coupling at the renormalisation scale, float64, shape (n,).
        alpha_qed: electromagnetic coupling, float64, shape (n,).
    """

    momenta: Array
    pdg: NDArray[np.int32]
    colour: NDArray[np.int32]
    mass: Array
    scale: Array
    alpha_s: Array
    alpha_qed: Array


@dataclass(frozen=True)
class _Scattering:
    """What partons do at given momenta: PDF x |M|^2 in GeV^0, per combination of flavours and per diagram."""

    flavours: Array  # (n, n_flavours)
    diagrams: Array  # (n, n_diagrams), or (n, 0) where they are not asked for
    mu_f: Array  # (n,)
    alpha_s: Array  # (n,)


class CrossSection(AbstractIntegrand):
    """sigma = sum over flavours of f_a f_b |M|^2 / (2 s) dPhi dx_a dx_b, Eq. (2.8) of the MadNIS thesis, in pb.

    The flux is that of massive particles where they have a mass. The channel weights see `observables.features`. For
    the prior, |M|^2 of every subprocess is shared out over its diagrams in proportion to |M_i|^2; the subprocesses
    stand side by side, each times the densities of its flavours, see `Process.diagram_offsets`. Matrix elements that
    are the same bit by bit are evaluated once.

    Points that fail the cuts have value 0 and the same prior for every channel.

    Args:
        process: what scatters.
        prior: channel weights before training; those of the card by default, |M_i|^2 where it says "auto".

    Attributes:
        channel_names: names of the channels, in order.
        prior: name of the channel weights before training.
        flavours: PDG codes of the external legs for every combination of flavours, int32, shape (n_flavours, P).
        n_diagrams: Feynman diagrams of all subprocesses.
        luminosity: the parton densities of the two beams.

    Raises:
        PdfError: the parton densities cannot be loaded.
        CardError: there is no phase space for the process, a beam does not hold its partons, or the alternatives of a
            particle differ in mass.
        InputError: there is no prior of this name.
    """

    unit = "pb"

    def __init__(self, process: Process, prior: ChosenPrior | None = None) -> None:
        card, model = process.card, process.model
        self.channels = process.channels
        self.channel_names = tuple(channel.name for channel in process.channels)
        self.subprocesses = process.subprocesses
        self.dim = self.channels[0].mapping.dim
        self.n_channels = len(self.channels)
        self.groups = tuple(channel.group for channel in self.channels)
        self.n_particles = self.channels[0].mapping.n_particles
        self.flavours = np.concatenate([np.array(group.flavours, np.int32) for group in self.subprocesses])
        self.luminosity: PartonLuminosity = parton_luminosity(card, self.flavours, model)
        self.n_features = 3 * (self.n_particles - 2) + (2 if self.luminosity.hadronic else 0)
        self._colour = np.concatenate([np.array(group.matrix_element.flows, np.int32) for group in self.subprocesses])
        self._first_flow = _first_flows(self.subprocesses)
        self._mass = np.array([[model.mass(int(pdg)) for pdg in legs] for legs in self.flavours])
        _check_masses(self._mass, process)
        self._blocks = _blocks(self.subprocesses)
        self.n_diagrams = sum(group.matrix_element.n_diagrams for group in self.subprocesses)
        self._alpha_qed = model.alpha_qed
        self._acceptance = Acceptance(process.selection)
        named = card.channels.prior
        self._set_prior(prior or (AUTO_PRIOR if named == "auto" else named))
        scales = card.scales
        self._factorization = Scale(scales.factorization, scales.factorization_factor)
        self._renormalization = Scale(scales.renormalization, scales.renormalization_factor)

    def _set_prior(self, name: ChosenPrior) -> None:
        if name not in PRIORS:
            raise InputError(f"prior: expected {', '.join(PRIORS)}; got {name}")
        self.prior = name
        self._prior = PRIORS[name](self.channels)

    def with_prior(self, name: ChosenPrior) -> Self:
        """The same integrand with other channel weights before training; shares everything else.

        Args:
            name: a key of `PRIORS`.

        Raises:
            InputError: there is no prior of this name.
        """
        other = copy(self)
        other._set_prior(name)
        return other

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Differential cross section times Jacobian in pb; see `AbstractIntegrand.evaluate`."""
        return self.evaluate_momenta(*self.momenta(x, channel))

    def evaluate_momenta(self, p: Array, jacobian: Array) -> Evaluation:
        """The integrand at momenta that are there already; see `evaluate`.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            jacobian: dx_a dx_b dPhi / dx, float64 (n,); 0 outside the support.
        """
        kept = np.flatnonzero(self._keeps(p, jacobian))
        p_kept = select(p, kept)
        scattering = self._scatter(p_kept, self._prior.needs_diagrams)
        value, prior = np.zeros(len(p)), np.ones((len(p), self.n_channels))
        value[kept] = scattering.flavours.sum(axis=1) * jacobian[kept] * flux(p_kept) * PICOBARN_PER_INVERSE_GEV2
        prior[kept] = _usable(self._prior(p_kept, scattering.diagrams))
        seen = features(p, self.luminosity.hadronic)
        return Evaluation(torch.from_numpy(value), torch.from_numpy(seen), torch.from_numpy(prior))

    def momenta(self, x: Tensor, channel: Tensor) -> tuple[Array, Array]:
        """Map points to momenta, each by the mapping of its channel.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,).

        Returns:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            jacobian: dx_a dx_b dPhi / dx, float64 (n,); 0 outside the support.
        """
        points = x.detach().numpy()
        p = np.empty((self.n_particles, 4, len(points))).transpose(2, 0, 1)
        jacobian = np.empty(len(points))
        for index, rows in _runs(channel, self.n_channels):
            p[rows], jacobian[rows] = self.channels[index].mapping.forward(np.ascontiguousarray(points[rows]))
        return p, jacobian

    @property
    def pdf_id(self) -> int:
        """LHAPDF number of the parton densities, 0 for beams that are partons."""
        return self.luminosity.pdf.lhapdf_id if self.luminosity.pdf else 0

    def accepts(self, x: Tensor, channel: Tensor) -> Tensor:
        """Which points lie in phase space and pass the cuts, bool, shape (n,); the share is the cut acceptance."""
        return torch.from_numpy(self._keeps(*self.momenta(x, channel)))

    def partonic_events(self, x: Tensor, channel: Tensor, uniform: Tensor) -> PartonicEvents:
        """Turn points into events with flavours, drawn in proportion to PDF x |M|^2, and a colour flow of theirs.

        The flow is drawn in proportion to |J_k|^2, summed over helicities, without interference between flows. The
        number that chooses the flavours chooses the flow too: within their share it is uniform again.

        Args:
            x: points in [0, 1] with a value other than 0, float64, shape (n, dim).
            channel: sorted, int64, shape (n,).
            uniform: numbers in [0, 1), float64, shape (n,), that choose flavours and flow.

        Raises:
            GenerationError: no flavours contribute at one of the points.
        """
        p, jacobian = self.momenta(x, channel)
        _require(self._keeps(p, jacobian), "expected points that pass the cuts")
        scattering = self._scatter(p)
        drawn, rest = _draw(np.maximum(scattering.flavours, 0.0), uniform.numpy())
        flow = self._draw_flows(p, scattering.alpha_s, drawn, rest)
        return PartonicEvents(
            momenta=p,
            pdg=self.flavours[drawn],
            colour=self._colour[self._first_flow[drawn] + flow],
            mass=self._mass[drawn],
            scale=scattering.mu_f,
            alpha_s=scattering.alpha_s,
            alpha_qed=np.full(len(p), self._alpha_qed),
        )

    def _draw_flows(self, p: Array, alpha_s: Array, drawn: NDArray[np.intp], uniform: Array) -> NDArray[np.intp]:
        """A colour flow of the flavours drawn for each event; nothing is computed where there is only one."""
        flow = np.zeros(len(p), np.intp)
        for element, blocks in self._blocks:
            served = np.concatenate([np.arange(block.flavours.start, block.flavours.stop) for block in blocks])
            rows = np.flatnonzero(np.isin(drawn, served))
            if len(element.flows) > 1 and len(rows):
                weights = element.flow_weights(select(p, rows), alpha_s[rows])
                flow[rows], _ = _draw(weights, uniform[rows])
        return flow

    def _keeps(self, p: Array, jacobian: Array) -> NDArray[np.bool_]:
        return (jacobian > 0) & self._acceptance.passes(p)

    def _scatter(self, p: Array, with_diagrams: bool = False) -> _Scattering:
        """PDF x |M|^2 of every combination of flavours; each density and each different matrix element once."""
        mu_f = self._factorization(p)
        alpha_s = self.luminosity.alpha_s(self._renormalization(p) ** 2)
        densities = self._acceptance.restrict(p, self.luminosity.evaluate(p, mu_f**2))
        flavours, diagrams = np.empty_like(densities), np.empty((len(p), self.n_diagrams if with_diagrams else 0))
        for element, blocks in self._blocks:
            me2, squares = element.evaluate(p, alpha_s) if with_diagrams else (element.squared(p, alpha_s), None)
            shares = None if squares is None else squares / np.maximum(squares.sum(axis=1, keepdims=True), _TINY)
            for block in blocks:
                flavours[:, block.flavours] = densities[:, block.flavours] * me2[:, None]
                if shares is not None:
                    total = flavours[:, block.flavours].sum(axis=1)
                    np.multiply(total[:, None], shares, out=diagrams[:, block.diagrams])
        return _Scattering(flavours, diagrams, mu_f, alpha_s)


@dataclass(frozen=True)
class _Block:
    """The columns of one subprocess among all combinations of flavours and all diagrams."""

    flavours: slice
    diagrams: slice


def _blocks(subprocesses: Sequence[Subprocess]) -> list[tuple[MatrixElement, list[_Block]]]:
    """The different matrix elements, each with the columns of the subprocesses that it serves."""
    served: dict[Hashable, tuple[MatrixElement, list[_Block]]] = {}
    flavour = diagram = 0
    for group in subprocesses:
        element = group.matrix_element
        columns = slice(flavour, flavour := flavour + len(group.flavours))
        block = _Block(columns, slice(diagram, diagram := diagram + element.n_diagrams))
        served.setdefault(element.identity, (element, []))[1].append(block)
    return list(served.values())


def _first_flows(subprocesses: Sequence[Subprocess]) -> NDArray[np.intp]:
    """Where the colour flows of every combination of flavours begin, those of all subprocesses side by side."""
    counts = [len(group.matrix_element.flows) for group in subprocesses]
    return np.repeat(np.cumsum(counts) - counts, [len(group.flavours) for group in subprocesses])


def _draw(weights: Array, uniform: Array) -> tuple[NDArray[np.intp], Array]:
    """Draw a column for every row, each with its share of the row.

    Args:
        weights: at least 0, float64 (n, n_columns).
        uniform: numbers in [0, 1), float64 (n,).

    Returns:
        The columns, and where in the share of its column each number lies: uniform in [0, 1), whatever the column.

    Raises:
        GenerationError: a row without weight.
    """
    edges = np.cumsum(np.pad(weights, ((0, 0), (1, 0))), axis=1)
    _require(edges[:, -1] > 0, "expected points with a cross section")
    place = uniform * edges[:, -1]
    drawn = (edges[:, 1:] <= place[:, None]).sum(axis=1)
    rows = np.arange(len(edges))
    low, high = edges[rows, drawn], edges[rows, drawn + 1]
    return drawn, np.minimum((place - low) / (high - low), np.nextafter(1.0, 0.0))


def _check_masses(masses: Array, process: Process) -> None:
    """Phase space is made for one mass of each particle."""
    differ = np.flatnonzero((masses != masses[0]).any(axis=0))
    if len(differ):
        got = ", ".join(f"{mass:g}" for mass in np.unique(masses[:, differ[0]]))
        expected = f"expected one mass for all alternatives of particle {differ[0] + 1}"
        raise process.card.error("process.definition", f"{expected}; got {got} GeV")


def _require(good: NDArray[np.bool_], expected: str) -> None:
    if not good.all():
        raise GenerationError(f"events: {expected}; got none at point {np.argmin(good)}")


def _usable(prior: Array) -> Array:
    """A prior without the negative entries that parton densities may cause; flat where nothing is left."""
    prior = np.maximum(prior, 0.0)
    return np.where(prior.sum(axis=1, keepdims=True) > 0, prior, 1.0)


def _runs(channel: Tensor, n_channels: int) -> Iterator[tuple[int, slice]]:
    """The channels that occur in a sorted tensor, with the rows of each."""
    ends = np.cumsum(np.bincount(channel.numpy(), minlength=n_channels))
    starts = np.concatenate([[0], ends[:-1]])
    return (
        (index, slice(start, end)) for index, (start, end) in enumerate(zip(starts, ends, strict=True)) if end > start
    )
