"""Model with values of its parameters: masses, widths, couplings and the vertices that are left.

What particles and vertices there are at all is in tables: those of `builtin_models`, or those of a
UFO folder. Parameters have the names and defaults of the tables, and places in SLHA files.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from madnis_py.physics.lorentz.kernel_terms import structure_tensors
from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.complex_masses import SWITCH, with_complex_masses
from madnis_py.physics.model.expressions import (
    REAL_MASSES,
    ExpressionError,
    Names,
    Number,
    names_in,
    value_of,
)
from madnis_py.physics.model.particles import (
    CouplingOrder,
    Derived,
    ModelTables,
    Particle,
    Vertex,
)

_UNIT_COUPLING = 1 / (4 * math.pi)
"""alpha_s at g_s = 1."""

_IMAGINARY = 1e-10
"""Share of a real number that rounding may leave as its imaginary part."""

_GLUON, _PHOTON, _ELECTRON = 21, 22, 11

_LIGHT_QUARKS = (1, 2, 3, 4, 5)
"""Quarks that protons and jets may hold."""

_LEPTON_CLASSES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "l+": (-11, -13),
        "l-": (11, 13),
        "vl": (12, 14, 16),
        "vl~": (-12, -14, -16),
    }
)
"""Labels that stand for several leptons, as MadGraph defines them."""


class Model:
    """Parameters with values, particles, and the couplings that follow.

    Args:
        name: "sm", "sm_zprime" or "sm_cp", or for messages that of other tables.
        values: external parameters that differ from the defaults.
        tables: of a model that is not built in.
        complex_masses: whether unstable particles have complex masses, `mass` aside.

    Attributes:
        tables: particles, parameters and vertices.
        complex_masses: as given.
        filled_in: parameters that a param_card did not have, other than those that are zero by
            default.
        automatic: widths that are to be computed from the other parameters, and have their default
            until then.

    Raises:
        KeyError: a parameter that the model does not have.
        ValueError: a value that no such model can have; says which.
    """

    def __init__(
        self,
        name: str,
        values: Mapping[str, float] = MappingProxyType({}),
        tables: ModelTables | None = None,
        complex_masses: bool = False,
    ) -> None:
        self.tables = MODELS[name] if tables is None else tables
        self.name = name
        self.parameters = {parameter.name: parameter for parameter in self.tables.parameters}
        self.particles = self.tables.particles
        self.values = {parameter.name: parameter.default for parameter in self.tables.parameters}
        self.filled_in: tuple[str, ...] = ()
        self.automatic: tuple[str, ...] = ()
        self._couplings: dict[str, complex] = {}
        signed = _signed_masses(self.particles)
        for key, value in values.items():
            self.parameters[key].check(value, signed=key in signed)
            self.values[key] = value
        self.complex_masses = complex_masses
        self._names = self._in_couplings = self._with_derived()
        if complex_masses:
            self._in_couplings = with_complex_masses(self.tables, self._names)
        self._check_couplings()

    def _with_derived(self) -> Names:
        """External and derived parameters, at g_s = 1."""
        numbers: dict[str, Number] = {**self.values}
        if self.tables.strong:
            numbers[self.tables.strong] = _UNIT_COUPLING
        if self.complex_masses and SWITCH in numbers:
            numbers[SWITCH] = 1.0
        names = Names(numbers, self.tables.functions, trees=self.tables.trees)
        for parameter in self.tables.derived:
            numbers[parameter.name] = _derived_value(parameter, names)
        return names

    def _check_couplings(self) -> None:
        expressions = (text for vertex in self.tables.vertices for text in vertex.expressions)
        try:
            finite = all(cmath.isfinite(self.coupling(text)) for text in expressions)
        except (ArithmeticError, ValueError):
            finite = False
        if not finite:
            raise ValueError("expected parameters that give finite couplings; got none")

    def with_values(self, values: Mapping[str, float]) -> Model:
        """The same model with other values of some parameters, which are not `automatic` any more.

        Raises:
            ValueError: a value that no such model can have; says which.
        """
        other = Model(self.name, {**self.values, **values}, self.tables, self.complex_masses)
        other.filled_in = self.filled_in
        other.automatic = tuple(name for name in self.automatic if name not in values)
        return other

    def at_real_masses(self) -> Model:
        """The model without complex masses."""
        return Model(self.name, self.values, self.tables) if self.complex_masses else self

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
        """Value of an external parameter, or of a real one that follows; those are at g_s = 1.

        Masses are real, and so is what follows from them.
        """
        return self.values[name] if name in self.values else self._names.numbers[name].real

    def at(self, block: str, *code: int) -> float | None:
        """Value of the external parameter at a place of SLHA files; None if there is none."""
        parameter = self.tables.by_place.get((block, code))
        return None if parameter is None else self.values[parameter.name]

    @property
    def alpha_s(self) -> float:
        """The model's own value of alpha_s, at M_Z; 0 where it has none."""
        return self.values[self.tables.strong] if self.tables.strong else 0.0

    @cached_property
    def alpha_qed(self) -> float:
        """Electromagnetic fine-structure constant, 0 in a model without photons.

        It is the input aEWM1, or else follows from the coupling of photon and electron.
        """
        if "aEWM1" in self.values:
            return 1 / self.values["aEWM1"]
        if not (self.has(_PHOTON) and self.has(_ELECTRON)):
            return 0.0
        left, _ = self.couplings(self.particle_name(_PHOTON), _ELECTRON)
        return left**2 / (4 * math.pi)

    @property
    def orders(self) -> tuple[CouplingOrder, ...]:
        """Coupling orders."""
        return self.tables.orders

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
        light = [pdg for pdg in _LIGHT_QUARKS if pdg in self._rows and self.mass(pdg) == 0]
        partons = [pdg for pdg in (_GLUON, *light, *(-pdg for pdg in light)) if self.has(pdg)]
        codes = {"p": partons, "j": partons, **_LEPTON_CLASSES}
        named = {
            label: tuple(self.particle_name(pdg) for pdg in members if self.has(pdg))
            for label, members in codes.items()
        }
        return {label: names for label, names in named.items() if names}

    def has(self, pdg: int) -> bool:
        """Whether there is a particle with this PDG code."""
        return abs(pdg) in self._rows

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
        """Real mass in GeV, also where the parameter is negative."""
        parameter = self.particle(pdg).mass
        return abs(self[parameter]) if parameter else 0.0

    def has_negative_mass(self, pdg: int) -> bool:
        """Whether the parameter is minus the mass, as it may be for Majorana fermions."""
        parameter = self.particle(pdg).mass
        return bool(parameter) and self[parameter] < 0

    def has_complex_mass(self, pdg: int) -> bool:
        """Whether amplitudes have a complex mass in place of mass and width."""
        return self.complex_masses and self.mass(pdg) != 0 and self.width(pdg) != 0

    def real_mass(self, pdg: int) -> str:
        """Expression of the parameter that is the mass or minus the mass, not complex; or ""."""
        name = self.particle(pdg).mass
        return f"{REAL_MASSES}({name})" if self.has_complex_mass(pdg) else name

    def width(self, pdg: int) -> float:
        """Total width in GeV."""
        parameter = self.particle(pdg).width
        return self[parameter] if parameter else 0.0

    def is_left_handed(self, pdg: int) -> bool:
        """Whether a fermion has one helicity alone, as neutrinos.

        It has no mass, and all of its vertices take its left-handed field.
        """
        row = self.particle(pdg)
        if row.spin != 2 or self.mass(pdg) != 0:
            return False
        own = {row.name, row.antiname}
        vertices = [vertex for vertex in self.vertices if own & {*vertex.particles}]
        return not any(vertex.lacking for vertex in vertices) and all(
            self._takes_left_handed(vertex, row) for vertex in vertices
        )

    def _takes_left_handed(self, vertex: Vertex, row: Particle) -> bool:
        """Whether all structures of a vertex have the components of a left-handed field."""
        spins = tuple(self.particle(self.pdg_of[name]).spin for name in vertex.particles)
        components = {row.name: {0, 1}, row.antiname: {2, 3}}  # of psi, and of psi-bar
        return all(
            {entry[slot] for entry, _ in tensor} <= components[name]
            for term in vertex.terms
            for tensor, text in zip(
                structure_tensors(term.lorentz, spins), term.couplings, strict=True
            )
            if self.coupling(text) != 0
            for slot, name in enumerate(vertex.particles)
            if name in components
        )

    def coupling(self, expression: str) -> complex:
        """Value of the expression of a coupling, at g_s = 1, with complex masses if there are.

        Args:
            expression: in the names of the parameters of the model, external or derived.

        Raises:
            ExpressionError: it contains something else.
        """
        if expression not in self._couplings:
            self._couplings[expression] = complex(value_of(expression, self._in_couplings))
        return self._couplings[expression]

    @cached_property
    def vertices(self) -> tuple[Vertex, ...]:
        """The vertices with a coupling that is not zero, in the order of the tables."""
        return tuple(
            vertex
            for vertex in self.tables.vertices
            if any(self.coupling(text) != 0 for text in vertex.couplings)
        )

    def couplings(self, vector: str, fermion: int) -> tuple[float, float]:
        """Couplings of a neutral vector boson to a fermion.

        The vertex is i gamma^mu (g_L P_L + g_R P_R), e included, all masses are real.

        Args:
            vector: name of the boson.
            fermion: PDG code of the particle or of its antiparticle; the couplings are those of the
                particle.

        Returns:
            (g_L, g_R); zeros where they do not couple.
        """
        particle = self.particle(fermion)
        legs = (particle.antiname, particle.name, vector)
        term = next((one.terms[0] for one in self.vertices if one.particles == legs), None)
        left, right = term.couplings if term else ("0", "0")
        g_left, g_right = (value_of(text, self._names).real for text in (left, right))
        return float(g_left), float(g_right)


