"""The differential cross section of a process on the unit cube, in picobarn."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError, InputError
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.integration.samples import Samples
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.cross_section.partonic_events import (
    EventDetails,
    PartonicEvents,
    ServedFlavours,
)
from madnis_py.physics.cross_section.systematics import Systematics, variation_groups
from madnis_py.physics.divergences.divergences import divergence_warnings, require_finite
from madnis_py.physics.observables.features import features
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.observables.parton_kinematics import flux
from madnis_py.physics.observables.scales import Scale
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.pdf.grid_limits import (
    Limit,
    Outside,
    limits_of,
    shares_outside,
    varied_limits,
)
from madnis_py.physics.pdf.luminosity import PartonLuminosity, parton_luminosity
from madnis_py.physics.pdf.pdf import caveats, missing_members
from madnis_py.physics.phase_space.priors import AUTO_PRIOR, PRIORS, ChosenPrior

if TYPE_CHECKING:
    from madnis_py.physics.process.process import Process


_TINY = 1e-300

PICOBARN_PER_INVERSE_GEV2 = 3.8937937217185e8
"""(hbar c)^2 in GeV^2 pb with the exact constants of the SI of 2019 (CODATA 2018 and 2022)."""


@dataclass(frozen=True)
class _Scattering:
    """What partons do at given momenta: PDF x |M|^2 in GeV^0, per combination of flavours and per diagram."""

    flavours: Array  # (n, n_flavours), negative where a parton density is
    diagrams: Array  # (n, n_diagrams) without signs, or (n, 0) where they are not asked for
    mu_f: Array  # (n,)
    mu_r: Array  # (n,)
    alpha_s: Array  # (n,)


class CrossSection(AbstractIntegrand):
    """sigma = sum over flavours of f_a f_b |M|^2 / (2 s) dPhi dx_a dx_b, Eq. (2.8) of the MadNIS thesis, in pb.

    The flux is that of massive particles where they have a mass, the average over helicities that
    of the beams, see `Beams.spin_factor`. The channel weights see `observables.features`. For the
    prior, |M|^2 of every subprocess is shared out over its diagrams in proportion to |M_i|^2; the
    subprocesses stand side by side, each times the densities of its flavours, see
    `Process.diagram_offsets`. Matrix elements that are the same bit by bit are evaluated once.

    Points that fail the cuts have value 0 and the same prior for every channel.

    Args:
        process: what scatters.
        prior: channel weights before training; those of the card by default, |M_i|^2 where it says
            "auto".

    Attributes:
        process: as given.
        channel_names: names of the channels, in order.
        prior: name of the channel weights before training.
        flavours: PDG codes of the external legs for every combination of flavours, int32, shape
            (n_flavours, P).
        n_diagrams: Feynman diagrams of all subprocesses.
        luminosity: the parton densities of the two beams.

    Raises:
        PdfError: the parton densities cannot be loaded.
        CardError: the cuts leave it infinite (see `require_finite`), there is no phase space for
            the process, a beam does not hold its partons, or the alternatives of a particle differ
            in mass.
        InputError: there is no prior of this name.
    """

    unit = "pb"

    def __init__(self, process: Process, prior: ChosenPrior | None = None) -> None:
        card, model = process.card, process.model
        self.flavours = np.array(process.flavours, np.int32)
        self.luminosity: PartonLuminosity = parton_luminosity(card, self.flavours, model)
        _check_masses(process, self.flavours)
        require_finite(process)
        self.channels = process.channels
        self.channel_names = tuple(channel.name for channel in process.channels)
        self.dim = self.channels[0].mapping.dim
        self.n_channels = len(self.channels)
        self.groups = tuple(channel.group for channel in self.channels)
        self.n_particles = self.channels[0].mapping.n_particles
        self.n_features = 3 * (self.n_particles - 2) + (2 if self.luminosity.hadronic else 0)
        self._blocks = _blocks(process)
        self.n_diagrams = process.diagram_offsets[-1]
        self._alpha_qed = model.alpha_qed
        first, second, *_ = process.flavours[0]
        self._unit = process.beams.spin_factor((first, second), model) * PICOBARN_PER_INVERSE_GEV2
        self.process = process
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
        prior = np.ones((len(p), self.n_channels))
        prior[kept] = _usable(self._prior(p_kept, scattering.diagrams))
        seen = features(p, self.luminosity.hadronic)

        def in_picobarn(flavours: Array) -> Tensor:
            values = np.zeros(len(p))
            values[kept] = flavours.sum(axis=1) * jacobian[kept] * flux(p_kept) * self._unit
            return torch.from_numpy(values)

        value, magnitude = in_picobarn(scattering.flavours), None
        if (scattering.flavours < 0).any():
            magnitude = in_picobarn(np.abs(scattering.flavours))
        return Evaluation(value, torch.from_numpy(seen), torch.from_numpy(prior), magnitude)

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
            p[rows], jacobian[rows] = self.channels[index].mapping.forward(
                np.ascontiguousarray(points[rows])
            )
        return p, jacobian

    @property
    def pdf_id(self) -> int:
        """LHAPDF number of the parton densities, 0 for beams that are partons."""
        return self.luminosity.pdf.lhapdf_id if self.luminosity.pdf else 0

    @property
    def caveats(self) -> list[str]:
        """What to say beside every result of divergences, widths and parton densities; nothing where all is well.

        Raises:
            PdfError: a set of the variations is not found.
        """
        card = self.process.card
        general = [*self.process.caveats, *divergence_warnings(self.process)]
        pdf, systematics = card.beams.pdf, card.systematics
        if pdf is None or pdf == "none":
            return general
        missing = missing_members(pdf) if systematics.pdf_members else []
        return [*general, *caveats([pdf, *systematics.pdf_sets]), *missing]

    @cached_property
    def grid_limits(self) -> tuple[Limit, ...]:
        """Where the parton densities end, for the cross section and for the variations of the events.

        Raises:
            PdfError: a set of the variations cannot be loaded.
        """
        if self.luminosity.pdf is None:
            return ()
        strong = any(element.alpha_s_power != 0 for element, _ in self._blocks)
        own = limits_of(self.luminosity.pdf, strong)
        return (*own, *varied_limits(own, self.process.card.systematics, strong))

    def outside_grid(self, samples: Samples) -> list[Outside]:
        """What part of the cross section lies beyond the limits of the parton densities.

        Args:
            samples: weighted points with their coordinates, sorted by channel.
        """
        p, jacobian = self.momenta(samples.x, samples.channel)
        passes = self._keeps(p, jacobian)
        mu_f, mu_r = self._factorization(p), self._renormalization(p)
        x = p[:, :2, 0] / np.array(self.process.card.beams.energy)
        ranges = {
            "factorization scale": (mu_f, mu_f),
            "renormalization scale": (mu_r, mu_r),
            "x": (x.min(axis=1), x.max(axis=1)),
        }
        beyond = [passes & limit.beyond(*ranges[limit.quantity]) for limit in self.grid_limits]
        counts = torch.bincount(samples.channel, minlength=self.n_channels)
        weight = (samples.magnitude / counts[samples.channel]).numpy()
        return (
            shares_outside(self.grid_limits, passes, np.stack(beyond, axis=1), weight)
            if beyond
            else []
        )

    def accepts(self, x: Tensor, channel: Tensor) -> Tensor:
        """Which points lie in phase space and pass the cuts, bool, shape (n,); the share is the cut acceptance."""
        return torch.from_numpy(self._keeps(*self.momenta(x, channel)))

    @cached_property
    def systematics(self) -> Systematics:
        """The variations that events carry.

        Raises:
            PdfError: a set of theirs cannot be loaded.
        """
        card, model = self.process.card, self.process.model
        return Systematics(variation_groups(card), card, self.flavours, self._served, model)

    @cached_property
    def _served(self) -> ServedFlavours:
        every = np.arange(len(self.flavours))
        return ServedFlavours(
            [
                (element, np.concatenate([every[block.flavours] for block in blocks]))
                for element, blocks in self._blocks
            ]
        )

    @cached_property
    def _details(self) -> EventDetails:
        return EventDetails(self.process, self._served)

    def partonic_events(self, x: Tensor, channel: Tensor, uniform: Tensor) -> PartonicEvents:
        """Turn points into events; see `EventDetails` for what is drawn and how.

        Args:
            x: points in [0, 1] to whose magnitude some flavours contribute, float64, shape (n,
                dim).
            channel: sorted, int64, shape (n,).
            uniform: numbers in [0, 1), float64, shape (n, DRAWS).

        Raises:
            GenerationError: no flavours contribute at one of the points.
        """
        p, jacobian = self.momenta(x, channel)
        kept = self._keeps(p, jacobian)
        if not kept.all():
            raise GenerationError(
                f"events: expected points that pass the cuts; got none at point {np.argmin(kept)}"
            )
        scattering = self._scatter(p)
        drawn = self._details.draw(p, scattering.alpha_s, scattering.flavours, uniform.numpy())
        return PartonicEvents(
            momenta=p,
            sign=drawn.sign,
            pdg=self._details.pdg(drawn),
            colour=self._details.colour(drawn),
            helicity=drawn.helicity,
            mass=self._details.mass(drawn),
            resonances=self._details.resonances(p, drawn),
            scale=scattering.mu_f,
            renormalization_scale=scattering.mu_r,
            alpha_s=scattering.alpha_s,
            alpha_qed=np.full(len(p), self._alpha_qed),
            variations=self.systematics.ratios(p, drawn.flavour, scattering.mu_f, scattering.mu_r),
        )

    def flavour_shares(self, p: Array) -> Array:
        """What part each combination of flavours has in the magnitude of the cross section, with its sign.

        Args:
            p: momenta in GeV where some flavours contribute, event-fastest float64 (n, P, 4).

        Returns:
            float64 (n, n_flavours); the sizes in each row sum to one.
        """
        flavours = self._scatter(p).flavours
        return np.asarray(flavours / np.abs(flavours).sum(axis=1, keepdims=True))

    def _keeps(self, p: Array, jacobian: Array) -> NDArray[np.bool_]:
        return (jacobian > 0) & self._acceptance.passes(p)

    def _scatter(self, p: Array, with_diagrams: bool = False) -> _Scattering:
        """PDF x |M|^2 of every combination of flavours; each density and each different matrix element once."""
        mu_f, mu_r = self._factorization(p), self._renormalization(p)
        alpha_s = self.luminosity.alpha_s(mu_r**2)
        densities = self._acceptance.restrict(p, self.luminosity.evaluate(p, mu_f**2))
        flavours, diagrams = (
            np.empty_like(densities),
            np.empty((len(p), self.n_diagrams if with_diagrams else 0)),
        )
        for element, blocks in self._blocks:
            me2, squares = (
                element.evaluate(p, alpha_s)
                if with_diagrams
                else (element.squared(p, alpha_s), None)
            )
            shares = (
                None
                if squares is None
                else squares / np.maximum(squares.sum(axis=1, keepdims=True), _TINY)
            )
            for block in blocks:
                flavours[:, block.flavours] = densities[:, block.flavours] * me2[:, None]
                if shares is not None:
                    total = np.abs(flavours[:, block.flavours]).sum(axis=1)
                    np.multiply(total[:, None], shares, out=diagrams[:, block.diagrams])
        return _Scattering(flavours, diagrams, mu_f, mu_r, alpha_s)


@dataclass(frozen=True)
class _Block:
    """The columns of one subprocess among all combinations of flavours and all diagrams."""

    flavours: slice
    diagrams: slice


def _blocks(process: Process) -> list[tuple[MatrixElement, list[_Block]]]:
    """The different matrix elements, each with the columns of the subprocesses that it serves."""
    served: dict[Hashable, tuple[MatrixElement, list[_Block]]] = {}
    flavour = diagram = 0
    for group, element in zip(process.groups, process.matrix_elements, strict=True):
        columns = slice(flavour, flavour := flavour + len(group.flavours))
        block = _Block(columns, slice(diagram, diagram := diagram + element.n_diagrams))
        served.setdefault(element.identity, (element, []))[1].append(block)
    return list(served.values())


def _check_masses(process: Process, flavours: NDArray[np.int32]) -> None:
    """Phase space is made for one mass of each particle."""
    masses = np.array([[process.model.mass(int(pdg)) for pdg in legs] for legs in flavours])
    differ = np.flatnonzero((masses != masses[0]).any(axis=0))
    if len(differ):
        got = ", ".join(f"{mass:g}" for mass in np.unique(masses[:, differ[0]]))
        expected = f"expected one mass for all alternatives of particle {differ[0] + 1}"
        raise process.card.error("process.definition", f"{expected}; got {got} GeV")


def _usable(prior: Array) -> Array:
    """A prior that is flat where it would be 0 in all channels."""
    return np.where(prior.sum(axis=1, keepdims=True) > 0, prior, 1.0)


def _runs(channel: Tensor, n_channels: int) -> Iterator[tuple[int, slice]]:
    """The channels that occur in a sorted tensor, with the rows of each."""
    ends = np.cumsum(np.bincount(channel.numpy(), minlength=n_channels))
    starts = np.concatenate([[0], ends[:-1]])
    return (
        (index, slice(start, end))
        for index, (start, end) in enumerate(zip(starts, ends, strict=True))
        if end > start
    )
