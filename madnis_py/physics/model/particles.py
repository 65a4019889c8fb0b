"""Particles, parameters and vertices of a model: the types whose rows `builtin_models` lists.

A particle of spin 0 to 2 with any Lorentz structure and the colours of `VertexTerm` is rows alone;
docs/amplitudes.md, "A new particle", says what else needs code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """An external parameter: where SLHA keeps it and what it is by default.

    Attributes:
        name: as in MadGraph, e.g. "MZ".
        block: SLHA block, "DECAY" for widths.
        code: entry of the block; the PDG code for masses and widths.
        default: in GeV where it has a dimension (Gf: GeV^-2).
        meaning: a phrase for lists.
    """

    name: str
    block: str
    code: int
    default: float
    meaning: str

    def check(self, value: float) -> None:
        """Refuse negative masses and widths, and inputs that are divided by unless positive.

        Raises:
            ValueError: names the parameter.
        """
        positive, non_negative = self.block == "SMINPUTS", self.block in ("MASS", "DECAY")
        if (positive and not value > 0) or (non_negative and not value >= 0):
            kind = "> 0" if positive else ">= 0"
            raise ValueError(f"expected {self.name} {kind} ({self.meaning}); got {value:g}")


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
        mass: name of the mass parameter, "" if massless.
        width: name of the width parameter, "" if stable.
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
    """

    colour: str
    lorentz: str
    couplings: tuple[str, ...]


@dataclass(frozen=True)
class Vertex:
    """An interaction of three to six particles.

    Attributes:
        particles: names of the incoming particles; fermions first, as (field psi-bar, field psi),
            so that ("u~", "d", "w+") is u-bar gamma^mu d W^+_mu; then vectors, spin 2, scalars.
        terms: of the vertex, to be added.
        orders: powers of the strong and the electroweak coupling (QCD, QED).
    """

    particles: tuple[str, ...]
    terms: tuple[VertexTerm, ...]
    orders: tuple[int, int]

    @property
    def couplings(self) -> tuple[str, ...]:
        """Expressions of the couplings of all terms."""
        return tuple(text for term in self.terms for text in term.couplings)


@dataclass(frozen=True)
class ModelTables:
    """The content of a model, independent of the values of its parameters.

    Attributes:
        parameters: external parameters.
        particles: one row for particle and antiparticle.
        vertices: every vertex that some values of the parameters allow.
    """

    parameters: tuple[Parameter, ...]
    particles: tuple[Particle, ...]
    vertices: tuple[Vertex, ...]
