"""Models: particles, parameters in SLHA terms, and the couplings that follow from them.

The parameters and their defaults are those of MadGraph's `sm`; the electroweak input is (M_Z, alpha, G_F).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from madnis_py.card import Card, closest
from madnis_py.physics.slha import Slha, read_slha


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

    def accepts(self, value: float) -> bool:
        """Masses and widths are not negative, the couplings that are divided by are positive."""
        return value > 0 if self.block == "SMINPUTS" else value >= 0 or self.block not in ("MASS", "DECAY")


@dataclass(frozen=True)
class Particle:
    """A particle and its antiparticle.

    Attributes:
        name: MadGraph name, e.g. "e-".
        antiname: name of the antiparticle; equal to the name for its own.
        pdg: PDG code of the particle, that of the antiparticle is the negative.
        spin: 2 s + 1.
        colour: dimension of the SU(3) representation, 1, 3 or 8.
        charge: electric charge in units of the positron's.
        isospin: third component of the weak isospin of the left-handed field.
        mass: name of the mass parameter, "" if massless.
        width: name of the width parameter, "" if stable.
        group: the class that cuts call it by: "jet", "bottom", "lepton", "photon", "missing" or "".
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


_SM_PARAMETERS = (
    Parameter("aEWM1", "SMINPUTS", 1, 132.507, "1 / alpha at M_Z"),
    Parameter("Gf", "SMINPUTS", 2, 1.16639e-5, "Fermi constant in GeV^-2"),
    Parameter("aS", "SMINPUTS", 3, 0.118, "alpha_s at M_Z"),
    Parameter("MZ", "MASS", 23, 91.188, "mass of the Z"),
    Parameter("MT", "MASS", 6, 173.0, "mass of the top quark"),
    Parameter("MB", "MASS", 5, 4.7, "mass of the bottom quark"),
    Parameter("MTA", "MASS", 15, 1.777, "mass of the tau"),
    Parameter("MH", "MASS", 25, 125.0, "mass of the Higgs boson"),
    Parameter("ymt", "YUKAWA", 6, 173.0, "top mass in the Yukawa coupling"),
    Parameter("ymb", "YUKAWA", 5, 4.7, "bottom mass in the Yukawa coupling"),
    Parameter("ymtau", "YUKAWA", 15, 1.777, "tau mass in the Yukawa coupling"),
    Parameter("WT", "DECAY", 6, 1.4915, "width of the top quark"),
    Parameter("WZ", "DECAY", 23, 2.441404, "width of the Z"),
    Parameter("WW", "DECAY", 24, 2.0476, "width of the W"),
    Parameter("WH", "DECAY", 25, 0.006382339, "width of the Higgs boson"),
)

_ZPRIME_PARAMETERS = (
    Parameter("MZP", "MASS", 32, 400.0, "mass of the Z'"),
    Parameter("WZP", "DECAY", 32, 0.5, "width of the Z'"),
    Parameter("kZPq", "ZPRIME", 1, 1.0, "couplings of the Z' to quarks in units of those of the Z"),
    Parameter("kZPl", "ZPRIME", 2, 1.0, "couplings of the Z' to leptons in units of those of the Z"),
)

_SM_PARTICLES = (
    Particle("d", "d~", 1, 2, 3, -1 / 3, -0.5, group="jet"),
    Particle("u", "u~", 2, 2, 3, 2 / 3, 0.5, group="jet"),
    Particle("s", "s~", 3, 2, 3, -1 / 3, -0.5, group="jet"),
    Particle("c", "c~", 4, 2, 3, 2 / 3, 0.5, group="jet"),
    Particle("b", "b~", 5, 2, 3, -1 / 3, -0.5, mass="MB", group="bottom"),
    Particle("t", "t~", 6, 2, 3, 2 / 3, 0.5, mass="MT", width="WT"),
    Particle("e-", "e+", 11, 2, 1, -1.0, -0.5, group="lepton"),
    Particle("ve", "ve~", 12, 2, 1, 0.0, 0.5, group="missing"),
    Particle("mu-", "mu+", 13, 2, 1, -1.0, -0.5, group="lepton"),
    Particle("vm", "vm~", 14, 2, 1, 0.0, 0.5, group="missing"),
    Particle("ta-", "ta+", 15, 2, 1, -1.0, -0.5, mass="MTA", group="lepton"),
    Particle("vt", "vt~", 16, 2, 1, 0.0, 0.5, group="missing"),
    Particle("g", "g", 21, 3, 8, 0.0, group="jet"),
    Particle("a", "a", 22, 3, 1, 0.0, group="photon"),
    Particle("z", "z", 23, 3, 1, 0.0, mass="MZ", width="WZ"),
    Particle("w+", "w-", 24, 3, 1, 1.0, 1.0, mass="MW", width="WW"),
    Particle("h", "h", 25, 1, 1, 0.0, mass="MH", width="WH"),
)

_ZPRIME_PARTICLES = (Particle("zp", "zp", 32, 3, 1, 0.0, mass="MZP", width="WZP"),)

