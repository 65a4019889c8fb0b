from .object_library import Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

aS = Parameter(
    name="aS", nature="external", type="real", value=0.118, texname="aS",
    lhablock="SMINPUTS", lhacode=[3],
)  # fmt: skip

gq = Parameter(
    name="gq", nature="external", type="real", value=0.25, texname="gq",
    lhablock="DARK", lhacode=[1],
)  # fmt: skip

gx = Parameter(
    name="gx", nature="external", type="real", value=1.0, texname="gx",
    lhablock="DARK", lhacode=[2],
)  # fmt: skip

MZp = Parameter(
    name="MZp", nature="external", type="real", value=1000.0, texname="MZp",
    lhablock="MASS", lhacode=[55],
)  # fmt: skip

MX = Parameter(
    name="MX", nature="external", type="real", value=100.0, texname="MX",
    lhablock="MASS", lhacode=[52],
)  # fmt: skip

WZp = Parameter(
    name="WZp", nature="external", type="real", value=30.0, texname="WZp",
    lhablock="DECAY", lhacode=[55],
)  # fmt: skip

G = Parameter(
    name="G", nature="internal", type="real", value="2*cmath.sqrt(aS)*cmath.sqrt(cmath.pi)", texname="G",
)  # fmt: skip
