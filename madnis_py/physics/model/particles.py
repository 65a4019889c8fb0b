"""Particles, parameters and vertices of a model: the types whose rows `builtin_models` lists.

A particle of spin 0 to 2 with any Lorentz structure and the colours of `VertexTerm` is rows alone;
docs/amplitudes.md, "A new particle", says what else needs code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from madnis_py.physics.lorentz.form_factors import NO_FORM_FACTOR, FormFactor
from madnis_py.physics.model.expressions import Function, Tree

MASS, DECAY = "MASS", "DECAY"
"""SLHA blocks of masses and of total widths."""

ALPHA_S = ("SMINPUTS", (3,))
"""Where SLHA keeps alpha_s."""


@dataclass(frozen=True)
class Parameter:
    """An external parameter: where SLHA keeps it and what it is by default.

    Attributes:
        name: as in MadGraph, e.g. "MZ".
        block: SLHA block, "DECAY" for widths.
        code: entry of the block, one number or several for a matrix; the PDG code for masses and
            widths.
        default: in GeV where it has a dimension (Gf: GeV^-2).
        meaning: a phrase for lists.
    """

    name: str
    block: str
    code: tuple[int, ...]
    default: float
    meaning: str

    @property
    def place(self) -> tuple[str, tuple[int, ...]]:
        """Block and code, by which the same parameter is found in any model."""
        return self.block, self.code

    def check(self, value: float, signed: bool = False) -> None:
        """Refuse negative masses and widths, and inputs that are divided by unless positive.

        Args:
            value: for the parameter.
            signed: whether it is a mass that may be negative, as of a neutralino.

        Raises:
            ValueError: names the parameter.
        """
        positive = self.block == "SMINPUTS" and self.code in ((1,), (2,), (3,))
        non_negative = self.block == DECAY or (self.block == MASS and not signed)
        if (positive and not value > 0) or (non_negative and not value >= 0):
            kind = "> 0" if positive else ">= 0"
            raise ValueError(f"expected {self.name} {kind} ({self.meaning}); got {value:g}")


@dataclass(frozen=True)
class Derived:
    """A parameter that follows from others.

    Attributes:
        name: of the parameter.
        expression: in the names of external parameters and of earlier derived ones.
        is_real: whether an imaginary part would be a mistake.
        meaning: a phrase for messages.
    """

    name: str
    expression: str
    is_real: bool = True
    meaning: str = ""


@dataclass(frozen=True)
class FixedEntry:
    """An entry of a param_card that a restriction of the model has fixed.

    Attributes:
        block: of SLHA.
        code: of the entry.
        expression: what it has to be: a number, or another parameter perhaps with a sign.
    """

    block: str
    code: tuple[int, ...]
    expression: str


@dataclass(frozen=True)
class CouplingOrder:
    """A coupling order, what powers of couplings are counted by.

    Attributes:
        name: as in definitions, "QED".
        hierarchy: weight of a power in WEIGHTED.
        column: of `Vertex.orders`; column 0 is the power of g_s.
        expansion: highest power in an amplitude that the model is meant for; 0 and 99 are no limit,
            as in MadGraph.
    """

    name: str
    hierarchy: int
    column: int
    expansion: int = 99

    @property
    def is_limited(self) -> bool:
        """Whether there is a highest power."""
        return 0 < self.expansion < 99


@dataclass(frozen=True)
class CustomPropagator:
    """A propagator that is not that of a particle's spin and mass.

    Attributes:
        numerator: (structure of leg 1, what leaves, and leg 2, what enters with its momentum;
            coupling), i times the numerator, to be added.
        denominator: coefficients of 1, p^2, p^4, ..., expressions.
    """

    numerator: tuple[tuple[str, str], ...]
    denominator: tuple[str, ...]

    @property
    def expressions(self) -> tuple[str, ...]:
        """All couplings and coefficients."""
        return (*(coupling for _, coupling in self.numerator), *self.denominator)


@dataclass(frozen=True)
class Particle:
    """A particle and its antiparticle.

    Attributes:
        name: MadGraph name, e.g. "e-".
        antiname: name of the antiparticle; equal to the name for its own.
        pdg: PDG code of the particle, that of the antiparticle is the negative.
        spin: 2 s + 1.
        colour: SU(3) representation, 1, 3, 6 or 8; -3 or -6 for the conjugate ones.
        charge: electric charge in units of the positron's.
        isospin: third component of the weak isospin of the left-handed field.
        mass: name of the mass parameter, external or derived, "" if massless.
        width: name of the width parameter, external or derived, "" if stable.
        group: the class that cuts call it by: "jet", "bottom", "lepton", "photon", "missing" or "".
        yukawa: name of the parameter that is the mass in the coupling to the Higgs boson, "" for
            none.
        propagator: its propagator if that is not the usual one.
    """

    name: str
    antiname: str
    pdg: int
    spin: int
    colour: int
    charge: float
    isospin: float = 0.0
    mass: str = ""
    width: str = ""
    group: str = ""
    yukawa: str = ""
    propagator: CustomPropagator | None = None


@dataclass(frozen=True)
class VertexTerm:
    """A term of a vertex: colour factor, Lorentz structure and coupling, multiplied.

    Colour: a product in the syntax of UFO, see `physics/colour/colour_strings.py`: "1", and T, f,
    d, Identity, Epsilon, EpsilonBar, K6, K6Bar and T6 of places among the particles, counted from
    1, and of negative indices that are summed over. "T(3,1,2)" is T^a_ij of antiquark, quark and
    gluon, and f stands for -i f^abc.

    Lorentz, with g12 the metric that joins the indices of particles 1 and 2 and all momenta
    incoming:

        FFV    gamma^mu (L P_L + R P_R)                     FFS   L P_L + R P_R
        VVV    g12 (p1 - p2)_3 + g23 (p2 - p3)_1 + g31 (p3 - p1)_2
        VVVV1  g13 g24 - g14 g23                            VVVV2  g12 g34 - g14 g23
        VVVV3  g12 g34 - g13 g24                            VVVV4  2 g12 g34 - g13 g24 - g14 g23
        VVVV   a g12 g34 + b g13 g24 + c g14 g23            VSS   p2 - p3
        VVS, VVSS  g12                                      SSS, SSSS  1

    or any other structure as text, see `physics/lorentz/structures.py`.

    Attributes:
        colour: a product as above.
        lorentz: one of the names above, or a structure.
        couplings: Python expressions in the names of parameters, see `Model.coupling`, the strong
            coupling left out: (L, R) for FFV and FFS and (a, b, c) for VVVV with "0" for none, one
            expression for the others.
        form_factor: that multiplies a structure.
    """

    colour: str
    lorentz: str
    couplings: tuple[str, ...]
    form_factor: FormFactor = NO_FORM_FACTOR

    @property
    def expressions(self) -> tuple[str, ...]:
        """All couplings, and the constants of the form factor."""
        return self.couplings + self.form_factor.constants


@dataclass(frozen=True)
class Vertex:
    """An interaction of three to six particles.

    Attributes:
        particles: names of the incoming particles; fermions first, as (field psi-bar, field psi),
            so that ("u~", "d", "w+") is u-bar gamma^mu d W^+_mu; then vectors, spin 2, scalars.
        terms: of the vertex, to be added.
        orders: power of g_s, and in the other columns those of the model's coupling orders.
        lacking: what is not computed here, a phrase for messages; "" for most vertices.
    """

    particles: tuple[str, ...]
    terms: tuple[VertexTerm, ...]
    orders: tuple[int, ...]
    lacking: str = ""

    @property
    def couplings(self) -> tuple[str, ...]:
        """Expressions of the couplings of all terms."""
        return tuple(text for term in self.terms for text in term.couplings)

    @property
    def expressions(self) -> tuple[str, ...]:
        """Couplings, and the constants of form factors."""
        return tuple(text for term in self.terms for text in term.expressions)


QCD_AND_QED = (CouplingOrder("QCD", 1, 0), CouplingOrder("QED", 2, 1))
"""Orders of the Standard Model, where that of QCD is the power of g_s."""


_OF_FILES = ("digest", "trees")
"""Entries of `ModelTables` that say nothing new."""


@dataclass(frozen=True)
class ModelTables:
    """The content of a model, independent of the values of its parameters.

    Attributes:
        parameters: external parameters.
        particles: one row for particle and antiparticle.
        vertices: every vertex that some values of the parameters allow.
        derived: parameters that follow from them, in the order in which they can be computed.
        orders: coupling orders.
        functions: those that expressions of this model may use beside `FUNCTIONS`.
        fixed: entries of a param_card that are fixed.
        strong: name of the external parameter alpha_s, "" if there is none; couplings are those at
            g_s = 1.
        digest: of the files that a model was read from, "" for built-in ones.
        trees: text -> tree, of the expressions that a cache has kept.
    """

    parameters: tuple[Parameter, ...]
    particles: tuple[Particle, ...]
    vertices: tuple[Vertex, ...]
    derived: tuple[Derived, ...] = ()
    orders: tuple[CouplingOrder, ...] = QCD_AND_QED
    functions: Mapping[str, Function] = field(default_factory=dict)
    fixed: tuple[FixedEntry, ...] = ()
    strong: str = ""
    digest: str = ""
    trees: Mapping[str, Tree] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def content_digest(self) -> str:
        """SHA-256 of everything in the tables, that of the files left out."""
        content = {
            one.name: getattr(self, one.name) for one in fields(self) if one.name != "digest"
        }
        return hashlib.sha256(repr(content).encode()).hexdigest()

    @cached_property
    def by_place(self) -> dict[tuple[str, tuple[int, ...]], Parameter]:
        """External parameters by block and code."""
        return {parameter.place: parameter for parameter in self.parameters}
