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
