"""What the Standard Model lacks: spins, Majorana fermions, contact terms, dipoles."""

from . import parameters as Param
from .object_library import Particle

e__minus__ = Particle(
    pdg_code=11, name="e-", antiname="e+", spin=2, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="e-", antitexname="e+", charge=-1,
)  # fmt: skip

e__plus__ = e__minus__.anti()

ve = Particle(
    pdg_code=12, name="ve", antiname="ve~", spin=2, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="ve", antitexname="ve~", charge=0,
)  # fmt: skip

ve__tilde__ = ve.anti()

ta__minus__ = Particle(
    pdg_code=15, name="ta-", antiname="ta+", spin=2, color=1, mass=Param.MTA, width=Param.ZERO,
    texname="ta-", antitexname="ta+", charge=-1,
)  # fmt: skip

ta__plus__ = ta__minus__.anti()

vt = Particle(
    pdg_code=16, name="vt", antiname="vt~", spin=2, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="vt", antitexname="vt~", charge=0,
)  # fmt: skip

vt__tilde__ = vt.anti()

n = Particle(
    pdg_code=9000012, name="n", antiname="n", spin=2, color=1, mass=Param.MN, width=Param.ZERO,
    texname="n", antitexname="n", charge=0,
)  # fmt: skip

x = Particle(
    pdg_code=9000023, name="x", antiname="x", spin=3, color=1, mass=Param.MX, width=Param.ZERO,
    texname="x", antitexname="x", charge=0,
)  # fmt: skip

phi__minus__ = Particle(
    pdg_code=9000011, name="phi-", antiname="phi+", spin=1, color=1, mass=Param.MPHI,
    width=Param.ZERO, texname="p-", antitexname="p+", charge=-1,
)  # fmt: skip

phi__plus__ = phi__minus__.anti()

grv = Particle(
    pdg_code=9000039, name="grv", antiname="grv", spin=5, color=1, mass=Param.MG, width=Param.ZERO,
    texname="G", antitexname="G", charge=0,
)  # fmt: skip

gvt = Particle(
    pdg_code=9000040, name="gvt", antiname="gvt", spin=4, color=1, mass=Param.MGVT,
    width=Param.ZERO, texname="g", antitexname="g", charge=0,
)  # fmt: skip
