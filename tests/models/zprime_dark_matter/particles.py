"""A Z' with vector couplings to quarks and an axial one to a Majorana fermion."""

from . import parameters as Param
from .object_library import Particle

g = Particle(
    pdg_code=21, name="g", antiname="g", spin=3, color=8,
    mass=Param.ZERO, width=Param.ZERO, texname="g", antitexname="g", charge=0,
)  # fmt: skip

u = Particle(
    pdg_code=2, name="u", antiname="u~", spin=2, color=3,
    mass=Param.ZERO, width=Param.ZERO, texname="u", antitexname="u~", charge=2/3,
)  # fmt: skip

ubar = u.anti()

d = Particle(
    pdg_code=1, name="d", antiname="d~", spin=2, color=3,
    mass=Param.ZERO, width=Param.ZERO, texname="d", antitexname="d~", charge=-1/3,
)  # fmt: skip

dbar = d.anti()

Xd = Particle(
    pdg_code=52, name="Xd", antiname="Xd", spin=2, color=1,
    mass=Param.MX, width=Param.ZERO, texname="Xd", antitexname="Xd", charge=0,
)  # fmt: skip

Zp = Particle(
    pdg_code=55, name="Zp", antiname="Zp", spin=3, color=1,
    mass=Param.MZp, width=Param.WZp, texname="Zp", antitexname="Zp", charge=0,
)  # fmt: skip
