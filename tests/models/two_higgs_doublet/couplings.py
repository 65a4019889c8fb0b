from .object_library import Coupling

GC_1 = Coupling(
    name="GC_1", order={"QED": 1}, value="-complex(0,1)*ymb*down1/vev",
)  # fmt: skip

GC_2 = Coupling(
    name="GC_2", order={"QED": 1}, value="-complex(0,1)*ymb*down2/vev",
)  # fmt: skip

GC_3 = Coupling(
    name="GC_3", order={"QED": 1}, value="ymb*tanbeta/vev",
)  # fmt: skip

GC_4 = Coupling(
    name="GC_4", order={"QED": 1}, value="-ymb*tanbeta/vev",
)  # fmt: skip

GC_5 = Coupling(
    name="GC_5", order={"QED": 1}, value="-complex(0,1)*ymt*up1/vev",
)  # fmt: skip

GC_6 = Coupling(
    name="GC_6", order={"QED": 1}, value="-complex(0,1)*ymt*up2/vev",
)  # fmt: skip

GC_7 = Coupling(
    name="GC_7", order={"QED": 1}, value="ymt/tanbeta/vev",
)  # fmt: skip

GC_8 = Coupling(
    name="GC_8", order={"QED": 1}, value="-ymt/tanbeta/vev",
)  # fmt: skip

GC_9 = Coupling(
    name="GC_9", order={"QED": 1}, value="-complex(0,1)*ymtau*down1/vev",
)  # fmt: skip

GC_10 = Coupling(
    name="GC_10", order={"QED": 1}, value="-complex(0,1)*ymtau*down2/vev",
)  # fmt: skip

GC_11 = Coupling(
    name="GC_11", order={"QED": 1}, value="ymtau*tanbeta/vev",
)  # fmt: skip

GC_12 = Coupling(
    name="GC_12", order={"QED": 1}, value="-ymtau*tanbeta/vev",
)  # fmt: skip

GC_13 = Coupling(
    name="GC_13", order={"QED": 1}, value="complex(0,1)*cmath.sqrt(2)*ymt/tanbeta/vev",
)  # fmt: skip

GC_14 = Coupling(
    name="GC_14", order={"QED": 1}, value="complex(0,1)*cmath.sqrt(2)*ymb*tanbeta/vev",
)  # fmt: skip

GC_15 = Coupling(
    name="GC_15", order={"QED": 1}, value="complex(0,1)*cmath.sqrt(2)*ymtau*tanbeta/vev",
)  # fmt: skip

GC_16 = Coupling(
    name="GC_16", order={"QED": 1}, value="complex(0,1)*gz*(-1/2 - (-1)*sw2)",
)  # fmt: skip

GC_17 = Coupling(
    name="GC_17", order={"QED": 1}, value="-complex(0,1)*gz*(-1)*sw2",
)  # fmt: skip

GC_18 = Coupling(
    name="GC_18", order={"QED": 1}, value="complex(0,1)*gz*(1/2 - (0)*sw2)",
)  # fmt: skip

GC_19 = Coupling(
    name="GC_19", order={"QED": 1}, value="complex(0,1)*gz*(-1/2 - (-1/3)*sw2)",
)  # fmt: skip

GC_20 = Coupling(
    name="GC_20", order={"QED": 1}, value="-complex(0,1)*gz*(-1/3)*sw2",
)  # fmt: skip

GC_21 = Coupling(
    name="GC_21", order={"QED": 1}, value="complex(0,1)*gz*(1/2 - (2/3)*sw2)",
)  # fmt: skip

GC_22 = Coupling(
    name="GC_22", order={"QED": 1}, value="-complex(0,1)*gz*(2/3)*sw2",
)  # fmt: skip

GC_23 = Coupling(
    name="GC_23", order={"QED": 1}, value="complex(0,1)*gw/cmath.sqrt(2)",
)  # fmt: skip

GC_24 = Coupling(
    name="GC_24", order={"QED": 1}, value="complex(0,1)*gz**2*vev/2*sinbma",
)  # fmt: skip

GC_25 = Coupling(
    name="GC_25", order={"QED": 1}, value="complex(0,1)*gw**2*vev/2*sinbma",
)  # fmt: skip

GC_26 = Coupling(
    name="GC_26", order={"QED": 1}, value="complex(0,1)*gz**2*vev/2*cosbma",
)  # fmt: skip

GC_27 = Coupling(
    name="GC_27", order={"QED": 1}, value="complex(0,1)*gw**2*vev/2*cosbma",
)  # fmt: skip

GC_28 = Coupling(
    name="GC_28", order={"QED": 1}, value="gz/2*(cosbma)",
)  # fmt: skip

GC_29 = Coupling(
    name="GC_29", order={"QED": 1}, value="complex(0,1)*gw/2*(cosbma)",
)  # fmt: skip

GC_30 = Coupling(
    name="GC_30", order={"QED": 1}, value="-complex(0,1)*gw/2*(cosbma)",
)  # fmt: skip

GC_31 = Coupling(
    name="GC_31", order={"QED": 1}, value="gz/2*(-sinbma)",
)  # fmt: skip

GC_32 = Coupling(
    name="GC_32", order={"QED": 1}, value="complex(0,1)*gw/2*(-sinbma)",
)  # fmt: skip

GC_33 = Coupling(
    name="GC_33", order={"QED": 1}, value="-complex(0,1)*gw/2*(-sinbma)",
)  # fmt: skip

GC_34 = Coupling(
    name="GC_34", order={"QED": 1}, value="gw/2",
)  # fmt: skip

GC_35 = Coupling(
    name="GC_35", order={"QED": 1}, value="complex(0,1)*gz*(1/2 - sw2)",
)  # fmt: skip
