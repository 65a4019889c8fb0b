"""Built-in models as tables: the Standard Model, "sm", and two that go beyond it.

"sm_zprime" has a Z' beside photon and Z, "sm_cp" a top quark that couples to the Higgs boson as

    L = -(ymt / vev) t-bar (a cos(alpha) + i b sin(alpha) gamma5) t h

The covariant derivative is D_mu = d_mu - i g T^a A^a_mu for every group (Peskin and Schroeder), the
gauge is unitary, and i times a vertex is its Feynman rule. A new particle is a row in these tables
and needs no code, see `particles` for what does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product
from types import MappingProxyType

from madnis_py.physics.model.particles import (
    Derived,
    ModelTables,
    Parameter,
    Particle,
    Vertex,
    VertexTerm,
)

_SM_PARAMETERS = (
    Parameter("aEWM1", "SMINPUTS", (1,), 132.507, "1 / alpha at M_Z"),
    Parameter("Gf", "SMINPUTS", (2,), 1.16639e-5, "Fermi constant in GeV^-2"),
    Parameter("aS", "SMINPUTS", (3,), 0.118, "alpha_s at M_Z"),
    Parameter("MZ", "MASS", (23,), 91.188, "mass of the Z"),
    Parameter("MT", "MASS", (6,), 173.0, "mass of the top quark"),
    Parameter("MB", "MASS", (5,), 4.7, "mass of the bottom quark"),
    Parameter("MC", "MASS", (4,), 0.0, "mass of the charm quark"),
    Parameter("MTA", "MASS", (15,), 1.777, "mass of the tau"),
    Parameter("MM", "MASS", (13,), 0.0, "mass of the muon"),
    Parameter("Me", "MASS", (11,), 0.0, "mass of the electron"),
    Parameter("MH", "MASS", (25,), 125.0, "mass of the Higgs boson"),
    Parameter("ymt", "YUKAWA", (6,), 173.0, "top mass in the Yukawa coupling"),
    Parameter("ymb", "YUKAWA", (5,), 4.7, "bottom mass in the Yukawa coupling"),
    Parameter("ymc", "YUKAWA", (4,), 0.0, "charm mass in the Yukawa coupling"),
    Parameter("ymtau", "YUKAWA", (15,), 1.777, "tau mass in the Yukawa coupling"),
    Parameter("ymm", "YUKAWA", (13,), 0.0, "muon mass in the Yukawa coupling"),
    Parameter("yme", "YUKAWA", (11,), 0.0, "electron mass in the Yukawa coupling"),
    Parameter("lamWS", "WOLFENSTEIN", (1,), 0.0, "lambda of the CKM matrix"),
    Parameter("AWS", "WOLFENSTEIN", (2,), 0.0, "A of the CKM matrix"),
    Parameter("rhoWS", "WOLFENSTEIN", (3,), 0.0, "rho of the CKM matrix"),
    Parameter("etaWS", "WOLFENSTEIN", (4,), 0.0, "eta of the CKM matrix"),
    Parameter("WT", "DECAY", (6,), 1.4915, "width of the top quark"),
    Parameter("WZ", "DECAY", (23,), 2.441404, "width of the Z"),
    Parameter("WW", "DECAY", (24,), 2.0476, "width of the W"),
    Parameter("WH", "DECAY", (25,), 0.006382339, "width of the Higgs boson"),
)

_ZPRIME_PARAMETERS = (
    Parameter("MZP", "MASS", (32,), 400.0, "mass of the Z'"),
    Parameter("WZP", "DECAY", (32,), 0.5, "width of the Z'"),
    Parameter(
        "kZPq", "ZPRIME", (1,), 1.0, "couplings of the Z' to quarks in units of those of the Z"
    ),
    Parameter(
        "kZPl", "ZPRIME", (2,), 1.0, "couplings of the Z' to leptons in units of those of the Z"
    ),
)

_CP_PARAMETERS = (
    Parameter("cpalpha", "CPYUKAWA", (1,), 0.0, "CP phase of the top Yukawa coupling in rad"),
    Parameter("cpa", "CPYUKAWA", (2,), 1.0, "strength of the CP-even top Yukawa coupling"),
    Parameter("cpb", "CPYUKAWA", (3,), 2 / 3, "strength of the CP-odd top Yukawa coupling"),
)

_CKM = (
    Derived("V11", "1 - lamWS**2/2", is_real=False),
    Derived("V12", "lamWS", is_real=False),
    Derived("V13", "AWS*lamWS**3*(rhoWS - 1j*etaWS)", is_real=False),
    Derived("V21", "-lamWS", is_real=False),
    Derived("V22", "1 - lamWS**2/2", is_real=False),
    Derived("V23", "AWS*lamWS**2", is_real=False),
    Derived("V31", "AWS*lamWS**3*(1 - rhoWS - 1j*etaWS)", is_real=False),
    Derived("V32", "-AWS*lamWS**2", is_real=False),
    Derived("V33", "1", is_real=False),
)
"""V<up generation><down generation> in Wolfenstein's parameters to O(lambda^3)."""

