from . import couplings as C
from . import lorentz as L
from . import particles as P
from .object_library import Vertex

V_1 = Vertex(
    name="V_1", particles=[P.g, P.g, P.g],
    color=["f(1,2,3)"], lorentz=[L.VVV1], couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_2 = Vertex(
    name="V_2", particles=[P.ubar, P.u, P.g],
    color=["T(3,2,1)"], lorentz=[L.FFV1], couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_3 = Vertex(
    name="V_3", particles=[P.dbar, P.d, P.g],
    color=["T(3,2,1)"], lorentz=[L.FFV1], couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_4 = Vertex(
    name="V_4", particles=[P.g, P.lqbar, P.lq],
    color=["T(1,3,2)"], lorentz=[L.VSS1], couplings={(0, 0): C.GC_5},
)  # fmt: skip

V_5 = Vertex(
    name="V_5", particles=[P.g, P.g, P.lqbar, P.lq],
    color=["T(1,-1,3)*T(2,4,-1)", "T(1,4,-1)*T(2,-1,3)"], lorentz=[L.VVSS1], couplings={(0, 0): C.GC_3, (1, 0): C.GC_3},
)  # fmt: skip

V_6 = Vertex(
    name="V_6", particles=[P.dbar, P.em, P.lq],
    color=["Identity(1,3)"], lorentz=[L.FFS1], couplings={(0, 0): C.GC_4},
)  # fmt: skip

V_7 = Vertex(
    name="V_7", particles=[P.embar, P.d, P.lqbar],
    color=["Identity(2,3)"], lorentz=[L.FFS2], couplings={(0, 0): C.GC_4},
)  # fmt: skip
