"""Two quarks, gluons, and scalars that two quarks make: a sextet and an antitriplet."""

from . import parameters as Param
from .object_library import Particle

u = Particle(
    pdg_code=2, name="u", antiname="u~", spin=2, color=3, mass=Param.ZERO, width=Param.ZERO,
    texname="u", antitexname="u~", charge=2 / 3,
)  # fmt: skip

u__tilde__ = u.anti()

c = Particle(
    pdg_code=4, name="c", antiname="c~", spin=2, color=3, mass=Param.ZERO, width=Param.ZERO,
    texname="c", antitexname="c~", charge=2 / 3,
)  # fmt: skip

c__tilde__ = c.anti()

g = Particle(
    pdg_code=21, name="g", antiname="g", spin=3, color=8, mass=Param.ZERO, width=Param.ZERO,
    texname="g", antitexname="g", charge=0,
)  # fmt: skip

six = Particle(
    pdg_code=9000006, name="six", antiname="six~", spin=1, color=6, mass=Param.MX, width=Param.WX,
    texname="six", antitexname="six~", charge=4 / 3,
)  # fmt: skip

six__tilde__ = six.anti()

tri = Particle(
    pdg_code=9000003, name="tri", antiname="tri~", spin=1, color=3, mass=Param.MX, width=Param.WX,
    texname="tri", antitexname="tri~", charge=-4 / 3,
)  # fmt: skip

tri__tilde__ = tri.anti()