_SM_DERIVED = (
    Derived(
        "MW",
        "sqrt(MZ**2/2 + sqrt(MZ*MZ*(MZ*MZ)/4 - pi*(MZ*MZ)/(aEWM1*Gf*sqrt(2))))",
        meaning="mass of the W",
    ),
    Derived("sw2", "1 - MW**2/MZ**2", meaning="mixing angle of W and Z"),
    Derived("ee", "sqrt(4*pi/aEWM1)"),
    Derived("sw", "sqrt(sw2)"),
    Derived("cw", "sqrt(1 - sw2)"),
    Derived("gw", "ee/sw"),
    Derived("vev", "2*MW*sqrt(sw2)/ee", meaning="vacuum expectation value of the Higgs field"),
    *_CKM,
)
"""MW and vev in GeV, all at tree level from (M_Z, alpha, G_F); the mixing angle is on shell."""

_SM_PARTICLES = (
    Particle("d", "d~", 1, 2, 3, -1 / 3, -0.5, group="jet"),
    Particle("u", "u~", 2, 2, 3, 2 / 3, 0.5, group="jet"),
    Particle("s", "s~", 3, 2, 3, -1 / 3, -0.5, group="jet"),
    Particle("c", "c~", 4, 2, 3, 2 / 3, 0.5, mass="MC", group="jet", yukawa="ymc"),
    Particle("b", "b~", 5, 2, 3, -1 / 3, -0.5, mass="MB", group="bottom", yukawa="ymb"),
    Particle("t", "t~", 6, 2, 3, 2 / 3, 0.5, mass="MT", width="WT", yukawa="ymt"),
    Particle("e-", "e+", 11, 2, 1, -1.0, -0.5, mass="Me", group="lepton", yukawa="yme"),
    Particle("ve", "ve~", 12, 2, 1, 0.0, 0.5, group="missing"),
    Particle("mu-", "mu+", 13, 2, 1, -1.0, -0.5, mass="MM", group="lepton", yukawa="ymm"),
    Particle("vm", "vm~", 14, 2, 1, 0.0, 0.5, group="missing"),
    Particle("ta-", "ta+", 15, 2, 1, -1.0, -0.5, mass="MTA", group="lepton", yukawa="ymtau"),
    Particle("vt", "vt~", 16, 2, 1, 0.0, 0.5, group="missing"),
    Particle("g", "g", 21, 3, 8, 0.0, group="jet"),
    Particle("a", "a", 22, 3, 1, 0.0, group="photon"),
    Particle("z", "z", 23, 3, 1, 0.0, mass="MZ", width="WZ"),
    Particle("w+", "w-", 24, 3, 1, 1.0, 1.0, mass="MW", width="WW"),
    Particle("h", "h", 25, 1, 1, 0.0, mass="MH", width="WH"),
)

_ZPRIME_PARTICLES = (Particle("zp", "zp", 32, 3, 1, 0.0, mass="MZP", width="WZP"),)

_UP, _DOWN = ("u", "c", "t"), ("d", "s", "b")
_LEPTONS = (("ve", "e-"), ("vm", "mu-"), ("vt", "ta-"))


def _fermion_vertex(bar: Particle, psi: Particle, boson: str, couplings: tuple[str, str]) -> Vertex:
    """The vertex bar-psi-boson; that with gluons is strong, all others are electroweak."""
    colour = "T(3,1,2)" if boson == "g" else "Identity(1,2)" if psi.colour == 3 else "1"
    term = VertexTerm(colour, "FFS" if boson == "h" else "FFV", couplings)
    return Vertex((bar.antiname, psi.name, boson), (term,), (1, 0) if boson == "g" else (0, 1))


def _z_couplings(fermion: Particle) -> tuple[str, str]:
    """Couplings g_L = e / (sin cos) (T_3 - Q sin^2) and g_R = -e Q sin / cos."""
    charge, isospin = (
        Fraction(number).limit_denominator(6) for number in (fermion.charge, fermion.isospin)
    )
    return f"ee/(sw*cw)*({isospin} - ({charge})*sw2)", f"-({charge})*ee*sw/cw"


def _fermion_vertices(fermion: Particle) -> Iterable[Vertex]:
    """Couplings of a fermion to gluon, photon, Z and Higgs boson; they follow from its row."""
    photon = f"({Fraction(fermion.charge).limit_denominator(6)})*ee"
    if fermion.colour == 3:
        yield _fermion_vertex(fermion, fermion, "g", ("1", "1"))
    if fermion.charge:
        yield _fermion_vertex(fermion, fermion, "a", (photon, photon))
    yield _fermion_vertex(fermion, fermion, "z", _z_couplings(fermion))
    if fermion.yukawa:
        yield _fermion_vertex(fermion, fermion, "h", (f"-{fermion.yukawa}/vev",) * 2)


