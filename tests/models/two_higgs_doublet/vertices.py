from . import couplings as C
from . import lorentz as L
from . import particles as P
from .object_library import Vertex

V_1 = Vertex(
    name="V_1", particles=[P.bbar, P.b, P.h1], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_1, (0, 1): C.GC_1},
)  # fmt: skip

V_2 = Vertex(
    name="V_2", particles=[P.bbar, P.b, P.h2], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_2, (0, 1): C.GC_2},
)  # fmt: skip

V_3 = Vertex(
    name="V_3", particles=[P.bbar, P.b, P.h3], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_3, (0, 1): C.GC_4},
)  # fmt: skip

V_4 = Vertex(
    name="V_4", particles=[P.tbar, P.t, P.h1], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_5, (0, 1): C.GC_5},
)  # fmt: skip

V_5 = Vertex(
    name="V_5", particles=[P.tbar, P.t, P.h2], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_6, (0, 1): C.GC_6},
)  # fmt: skip

V_6 = Vertex(
    name="V_6", particles=[P.tbar, P.t, P.h3], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_7, (0, 1): C.GC_8},
)  # fmt: skip

V_7 = Vertex(
    name="V_7", particles=[P.tambar, P.tam, P.h1], color=["1"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_9, (0, 1): C.GC_9},
)  # fmt: skip

V_8 = Vertex(
    name="V_8", particles=[P.tambar, P.tam, P.h2], color=["1"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_10, (0, 1): C.GC_10},
)  # fmt: skip

V_9 = Vertex(
    name="V_9", particles=[P.tambar, P.tam, P.h3], color=["1"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_11, (0, 1): C.GC_12},
)  # fmt: skip

V_10 = Vertex(
    name="V_10", particles=[P.bbar, P.t, P.Hpbar], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_13, (0, 1): C.GC_14},
)  # fmt: skip

V_11 = Vertex(
    name="V_11", particles=[P.tbar, P.b, P.Hp], color=["Identity(1,2)"],
    lorentz=[L.FFS1, L.FFS2], couplings={(0, 0): C.GC_14, (0, 1): C.GC_13},
)  # fmt: skip

V_12 = Vertex(
    name="V_12", particles=[P.tambar, P.vt, P.Hpbar], color=["1"],
    lorentz=[L.FFS2], couplings={(0, 0): C.GC_15},
)  # fmt: skip

V_13 = Vertex(
    name="V_13", particles=[P.vtbar, P.tam, P.Hp], color=["1"],
    lorentz=[L.FFS1], couplings={(0, 0): C.GC_15},
)  # fmt: skip

V_14 = Vertex(
    name="V_14", particles=[P.embar, P.em, P.Z], color=["1"],
    lorentz=[L.FFV1, L.FFV2], couplings={(0, 0): C.GC_16, (0, 1): C.GC_17},
)  # fmt: skip

V_15 = Vertex(
    name="V_15", particles=[P.tambar, P.tam, P.Z], color=["1"],
    lorentz=[L.FFV1, L.FFV2], couplings={(0, 0): C.GC_16, (0, 1): C.GC_17},
)  # fmt: skip

V_16 = Vertex(
    name="V_16", particles=[P.vtbar, P.vt, P.Z], color=["1"],
    lorentz=[L.FFV1], couplings={(0, 0): C.GC_18},
)  # fmt: skip

V_17 = Vertex(
    name="V_17", particles=[P.bbar, P.b, P.Z], color=["Identity(1,2)"],
    lorentz=[L.FFV1, L.FFV2], couplings={(0, 0): C.GC_19, (0, 1): C.GC_20},
)  # fmt: skip

V_18 = Vertex(
    name="V_18", particles=[P.tbar, P.t, P.Z], color=["Identity(1,2)"],
    lorentz=[L.FFV1, L.FFV2], couplings={(0, 0): C.GC_21, (0, 1): C.GC_22},
)  # fmt: skip

V_19 = Vertex(
    name="V_19", particles=[P.bbar, P.t, P.Wpbar], color=["Identity(1,2)"],
    lorentz=[L.FFV1], couplings={(0, 0): C.GC_23},
)  # fmt: skip

V_20 = Vertex(
    name="V_20", particles=[P.tbar, P.b, P.Wp], color=["Identity(1,2)"],
    lorentz=[L.FFV1], couplings={(0, 0): C.GC_23},
)  # fmt: skip

V_21 = Vertex(
    name="V_21", particles=[P.tambar, P.vt, P.Wpbar], color=["1"],
    lorentz=[L.FFV1], couplings={(0, 0): C.GC_23},
)  # fmt: skip

V_22 = Vertex(
    name="V_22", particles=[P.vtbar, P.tam, P.Wp], color=["1"],
    lorentz=[L.FFV1], couplings={(0, 0): C.GC_23},
)  # fmt: skip

V_23 = Vertex(
    name="V_23", particles=[P.Z, P.Z, P.h1], color=["1"],
    lorentz=[L.VVS1], couplings={(0, 0): C.GC_24},
)  # fmt: skip

V_24 = Vertex(
    name="V_24", particles=[P.Wp, P.Wpbar, P.h1], color=["1"],
    lorentz=[L.VVS1], couplings={(0, 0): C.GC_25},
)  # fmt: skip

V_25 = Vertex(
    name="V_25", particles=[P.Z, P.Z, P.h2], color=["1"],
    lorentz=[L.VVS1], couplings={(0, 0): C.GC_26},
)  # fmt: skip

V_26 = Vertex(
    name="V_26", particles=[P.Wp, P.Wpbar, P.h2], color=["1"],
    lorentz=[L.VVS1], couplings={(0, 0): C.GC_27},
)  # fmt: skip

V_27 = Vertex(
    name="V_27", particles=[P.Z, P.h1, P.h3], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_28},
)  # fmt: skip

V_28 = Vertex(
    name="V_28", particles=[P.Wp, P.h1, P.Hpbar], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_29},
)  # fmt: skip

V_29 = Vertex(
    name="V_29", particles=[P.Wpbar, P.h1, P.Hp], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_30},
)  # fmt: skip

V_30 = Vertex(
    name="V_30", particles=[P.Z, P.h2, P.h3], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_31},
)  # fmt: skip

V_31 = Vertex(
    name="V_31", particles=[P.Wp, P.h2, P.Hpbar], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_32},
)  # fmt: skip

V_32 = Vertex(
    name="V_32", particles=[P.Wpbar, P.h2, P.Hp], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_33},
)  # fmt: skip

V_33 = Vertex(
    name="V_33", particles=[P.Wp, P.h3, P.Hpbar], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_34},
)  # fmt: skip

V_34 = Vertex(
    name="V_34", particles=[P.Wpbar, P.h3, P.Hp], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_34},
)  # fmt: skip

V_35 = Vertex(
    name="V_35", particles=[P.Z, P.Hp, P.Hpbar], color=["1"],
    lorentz=[L.VSS1], couplings={(0, 0): C.GC_35},
)  # fmt: skip
