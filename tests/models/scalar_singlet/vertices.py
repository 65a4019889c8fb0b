from . import couplings as C
from . import lorentz as L
from . import particles as P
from .object_library import Vertex

V_1 = Vertex(
    name="V_1", particles=[P.mu__plus__, P.mu__minus__, P.a], color=["1"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_2 = Vertex(
    name="V_2", particles=[P.mu__plus__, P.mu__minus__, P.H], color=["1"], lorentz=[L.FFS1],
    couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_3 = Vertex(
    name="V_3", particles=[P.H, P.S, P.S], color=["1"], lorentz=[L.SSS1],
    couplings={(0, 0): C.GC_3},
)  # fmt: skip

V_4 = Vertex(
    name="V_4", particles=[P.H, P.H, P.S, P.S], color=["1"], lorentz=[L.SSSS1],
    couplings={(0, 0): C.GC_4},
)  # fmt: skip

V_5 = Vertex(
    name="V_5", particles=[P.a, P.a, P.H], color=["1"], lorentz=[L.VVS1],
    couplings={(0, 0): C.GC_5},
)  # fmt: skip

V_6 = Vertex(
    name="V_6", particles=[P.ghA, P.ghA__tilde__, P.a], color=["1"], lorentz=[L.UUV1],
    couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_7 = Vertex(
    name="V_7", particles=[P.G0, P.G0, P.H], color=["1"], lorentz=[L.SSS1],
    couplings={(0, 0): C.GC_3},
)  # fmt: skip