_PARTS = {
    "sm": (_SM_PARAMETERS, _SM_PARTICLES),
    "sm_zprime": (_SM_PARAMETERS + _ZPRIME_PARAMETERS, _SM_PARTICLES + _ZPRIME_PARTICLES),
}

_QUARKS = ("d", "u", "s", "c")
MULTIPARTICLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "p": ("g", *_QUARKS, *(f"{quark}~" for quark in _QUARKS)),
        "j": ("g", *_QUARKS, *(f"{quark}~" for quark in _QUARKS)),
        "l+": ("e+", "mu+"),
        "l-": ("e-", "mu-"),
    }
)
"""Labels that stand for several particles, as MadGraph defines them."""


class Model:
    """Parameters with values, particles, and the couplings that follow.

    Args:
        name: "sm" or "sm_zprime".
        values: external parameters that differ from the defaults.

    Raises:
        KeyError: a parameter that the model does not have.
        ValueError: a value that no such model can have; says which.
    """

    def __init__(self, name: str, values: Mapping[str, float] = MappingProxyType({})) -> None:
        parameters, particles = _PARTS[name]
        self.name = name
        self.parameters = {parameter.name: parameter for parameter in parameters}
        self.particles = particles
        self.values = {parameter.name: parameter.default for parameter in parameters}
        for key, value in values.items():
            self._set(self.parameters[key], value)
        if self.values["MZ"] <= 0 or not 0 <= self._discriminant < math.inf:
            raise ValueError("expected MZ, aEWM1 and Gf that give a real mass of the W; got none")

    def _set(self, parameter: Parameter, value: float) -> None:
        if not parameter.accepts(value):
            kind = "> 0" if parameter.block == "SMINPUTS" else ">= 0"
            raise ValueError(f"expected {parameter.name} {kind} ({parameter.meaning}); got {value:g}")
        self.values[parameter.name] = value

    @classmethod
    def from_card(cls, card: Card) -> Model:
        """The model of a card: defaults, then its param_card, then its own parameters.

        Raises:
            CardError: an unknown parameter, an unreadable param_card, or values that no model can have.
        """
        name, table = card.process.model, card.parameters
        known = {parameter.name: parameter for parameter in _PARTS[name][0]}
        for key in table.overrides:
            if key not in known:
                raise card.error(f"parameters.{key}", f"unknown parameter of model {name}{closest(key, known)}")
        try:
            slha = read_slha(Path(table.param_card)) if table.param_card else Slha()
            from_file = {key: slha.value(parameter.block, parameter.code) for key, parameter in known.items()}
            given = {key: value for key, value in from_file.items() if value is not None}
            model = cls(name, given | table.overrides)
            model._check_fixed_masses(slha)
        except ValueError as error:
            raise card.error("parameters", str(error)) from None
        return model

    def _check_fixed_masses(self, slha: Slha) -> None:
        """A param_card may repeat masses that are no parameters here, but not contradict them."""
        for particle in self.particles:
            given = slha.value("MASS", particle.pdg)
            if given is None or particle.mass in self.values:
                continue
            if not math.isclose(given, self.mass(particle.pdg), rel_tol=1e-3, abs_tol=1e-9):
                expected = self.mass(particle.pdg)
                raise ValueError(f"expected a param_card with mass {expected:g} of {particle.name}; got {given:g}")

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

    def particle(self, pdg: int) -> Particle:
        """The particle with this PDG code, or whose antiparticle has it."""
        return next(particle for particle in self.particles if particle.pdg == abs(pdg))

    def particle_name(self, pdg: int) -> str:
        """MadGraph's name of a particle or antiparticle."""
        particle = self.particle(pdg)
        return particle.name if pdg > 0 else particle.antiname

    def mass(self, pdg: int) -> float:
        """Mass in GeV."""
        parameter = self.particle(pdg).mass
        return self[parameter] if parameter else 0.0

    def width(self, pdg: int) -> float:
        """Total width in GeV."""
        parameter = self.particle(pdg).width
        return self[parameter] if parameter else 0.0

    def couplings(self, vector: str, fermion: int) -> tuple[float, float]:
        """Couplings of a neutral vector boson to a fermion.

        The vertex is i gamma^mu (g_L P_L + g_R P_R), e included. Photon: g_L = g_R = e Q. Z: g_L = e (T_3 - Q sin^2) /
        (sin cos), g_R = -e Q sin / cos. Z': those of the Z times kZPq for quarks, kZPl for leptons.

        Args:
            vector: "a", "z" or "zp".
            fermion: PDG code.

        Returns:
            (g_L, g_R).
        """
        particle = self.particle(fermion)
        if vector == "a":
            return self.e * particle.charge, self.e * particle.charge
        scale = self.e / math.sqrt(self.sin2w * (1 - self.sin2w))
        if vector == "zp":
            scale *= self["kZPq"] if particle.colour == 3 else self["kZPl"]
        vectorial = -particle.charge * self.sin2w
        return scale * (particle.isospin + vectorial), scale * vectorial
