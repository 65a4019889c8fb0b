"""Photon exchange, and a contact term of two up quarks and two electrons."""

from . import parameters as Param
from .object_library import Particle

a = Particle(
    pdg_code=22, name="a", antiname="a", spin=3, color=1,
    mass=Param.ZERO, width=Param.ZERO, texname="a", antitexname="a", charge=0,
)  # fmt: skip

u = Particle(
    pdg_code=2, name="u", antiname="u~", spin=2, color=3,
    mass=Param.ZERO, width=Param.ZERO, texname="u", antitexname="u~", charge=2/3,
)  # fmt: skip

ubar = u.anti()

em = Particle(
    pdg_code=11, name="e-", antiname="e+", spin=2, color=1,
    mass=Param.ZERO, width=Param.ZERO, texname="e-", antitexname="e+", charge=-1,
)  # fmt: skip

embar = em.anti()
