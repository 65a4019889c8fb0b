from . import couplings as C
from . import lorentz as L
from . import particles as P
from .object_library import Vertex

V_1 = Vertex(
    name="V_1", particles=[P.g, P.g, P.g], color=["f(1,2,3)"], lorentz=[L.VVV1],
    couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_2 = Vertex(
    name="V_2", particles=[P.g, P.g, P.g, P.g],
    color=["f(-1,1,2)*f(3,4,-1)", "f(-1,1,3)*f(2,4,-1)", "f(-1,1,4)*f(2,3,-1)"],
    lorentz=[L.VVVV1, L.VVVV3, L.VVVV4],
    couplings={(1, 1): C.GC_3, (0, 0): C.GC_3, (2, 2): C.GC_3},
)  # fmt: skip

V_3 = Vertex(
    name="V_3", particles=[P.u__tilde__, P.u, P.g], color=["T(3,2,1)"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_4 = Vertex(
    name="V_4", particles=[P.c__tilde__, P.c, P.g], color=["T(3,2,1)"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_5 = Vertex(
    name="V_5", particles=[P.g, P.six__tilde__, P.six], color=["T6(1,3,2)"], lorentz=[L.VSS1],
    couplings={(0, 0): C.GC_4},
)  # fmt: skip

V_6 = Vertex(
    name="V_6", particles=[P.g, P.g, P.six__tilde__, P.six],
    color=["T6(1,-1,3)*T6(2,4,-1)", "T6(1,4,-1)*T6(2,-1,3)"], lorentz=[L.VVSS1],
    couplings={(0, 0): C.GC_3, (1, 0): C.GC_3},
)  # fmt: skip

V_7 = Vertex(
    name="V_7", particles=[P.g, P.tri__tilde__, P.tri], color=["T(1,3,2)"], lorentz=[L.VSS1],
    couplings={(0, 0): C.GC_4},
)  # fmt: skip

V_8 = Vertex(
    name="V_8", particles=[P.g, P.g, P.tri__tilde__, P.tri],
    color=["T(1,-1,3)*T(2,4,-1)", "T(1,4,-1)*T(2,-1,3)"], lorentz=[L.VVSS1],
    couplings={(0, 0): C.GC_3, (1, 0): C.GC_3},
)  # fmt: skip

V_9 = Vertex(
    name="V_9", particles=[P.u, P.c, P.six__tilde__], color=["K6Bar(3,1,2)"], lorentz=[L.FFS1],
    couplings={(0, 0): C.GC_5},
)  # fmt: skip

V_10 = Vertex(
    name="V_10", particles=[P.u__tilde__, P.c__tilde__, P.six], color=["K6(3,1,2)"],
    lorentz=[L.FFS2], couplings={(0, 0): C.GC_5},
)  # fmt: skip

V_11 = Vertex(
    name="V_11", particles=[P.u, P.c, P.tri], color=["Epsilon(1,2,3)"], lorentz=[L.FFS1],
    couplings={(0, 0): C.GC_5},
)  # fmt: skip

V_12 = Vertex(
    name="V_12", particles=[P.u__tilde__, P.c__tilde__, P.tri__tilde__],
    color=["EpsilonBar(1,2,3)"], lorentz=[L.FFS2], couplings={(0, 0): C.GC_5},
)  # fmt: skip
