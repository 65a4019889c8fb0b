"""Observable of events by its name on the card, for histograms: "pt(jet[1])", "mass(e+,e-)", "ht".

`features` are the fixed numbers that the channel weights see, `cuts` the limits that events pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.observable_names import EVENT, read_observable
from madnis_py.errors import InputError
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.final_state import ABSENT, FinalState, sets_of
from madnis_py.physics.observables.particle_names import CLASSES, ParticleName, codes_of
from madnis_py.physics.observables.typeset_labels import typeset_label


def _pt(p: Array) -> Array:
    return np.hypot(p[..., 1], p[..., 2])


def _eta(p: Array) -> Array:
    return np.asarray(np.arcsinh(p[..., 3] / _pt(p)))


def _rapidity(p: Array) -> Array:
    return np.asarray(np.log((p[..., 0] + p[..., 3]) / (p[..., 0] - p[..., 3])) / 2)


def _phi(p: Array) -> Array:
    return np.arctan2(p[..., 2], p[..., 1])


def _energy(p: Array) -> Array:
    return np.asarray(p[..., 0])


def _mass(p: Array) -> Array:
    momentum = np.sqrt(np.square(p[..., 1:]).sum(axis=-1))
    return np.asarray(np.sqrt(np.maximum((p[..., 0] - momentum) * (p[..., 0] + momentum), 0.0)))


def _dphi(a: Array, b: Array) -> Array:
    turn = np.abs(_phi(a) - _phi(b))
    return np.minimum(turn, 2 * np.pi - turn)


def _deta(a: Array, b: Array) -> Array:
    return np.abs(_eta(a) - _eta(b))


def _dy(a: Array, b: Array) -> Array:
    return np.abs(_rapidity(a) - _rapidity(b))


def _eta_product(a: Array, b: Array) -> Array:
    return _eta(a) * _eta(b)


def _dr(a: Array, b: Array) -> Array:
    return np.hypot(_rapidity(a) - _rapidity(b), _dphi(a, b))


def _energy_in_rest_frame(k: Array, system: Array) -> Array:
    """k.P / sqrt(P^2)."""
    product = k * system
    return np.asarray((product[..., 0] - product[..., 1:].sum(axis=-1)) / _mass(system))


_OF_SYSTEM: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "pt": _pt,
        "eta": _eta,
        "rapidity": _rapidity,
        "phi": _phi,
        "energy": _energy,
        "mass": _mass,
        "pt_sum": _pt,
        "sqrt_s": _mass,
    }
)
_OF_PAIR: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {"dr": _dr, "deta": _deta, "dy": _dy, "dphi": _dphi, "eta_product": _eta_product}
)
"""Functions of momenta in GeV, float64 (..., 4): of the sum of a set, of the two of a pair."""

_TOGETHER: Mapping[str, str] = MappingProxyType({"system_mass": "mass", "system_pt": "pt"})
"""Observables of all particles that a name means -> those of the summed momentum."""

_WITHOUT_UNIT = ("eta", "rapidity", "phi", *_OF_PAIR)


@dataclass(frozen=True)
class Observable:
    """Observable: one value per event, or one for every set of particles that it means.

    Of one particle, or of the summed momentum of several: "pt", "eta" and "rapidity" with their
    signs, "phi" (-pi to pi), "energy"; of two or more "mass" and "pt_sum", which is another name of
    "pt"; "partonic_energy" (energy in the rest frame of the collision); of a pair "dr"
    (sqrt(Delta y^2 + Delta phi^2)), "deta", "dy", "dphi" (0 to pi) and "eta_product"; of several
    "ht" (sum of the transverse momenta); of a class "ht", "sfos_mass" (mass of each pair of one
    flavour and opposite charges), "system_mass" and "system_pt" (of the summed momentum of all of
    the class); of the event "ht", "missing_pt" (transverse momentum of all neutrinos), "sqrt_s"
    (mass of the whole final state), "rapidity(event)" and "energy(event)". GeV or dimensionless.

    A name without a rank means each of its particles: there is a value for every set of different
    particles.

    Attributes:
        kind: "pt", "mass", ...
        particles: names as the text has them.
        names: their meaning; none for the whole event.
        invisible: PDG codes of neutrinos.
    """

    kind: str
    particles: tuple[str, ...]
    names: tuple[ParticleName, ...]
    invisible: frozenset[int]

    @classmethod
    def parse(cls, text: str, model: Model) -> Observable:
        """Read an observable.

        Raises:
            InputError: it, or a particle, is unknown, or it takes other particles.
        """
        try:
            kind, particles = read_observable(text)
        except ValueError as error:
            raise InputError(str(error)) from None
        parts = () if particles == (EVENT,) else particles
        try:
            names = tuple(ParticleName.parse(part, model) for part in parts)
        except InputError as error:
            raise InputError(f"{text}: {error}") from None
        return cls(kind, particles, names, codes_of("missing", model))

    def __str__(self) -> str:
        if self.names or self.kind not in ("ht", "sqrt_s", "missing_pt"):
            return f"{self.kind}({','.join(self.particles)})"
        return self.kind

    @property
    def unit(self) -> str:
        """GeV, or nothing."""
        return "" if self.kind in _WITHOUT_UNIT else "GeV"

    @property
    def symbol(self) -> str:
        """As it is set in print, in mathtext: "$p_{T}(j_{1})$"."""
        return typeset_label(self.kind, self.particles)

    @property
    def label(self) -> str:
        """For the axis of a picture."""
        return f"{self.symbol} [{self.unit}]" if self.unit else self.symbol

    @property
    def classes(self) -> tuple[frozenset[int], ...]:
        """Sets of PDG codes that its values depend on."""
        if self.kind == "missing_pt":
            return (self.invisible,)
        if self.kind == "sfos_mass":
            return tuple(frozenset({code}) for name in self.names for code in sorted(name.codes))
        return tuple(name.codes for name in self.names)

    def measurable(self, finals: Iterable[Sequence[int]]) -> bool:
        """Whether one of `finals`, each given by its PDG codes, has the particles."""
        numbers = Counter(self.names)

        def has_them(final: Sequence[int]) -> bool:
            each = all(
                name.count(final) >= (1 if name.rank else number)
                for name, number in numbers.items()
            )
            together = sum(any(pdg in name.codes for name in numbers) for pdg in final)
            return each and together >= len(self.names)

        return any(map(has_them, finals))

    def values(self, final: FinalState) -> Array:
        """Its values in each event.

        Args:
            final: n events.

        Returns:
            GeV or dimensionless, float64, shape (n, m); NaN where an event has fewer than m.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._values(final)

    def _values(self, final: FinalState) -> Array:
        match self.kind:
            case "ht" if len(self.particles) == 1:
                return np.asarray(np.where(self._members(final), final.pt, 0.0).sum(1))[:, None]
            case "system_mass" | "system_pt":
                system = np.einsum("npk,np->nk", final.momenta, self._members(final))
                return _OF_SYSTEM[_TOGETHER[self.kind]](system)[:, None]
            case "missing_pt":
                missing = final.outgoing & np.isin(final.pdg, list(self.invisible))
                return _pt(np.einsum("npk,np->nk", final.momenta, missing))[:, None]
            case "sfos_mass":
                sets = sets_of((*self.names, *self.names), final)
                pdg = np.take_along_axis(final.pdg[:, None, :], sets, axis=2)
                opposite = (sets[..., 0] != ABSENT) & (pdg[..., 0] == -pdg[..., 1])
                return np.where(opposite, _mass(final.summed(sets)), np.nan)
        if not self.names:
            return _OF_SYSTEM[self.kind](final.total)[:, None]
        sets = sets_of(self.names, final)
        if self.kind in _OF_PAIR:
            a, b = final.summed(sets[..., :1]), final.summed(sets[..., 1:])
            values = _OF_PAIR[self.kind](a, b)
        elif self.kind == "ht":
            columns = np.moveaxis(sets, 2, 0)
            values = np.sum([_pt(final.summed(column[..., None])) for column in columns], axis=0)
        elif self.kind == "partonic_energy":
            values = _energy_in_rest_frame(final.summed(sets), final.total[:, None])
        else:
            values = _OF_SYSTEM[self.kind](final.summed(sets))
        return np.where(sets[..., 0] == ABSENT, np.nan, values)

    def _members(self, final: FinalState) -> NDArray[np.bool_]:
        """Which particles its only name means; all of them without one."""
        members = final.outgoing
        for name in self.names:
            members = members & np.isin(final.pdg, list(name.codes))
        return members


