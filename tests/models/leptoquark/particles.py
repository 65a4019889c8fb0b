"""A scalar leptoquark of charge 2/3 that decays to a down quark and a positron."""

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

em = Particle(
    pdg_code=11, name="e-", antiname="e+", spin=2, color=1,
    mass=Param.ZERO, width=Param.ZERO, texname="e-", antitexname="e+", charge=-1,
)  # fmt: skip

embar = em.anti()

lq = Particle(
    pdg_code=9000011, name="LQ", antiname="LQ~", spin=1, color=3,
    mass=Param.MLQ, width=Param.WLQ, texname="LQ", antitexname="LQ~", charge=2/3,
)  # fmt: skip

lqbar = lq.anti()
