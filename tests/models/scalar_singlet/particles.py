"""A real scalar S that is seen by the Higgs boson alone, with muons and photons to make it."""

from . import parameters as Param
from .object_library import Particle

a = Particle(
    pdg_code=22, name="A", antiname="A", spin=3, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="A", antitexname="A", charge=0,
)  # fmt: skip

mu__minus__ = Particle(
    pdg_code=13, name="mu-", antiname="mu+", spin=2, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="mu-", antitexname="mu+", charge=-1,
)  # fmt: skip

mu__plus__ = mu__minus__.anti()

H = Particle(
    pdg_code=25, name="H", antiname="H", spin=1, color=1, mass=Param.MH, width=Param.WH,
    texname="H", antitexname="H", charge=0,
)  # fmt: skip

S = Particle(
    pdg_code=9000005, name="S", antiname="S", spin=1, color=1, mass=Param.MS, width=Param.ZERO,
    texname="S", antitexname="S", charge=0,
)  # fmt: skip

G0 = Particle(
    pdg_code=250, name="G0", antiname="G0", spin=1, color=1, mass=Param.MH, width=Param.ZERO,
    texname="G0", antitexname="G0", charge=0, goldstone=True,
)  # fmt: skip

ghA = Particle(
    pdg_code=9000001, name="ghA", antiname="ghA~", spin=-1, color=1, mass=Param.ZERO,
    width=Param.ZERO, texname="ghA", antitexname="ghA~", charge=0,
)  # fmt: skip

ghA__tilde__ = ghA.anti()

H.line = "dashed"
