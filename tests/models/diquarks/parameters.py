from .object_library import Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

aS = Parameter(
    name="aS", nature="external", type="real", value=0.118, texname="a", lhablock="SMINPUTS",
    lhacode=[3],
)  # fmt: skip
MX = Parameter(
    name="MX", nature="external", type="real", value=400.0, texname="M_X", lhablock="MASS",
    lhacode=[9000006],
)  # fmt: skip
WX = Parameter(
    name="WX", nature="external", type="real", value=2.0, texname="W_X", lhablock="DECAY",
    lhacode=[9000006],
)  # fmt: skip
yX = Parameter(
    name="yX", nature="external", type="real", value=0.7, texname="y", lhablock="DIQUARK",
    lhacode=[1],
)  # fmt: skip
G = Parameter(
    name="G", nature="internal", type="real", value="2*cmath.sqrt(aS)*cmath.sqrt(cmath.pi)",
    texname="G",
)  # fmt: skip
