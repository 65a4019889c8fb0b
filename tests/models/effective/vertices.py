from . import couplings as C
from . import lorentz as L
from . import particles as P
from .object_library import Vertex

V_1 = Vertex(
    name="V_1", particles=[P.e__plus__, P.e__minus__, P.x], color=["1"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_2 = Vertex(
    name="V_2", particles=[P.ta__plus__, P.ta__minus__, P.x], color=["1"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_3 = Vertex(
    name="V_3", particles=[P.e__plus__, P.e__minus__, P.x1], color=["1"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_4 = Vertex(
    name="V_4", particles=[P.ta__plus__, P.ta__minus__, P.x1], color=["1"], lorentz=[L.FFV1],
    couplings={(0, 0): C.GC_2},
)  # fmt: skip

V_5 = Vertex(
    name="V_5", particles=[P.x, P.x, P.s], color=["1"], lorentz=[L.VVS1],
    couplings={(0, 0): C.GC_3},
)  # fmt: skip

V_6 = Vertex(
    name="V_6", particles=[P.ta__plus__, P.ta__minus__, P.s], color=["1"], lorentz=[L.FFS1],
    couplings={(0, 0): C.GC_4},
)  # fmt: skip

V_7 = Vertex(
    name="V_7", particles=[P.e__plus__, P.e__minus__, P.y], color=["1"], lorentz=[L.FFV2],
    couplings={(0, 0): C.GC_1},
)  # fmt: skip

V_8 = Vertex(
    name="V_8", particles=[P.ta__plus__, P.ta__minus__, P.y], color=["1"], lorentz=[L.FFV3],
    couplings={(0, 0): C.GC_2},
)  # fmt: skip
