"""The third generation, e and Higgs bosons of two doublets, type II.

Scalars meet fermions and one or two gauge bosons; the potential and two scalars with two gauge
bosons are left out. The b is massless but for its Yukawa coupling, unless MB is given.
"""

from . import parameters as Param
from .object_library import Particle

em = Particle(
    pdg_code=11, name="e-", antiname="e+", spin=2, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="e-", antitexname="e+", charge=-1,
)  # fmt: skip

embar = em.anti()

tam = Particle(
    pdg_code=15, name="ta-", antiname="ta+", spin=2, color=1, mass=Param.MTA, width=Param.ZERO,
    texname="ta-", antitexname="ta+", charge=-1,
)  # fmt: skip

tambar = tam.anti()

vt = Particle(
    pdg_code=16, name="vt", antiname="vt~", spin=2, color=1, mass=Param.ZERO, width=Param.ZERO,
    texname="vt", antitexname="vt~", charge=0,
)  # fmt: skip

vtbar = vt.anti()

b = Particle(
    pdg_code=5, name="b", antiname="b~", spin=2, color=3, mass=Param.MB, width=Param.ZERO,
    texname="b", antitexname="b~", charge=-1/3,
)  # fmt: skip

bbar = b.anti()

t = Particle(
    pdg_code=6, name="t", antiname="t~", spin=2, color=3, mass=Param.MT, width=Param.WT,
    texname="t", antitexname="t~", charge=2/3,
)  # fmt: skip

tbar = t.anti()

Z = Particle(
    pdg_code=23, name="Z", antiname="Z", spin=3, color=1, mass=Param.MZ, width=Param.WZ,
    texname="Z", antitexname="Z", charge=0,
)  # fmt: skip

Wp = Particle(
    pdg_code=24, name="W+", antiname="W-", spin=3, color=1, mass=Param.MW, width=Param.WW,
    texname="W+", antitexname="W-", charge=1,
)  # fmt: skip

Wpbar = Wp.anti()

h1 = Particle(
    pdg_code=25, name="h1", antiname="h1", spin=1, color=1, mass=Param.MH1, width=Param.WH1,
    texname="h1", antitexname="h1", charge=0,
)  # fmt: skip

h2 = Particle(
    pdg_code=35, name="h2", antiname="h2", spin=1, color=1, mass=Param.MH2, width=Param.WH2,
    texname="h2", antitexname="h2", charge=0,
)  # fmt: skip

h3 = Particle(
    pdg_code=36, name="h3", antiname="h3", spin=1, color=1, mass=Param.MH3, width=Param.WH3,
    texname="h3", antitexname="h3", charge=0,
)  # fmt: skip

Hp = Particle(
    pdg_code=37, name="h+", antiname="h-", spin=1, color=1, mass=Param.MHC, width=Param.WHC,
    texname="h+", antitexname="h-", charge=1,
)  # fmt: skip

Hpbar = Hp.anti()
