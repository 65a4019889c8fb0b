"""Model with values of its parameters: masses, widths, couplings and the vertices that are left.

The parameters and their defaults are those of MadGraph's `sm`, named as in SLHA files; the
electroweak input is (M_Z, alpha, G_F). What particles and vertices there are at all is in
`builtin_models`.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from madnis_py.card.card import Card
from madnis_py.card.sentences import closest
from madnis_py.physics.model.builtin_models import CKM, LEPTON_CLASSES, MODELS
from madnis_py.physics.model.particles import Particle, Vertex
from madnis_py.physics.model.slha import DECAY, Slha, read_slha


def _conj(number: complex) -> complex:
    return complex(number).conjugate()


class Model:
    """Parameters with values, particles, and the couplings that follow.

    Args:
        name: "sm" or "sm_zprime".
        values: external parameters that differ from the defaults.

    Attributes:
        filled_in: parameters that a param_card did not have, other than those that are zero by
            default.
        automatic: widths that are to be computed from the other parameters, and have their default
            until then.

    Raises:
        KeyError: a parameter that the model does not have.
        ValueError: a value that no such model can have; says which.
    """

    def __init__(self, name: str, values: Mapping[str, float] = MappingProxyType({})) -> None:
        self._tables = MODELS[name]
        self.name = name
        self.parameters = {parameter.name: parameter for parameter in self._tables.parameters}
        self.particles = self._tables.particles
        self.values = {parameter.name: parameter.default for parameter in self._tables.parameters}
        self.filled_in: tuple[str, ...] = ()
        self.automatic: tuple[str, ...] = ()
        self._couplings: dict[str, complex] = {}
        for key, value in values.items():
            self.parameters[key].check(value)
            self.values[key] = value
        if self.values["MZ"] <= 0 or not 0 <= self._discriminant < math.inf:
            raise ValueError("expected MZ, aEWM1 and Gf that give a real mass of the W; got none")
        expressions = (text for vertex in self._tables.vertices for text in vertex.couplings)
        try:
            finite = all(cmath.isfinite(self.coupling(text)) for text in expressions)
        except ArithmeticError:
            finite = False
        if not finite:
            raise ValueError("expected parameters that give finite couplings; got none")

    @classmethod
    def from_card(cls, card: Card) -> Model:
        """The model of a card: defaults, then its param_card, then its own parameters.

        Raises:
            CardError: an unknown parameter, an unreadable param_card, or values that no model can
                have.
        """
        name, table = card.process.model, card.parameters
        overrides = table.overrides
        known = {parameter.name: parameter for parameter in MODELS[name].parameters}
        for key in (*overrides, *table.automatic):
            if key not in known:
                raise card.error(
                    f"parameters.{key}", f"unknown parameter of model {name}{closest(key, known)}"
                )
            if key in table.automatic and known[key].block != DECAY:
                raise card.error(f"parameters.{key}", 'expected a number; got "auto"')
        try:
            slha = read_slha(Path(table.param_card)) if table.param_card else Slha()
            from_file = {
                key: slha.value(parameter.block, parameter.code)
                for key, parameter in known.items()
                if key not in overrides or not slha.scan(parameter.block, parameter.code)
            }
            given = {key: value for key, value in from_file.items() if value is not None}
            model = cls(name, given | overrides)
            model._check_fixed_masses(slha)
            by_file = (
                key
                for key, one in known.items()
                if one.block == DECAY and slha.is_automatic(one.code) and key not in overrides
            )
            model.automatic = tuple(dict.fromkeys((*table.automatic, *by_file)))
            if table.param_card:
                lacking = (
                    key
                    for key, one in known.items()
                    if one.default and key not in {*given, *overrides, *model.automatic}
                )
                model.filled_in = tuple(lacking)
            else:
                model.filled_in = table.filled_in or ()
        except ValueError as error:
            raise card.error("parameters", str(error)) from None
        return model

    def with_values(self, values: Mapping[str, float]) -> Model:
        """The same model with other values of some parameters, which are not `automatic` any more.

        Raises:
            ValueError: a value that no such model can have; says which.
        """
        other = Model(self.name, {**self.values, **values})
        other.filled_in = self.filled_in
        other.automatic = tuple(name for name in self.automatic if name not in values)
        return other

    def _check_fixed_masses(self, slha: Slha) -> None:
        """Refuse a param_card whose mass of a particle contradicts a mass that is no parameter."""
        for particle in self.particles:
            if particle.mass in self.values:
                continue
            given = slha.value("MASS", particle.pdg)
            if given is not None and not math.isclose(
                given, self.mass(particle.pdg), rel_tol=1e-3, abs_tol=1e-9
            ):
                expected = self.mass(particle.pdg)
                raise ValueError(
                    f"expected a param_card with mass {expected:g} of {particle.name}; "
                    f"got {given:g}"
                )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences to print beside numbers of this model."""
        if not self.filled_in:
            return ()
        values = ", ".join(f"{name} = {self[name]:g}" for name in self.filled_in)
        return (
            "parameters: the param_card does not have these, the model has filled them in: "
            f"{values}",
        )

    def __getitem__(self, name: str) -> float:
        """Value of an external parameter, or of MW, which follows from them."""
        return self.mw if name == "MW" else self.values[name]

    @property
    def _discriminant(self) -> float:
        mz2 = self["MZ"] * self["MZ"]
        return mz2 * mz2 / 4 - math.pi * mz2 / (self["aEWM1"] * self["Gf"] * math.sqrt(2))

    @cached_property
    def mw(self) -> float:
        """Mass of the W in GeV from (M_Z, alpha, G_F) at tree level."""
        return math.sqrt(self["MZ"] ** 2 / 2 + math.sqrt(self._discriminant))

    @cached_property
    def sin2w(self) -> float:
        """sin^2 of the weak mixing angle on shell, 1 - M_W^2 / M_Z^2."""
        return 1 - self.mw**2 / self["MZ"] ** 2

    @cached_property
    def e(self) -> float:
        """Electromagnetic coupling sqrt(4 pi alpha)."""
        return math.sqrt(4 * math.pi / self["aEWM1"])

    @property
    def alpha_qed(self) -> float:
        """Electromagnetic fine-structure constant."""
        return 1 / self["aEWM1"]

    @cached_property
    def vev(self) -> float:
        """Vacuum expectation value of the Higgs field in GeV, 2 M_W sin(theta_W) / e."""
        return 2 * self.mw * math.sqrt(self.sin2w) / self.e

    @cached_property
    def pdg_of(self) -> dict[str, int]:
        """Name of a particle or antiparticle -> signed PDG code."""
        antiparticles = {particle.antiname: -particle.pdg for particle in self.particles}
        return antiparticles | {particle.name: particle.pdg for particle in self.particles}

    @cached_property
    def multiparticles(self) -> dict[str, tuple[str, ...]]:
        """Labels that stand for several particles -> their names.

        They are MadGraph's p, j, l+, l-, vl and vl~. Proton and jet hold the gluon and the quarks,
        other than the top, whose mass is zero for the values of this model.
        """
        quarks = [
            row for row in self.particles if row.spin == 2 and row.colour == 3 and row.name != "t"
        ]
        light = [quark for quark in quarks if self.mass(quark.pdg) == 0]
        partons = ("g", *(quark.name for quark in light), *(quark.antiname for quark in light))
        return {"p": partons, "j": partons, **LEPTON_CLASSES}

    @cached_property
    def _rows(self) -> dict[int, Particle]:
        return {particle.pdg: particle for particle in self.particles}

    def particle(self, pdg: int) -> Particle:
        """The particle with this PDG code, or whose antiparticle has it."""
        return self._rows[abs(pdg)]

    def anti(self, pdg: int) -> int:
        """PDG code of the antiparticle: 24 -> -24, 21 -> 21."""
        particle = self.particle(pdg)
        return pdg if particle.name == particle.antiname else -pdg

    def charge(self, pdg: int) -> float:
        """Electric charge of a particle or antiparticle in units of the positron's."""
        return math.copysign(1, pdg) * self.particle(pdg).charge

    def particle_name(self, pdg: int) -> str:
        """MadGraph's name of a particle or antiparticle."""
        particle = self.particle(pdg)
        return particle.name if pdg > 0 else particle.antiname

    def reaction_name(self, legs: Sequence[int], n_incoming: int) -> str:
        """A process as text, "u u~ > e+ e-", from the PDG codes of its legs."""
        names = [self.particle_name(pdg) for pdg in legs]
        return " ".join([*names[:n_incoming], ">", *names[n_incoming:]])

    def mass(self, pdg: int) -> float:
        """Mass in GeV."""
        parameter = self.particle(pdg).mass
        return self[parameter] if parameter else 0.0

    def width(self, pdg: int) -> float:
        """Total width in GeV."""
        parameter = self.particle(pdg).width
        return self[parameter] if parameter else 0.0

    def is_left_handed(self, pdg: int) -> bool:
        """Whether a fermion has one helicity alone, as neutrinos.

        It has no mass, and all of its vertices are gamma^mu P_L.
        """
        row = self.particle(pdg)
        terms = (
            term
            for vertex in self.vertices
            if {row.name, row.antiname} & {*vertex.particles}
            for term in vertex.terms
        )
        left = all(
            term.lorentz == "FFV" and self.coupling(term.couplings[1]) == 0 for term in terms
        )
        return row.spin == 2 and self.mass(pdg) == 0 and left

    @cached_property
    def _names(self) -> dict[str, Any]:
        """Names that expressions of couplings may contain, with their values."""
        sin, cos = math.sqrt(self.sin2w), math.sqrt(1 - self.sin2w)
        derived = {
            "MW": self.mw,
            "ee": self.e,
            "sw2": self.sin2w,
            "sw": sin,
            "cw": cos,
            "gw": self.e / sin,
        }
        functions = {"conj": _conj, "sqrt": cmath.sqrt}
        names = {**self.values, **derived, "vev": self.vev, **functions, "__builtins__": {}}
        return names | {name: complex(eval(expression, names)) for name, expression in CKM.items()}

    def coupling(self, expression: str) -> complex:
        """Value of the expression of a coupling.

        Args:
            expression: Python, in the external parameters, in MW, vev (GeV), ee, gw = ee / sw, sw,
                cw and sw2 (sine and cosine of the weak mixing angle), in V11 ... V33 (CKM, up then
                down generation), conj and sqrt.

        Raises:
            NameError: it contains something else.
        """
        if expression not in self._couplings:
            self._couplings[expression] = complex(eval(expression, self._names))
        return self._couplings[expression]

    @cached_property
    def vertices(self) -> tuple[Vertex, ...]:
        """The vertices with a coupling that is not zero, in the order of the tables."""
        return tuple(
            vertex
            for vertex in self._tables.vertices
            if any(self.coupling(text) != 0 for text in vertex.couplings)
        )

    def couplings(self, vector: str, fermion: int) -> tuple[float, float]:
        """Couplings of a neutral vector boson to a fermion.

        The vertex is i gamma^mu (g_L P_L + g_R P_R), e included.

        Args:
            vector: "a", "z" or "zp".
            fermion: PDG code of the particle or of its antiparticle; the couplings are those of the
                particle.

        Returns:
            (g_L, g_R); zeros where they do not couple.
        """
        particle = self.particle(fermion)
        legs = (particle.antiname, particle.name, vector)
        term = next((one.terms[0] for one in self.vertices if one.particles == legs), None)
        left, right = term.couplings if term else ("0", "0")
        return self.coupling(left).real, self.coupling(right).real
