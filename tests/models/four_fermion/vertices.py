from . import couplings as C
from . import lorentz as L
from . import particles as P
from .object_library import Vertex

V_1 = Vertex(
    name="V_1", particles=[P.embar, P.em, P.a],
    color=["1"], lorentz=[L.FFV1], couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_2 = Vertex(
    name="V_2", particles=[P.ubar, P.u, P.a],
    color=["Identity(1,2)"], lorentz=[L.FFV1], couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_3 = Vertex(
    name="V_3", particles=[P.ubar, P.u, P.embar, P.em],
    color=["Identity(1,2)"], lorentz=[L.FFFF1], couplings={(0, 0): C.GC_3},
)  # fmt: skip