def _signed_masses(particles: Iterable[Particle]) -> frozenset[str]:
    """Names of masses that may be negative: those of Majorana fermions."""
    return frozenset(row.mass for row in particles if row.spin == 2 and row.name == row.antiname)


def _derived_value(parameter: Derived, names: Names) -> Number:
    """Value of a derived parameter, a float if it has to be real.

    Raises:
        ValueError: it has none, or is complex; names it.
    """
    try:
        value = value_of(parameter.expression, names)
    except (ArithmeticError, ValueError):
        value = math.nan
    except ExpressionError as error:
        raise ValueError(f"{parameter.name}: {error}") from None
    finite = cmath.isfinite(value)
    if finite and not parameter.is_real:
        return complex(value)
    if finite and abs(value.imag) <= _IMAGINARY * abs(value):
        return float(value.real)
    if not finite and not parameter.meaning:
        raise ValueError("expected parameters that give finite couplings; got none")
    needed = _needed(parameter, names)
    if parameter.meaning:
        raise ValueError(f"expected {needed} that give a real {parameter.meaning}; got none")
    raise ValueError(f"expected {needed} that give a real {parameter.name}; got {complex(value):g}")


def _needed(parameter: Derived, names: Names) -> str:
    """The parameters that another one follows from, "aEWM1, Gf and MZ"."""
    inside = names_in(parameter.expression)
    *others, last = [name for name in names.numbers if name in inside] or ["parameters"]
    return f"{', '.join(others)} and {last}" if others else last