def usual_observables(finals: Sequence[Sequence[int]], model: Model) -> list[Observable]:
    """Observables of histograms where a card names none.

    They are p_T and eta or y of the particles, masses and distances of pairs, and the whole event.

    Jets are ranked by their transverse momenta, and so are particles of which there are several,
    and leptons, photons and bottom quarks whose flavours vary.

    Args:
        finals: PDG codes of all final states that there may be.
        model: knows the particles.
    """
    names = _PreciseNames(finals, model)
    texts = [
        text for name in names.objects() for text in (f"pt({name})", f"{names.angle(name)}({name})")
    ]
    for a, b in combinations(names.objects(), 2):
        texts += [f"mass({a},{b})", f"dr({a},{b})", f"deta({a},{b})"]
    texts += ["ht", "sqrt_s", f"rapidity({EVENT})", *(["missing_pt"] if names.invisible else [])]
    return [Observable.parse(text, model) for text in texts]


class _PreciseNames:
    """Names of the particles of some final states, as precise as all of them allow."""

    def __init__(self, finals: Sequence[Sequence[int]], model: Model) -> None:
        self._model = model
        self._known = {sign * particle.pdg for particle in model.particles for sign in (1, -1)}
        self._finals = finals
        self._codes = {name: codes_of(name, model) for name in CLASSES}
        families = dict.fromkeys(self._family(pdg) for final in finals for pdg in final)
        self.invisible = "missing" in families
        self._families = sorted(families.keys() - {"missing"}, key=[*families, "jet"].index)
        self._families.sort(key=lambda name: name == "jet")

    def objects(self) -> Iterator[str]:
        """Every particle, ranked where there may be several of one name."""
        for family in self._families:
            name = ParticleName.parse(family, self._model)
            most = max(name.count(final) for final in self._finals)
            for rank in range(1, most + 1):
                yield f"{family}[{rank}]" if most > 1 or family in CLASSES else family

    def angle(self, name: str) -> str:
        """Rapidity for particles with a mass, else pseudorapidity."""
        codes = ParticleName.parse(name.partition("[")[0], self._model).codes & self._known
        light = name.partition("[")[0] in CLASSES or not any(map(self._model.mass, codes))
        return "eta" if light else "rapidity"

    def _family(self, pdg: int) -> str:
        """The class of a particle whose flavour varies, or of a jet; else its own name."""
        if pdg not in self._known:
            return str(pdg)
        if pdg in self._codes["jet"] | self._codes["missing"]:
            return "jet" if pdg in self._codes["jet"] else "missing"
        family = next((name for name in CLASSES if pdg in self._codes[name]), "")
        codes = self._codes.get(family, frozenset())
        varies = len({codes.intersection(final) for final in self._finals}) > 1
        return family if varies else self._model.particle_name(pdg)
