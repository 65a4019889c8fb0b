from . import couplings as C
from . import lorentz as L
from . import particles as P
from .object_library import Vertex

V_1 = Vertex(
    name="V_1", particles=[P.e__plus__, P.e__minus__, P.x], color=["1"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_2 = Vertex(
    name="V_2", particles=[P.ta__plus__, P.ta__minus__, P.x], color=["1"],
    lorentz=[L.FFV1, L.FFV2, L.FFV3],
    couplings={(0, 0): C.GC_8, (0, 1): C.GC_2, (0, 2): C.GC_3},
)  # fmt: skip

V_3 = Vertex(
    name="V_3", particles=[P.n, P.n, P.x], color=["1"], lorentz=[L.FFV4],
    couplings={(0, 0): C.GC_8},
)  # fmt: skip

V_4 = Vertex(
    name="V_4", particles=[P.e__plus__, P.n, P.phi__minus__], color=["1"], lorentz=[L.FFS2],
    couplings={(0, 0): C.GC_4},
)  # fmt: skip

V_5 = Vertex(
    name="V_5", particles=[P.n, P.e__minus__, P.phi__plus__], color=["1"], lorentz=[L.FFS1],
    couplings={(0, 0): C.GC_5},
)  # fmt: skip

V_6 = Vertex(
    name="V_6", particles=[P.ta__plus__, P.vt, P.ve__tilde__, P.e__minus__], color=["1"],
    lorentz=[L.FFFF1], couplings={(0, 0): C.GC_6},
)  # fmt: skip

V_7 = Vertex(
    name="V_7", particles=[P.vt__tilde__, P.ta__minus__, P.e__plus__, P.ve], color=["1"],
    lorentz=[L.FFFF1], couplings={(0, 0): C.GC_6},
)  # fmt: skip

V_8 = Vertex(
    name="V_8", particles=[P.e__plus__, P.e__minus__, P.grv], color=["1"], lorentz=[L.FFT1],
    couplings={(0, 0): C.GC_7},
)  # fmt: skip

V_9 = Vertex(
    name="V_9", particles=[P.ta__plus__, P.ta__minus__, P.grv], color=["1"], lorentz=[L.FFT1],
    couplings={(0, 0): C.GC_7},
)  # fmt: skip

V_10 = Vertex(
    name="V_10", particles=[P.gvt, P.e__minus__, P.phi__plus__], color=["1"], lorentz=[L.RFS1],
    couplings={(0, 0): C.GC_9},
)  # fmt: skip

V_11 = Vertex(
    name="V_11", particles=[P.e__plus__, P.gvt, P.phi__minus__], color=["1"], lorentz=[L.FRS1],
    couplings={(0, 0): C.GC_9},
)  # fmt: skip

V_12 = Vertex(
    name="V_12", particles=[P.x, P.x, P.x, P.phi__minus__, P.phi__plus__], color=["1"],
    lorentz=[L.VVVSS1], couplings={(0, 0): C.GC_10},
)  # fmt: skip

V_13 = Vertex(
    name="V_13", color=["1"], lorentz=[L.SSSSSS1], couplings={(0, 0): C.GC_11},
    particles=[
        P.phi__minus__, P.phi__minus__, P.phi__minus__, P.phi__plus__, P.phi__plus__,
        P.phi__plus__,
    ],
)  # fmt: skip