def _w_vertices(up: Particle, down: Particle, mixing: str) -> Iterable[Vertex]:
    """Both charged currents between the partners of a doublet."""
    yield _fermion_vertex(up, down, "w+", (f"gw/sqrt(2)*{mixing}", "0"))
    yield _fermion_vertex(down, up, "w-", (f"gw/sqrt(2)*conj({mixing})", "0"))


def _zprime_vertex(fermion: Particle) -> Vertex:
    scale = "kZPq" if fermion.colour == 3 else "kZPl"
    left, right = _z_couplings(fermion)
    return _fermion_vertex(fermion, fermion, "zp", (f"{scale}*({left})", f"{scale}*({right})"))


def _cp_vertex() -> Vertex:
    """The top quark and the Higgs boson, (L, R) = -(ymt / vev) (a cos(alpha) -+ i b sin(alpha))."""
    left, right = (f"-ymt/vev*(cpa*cos(cpalpha) {sign} 1j*cpb*sin(cpalpha))" for sign in ("-", "+"))
    return _fermion_vertex(_ROW["t"], _ROW["t"], "h", (left, right))


def _electroweak(particles: str, lorentz: str, coupling: str) -> Vertex:
    """A vertex of bosons without colour."""
    names = tuple(particles.split())
    return Vertex(names, (VertexTerm("1", lorentz, (coupling,)),), (0, len(names) - 2))


_ROW = {particle.name: particle for particle in _SM_PARTICLES}
_FERMIONS = tuple(particle for particle in _SM_PARTICLES if particle.spin == 2)

_GLUON_VERTICES = (
    Vertex(("g",) * 3, (VertexTerm("f(1,2,3)", "VVV", ("1",)),), (1, 0)),
    Vertex(
        ("g",) * 4,
        (
            VertexTerm("f(2,1,-1)*f(3,4,-1)", "VVVV1", ("-1",)),
            VertexTerm("f(3,1,-1)*f(2,4,-1)", "VVVV2", ("-1",)),
            VertexTerm("f(4,1,-1)*f(2,3,-1)", "VVVV3", ("-1",)),
        ),
        (2, 0),
    ),
)

_BOSON_VERTICES = (
    _electroweak("w+ w- a", "VVV", "-ee"),
    _electroweak("w+ w- z", "VVV", "-ee*cw/sw"),
    _electroweak("w+ w+ w- w-", "VVVV4", "gw**2"),
    _electroweak("w+ w- a a", "VVVV4", "-ee**2"),
    _electroweak("w+ w- a z", "VVVV4", "-ee*gw*cw"),
    _electroweak("w+ w- z z", "VVVV4", "-gw**2*cw**2"),
    _electroweak("w+ w- h", "VVS", "2*MW**2/vev"),
    _electroweak("z z h", "VVS", "2*MZ**2/vev"),
    _electroweak("w+ w- h h", "VVSS", "2*MW**2/vev**2"),
    _electroweak("z z h h", "VVSS", "2*MZ**2/vev**2"),
    _electroweak("h h h", "SSS", "-3*MH**2/vev"),
    _electroweak("h h h h", "SSSS", "-3*MH**2/vev**2"),
)

_SM_VERTICES = (
    *(vertex for fermion in _FERMIONS for vertex in _fermion_vertices(fermion)),
    *(
        vertex
        for (i, up), (j, down) in product(enumerate(_UP, 1), enumerate(_DOWN, 1))
        for vertex in _w_vertices(_ROW[up], _ROW[down], f"V{i}{j}")
    ),
    *(
        vertex
        for neutrino, lepton in _LEPTONS
        for vertex in _w_vertices(_ROW[neutrino], _ROW[lepton], "1")
    ),
    *_GLUON_VERTICES,
    *_BOSON_VERTICES,
)

MODELS: Mapping[str, ModelTables] = MappingProxyType(
    {
        "sm": ModelTables(_SM_PARAMETERS, _SM_PARTICLES, _SM_VERTICES, _SM_DERIVED, strong="aS"),
        "sm_zprime": ModelTables(
            _SM_PARAMETERS + _ZPRIME_PARAMETERS,
            _SM_PARTICLES + _ZPRIME_PARTICLES,
            _SM_VERTICES + tuple(_zprime_vertex(fermion) for fermion in _FERMIONS),
            _SM_DERIVED,
            strong="aS",
        ),
        "sm_cp": ModelTables(
            _SM_PARAMETERS + _CP_PARAMETERS,
            _SM_PARTICLES,
            tuple(
                _cp_vertex() if vertex.particles == ("t~", "t", "h") else vertex
                for vertex in _SM_VERTICES
            ),
            _SM_DERIVED,
            strong="aS",
        ),
    }
)
"""Tables of a model by its name."""
