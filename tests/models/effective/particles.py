"""Propagators with parameters, form factors, charge conjugation."""

from . import parameters as Param
from . import propagators as Prop
from .object_library import Particle

e__minus__ = Particle(
    pdg_code=11, name="e-", antiname="e+", spin=2, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="e-", antitexname="e+", charge=-1,
)  # fmt: skip

e__plus__ = e__minus__.anti()

ta__minus__ = Particle(
    pdg_code=15, name="ta-", antiname="ta+", spin=2, color=1, mass=Param.MTA, width=Param.ZERO,
    texname="ta-", antitexname="ta+", charge=-1,
)  # fmt: skip

ta__plus__ = ta__minus__.anti()

x = Particle(
    pdg_code=9000023, name="x", antiname="x", spin=3, color=1, mass=Param.MX, width=Param.WX,
    texname="x", antitexname="x", charge=0,
)  # fmt: skip

x1 = Particle(
    pdg_code=9000024, name="x1", antiname="x1", spin=3, color=1, mass=Param.MX, width=Param.WX,
    propagator=Prop.X1, texname="x1", antitexname="x1", charge=0,
)  # fmt: skip

s = Particle(
    pdg_code=9000030, name="s", antiname="s", spin=1, color=1, mass=Param.MS, width=Param.WS,
    texname="s", antitexname="s", charge=0,
)  # fmt: skip

y = Particle(
    pdg_code=9000025, name="y", antiname="y", spin=3, color=1, mass=Param.MX, width=Param.WX,
    texname="y", antitexname="y", charge=0,
)  # fmt: skip
