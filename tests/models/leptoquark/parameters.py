from .object_library import Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

aS = Parameter(
    name="aS", nature="external", type="real", value=0.118, texname="aS",
    lhablock="SMINPUTS", lhacode=[3],
)  # fmt: skip

ylq = Parameter(
    name="ylq", nature="external", type="real", value=0.5, texname="ylq",
    lhablock="LQ", lhacode=[1],
)  # fmt: skip

MLQ = Parameter(
    name="MLQ", nature="external", type="real", value=400.0, texname="MLQ",
    lhablock="MASS", lhacode=[9000011],
)  # fmt: skip

WLQ = Parameter(
    name="WLQ", nature="external", type="real", value=1.0, texname="WLQ",
    lhablock="DECAY", lhacode=[9000011],
)  # fmt: skip

G = Parameter(
    name="G", nature="internal", type="real", value="2*cmath.sqrt(aS)*cmath.sqrt(cmath.pi)", texname="G",
)  # fmt: skip
