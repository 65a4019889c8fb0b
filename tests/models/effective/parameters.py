from .object_library import Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

MTA = Parameter(
    name="MTA", nature="external", type="real", value=20.0, texname="M", lhablock="MASS",
    lhacode=[15],
)  # fmt: skip
MX = Parameter(
    name="MX", nature="external", type="real", value=150.0, texname="M", lhablock="MASS",
    lhacode=[9000023],
)  # fmt: skip
WX = Parameter(
    name="WX", nature="external", type="real", value=8.0, texname="W", lhablock="DECAY",
    lhacode=[9000023],
)  # fmt: skip
eps = Parameter(
    name="eps", nature="external", type="real", value=1e-5, texname="e", lhablock="EFFECTIVE",
    lhacode=[1],
)  # fmt: skip
dWX = Parameter(name="dWX", nature="internal", type="real", value="eps*WX", texname="d")

MS = Parameter(
    name="MS", nature="external", type="real", value=400.0, texname="M", lhablock="MASS",
    lhacode=[9000030],
)  # fmt: skip
WS = Parameter(
    name="WS", nature="external", type="real", value=5.0, texname="W", lhablock="DECAY",
    lhacode=[9000030],
)  # fmt: skip
kappa = Parameter(
    name="kappa", nature="external", type="real", value=0.002, texname="k", lhablock="EFFECTIVE",
    lhacode=[2],
)  # fmt: skip
yodd = Parameter(
    name="yodd", nature="external", type="real", value=0.5, texname="y", lhablock="EFFECTIVE",
    lhacode=[3],
)  # fmt: skip
lam = Parameter(
    name="lam", nature="external", type="real", value=200.0, texname="L", lhablock="EFFECTIVE",
    lhacode=[4],
)  # fmt: skip
