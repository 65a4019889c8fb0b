from .object_library import Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

aS = Parameter(
    name="aS", nature="external", type="real", value=0.118, texname="aS",
    lhablock="SMINPUTS", lhacode=[3],
)  # fmt: skip

aEWM1 = Parameter(
    name="aEWM1", nature="external", type="real", value=128.0, texname="aEWM1",
    lhablock="SMINPUTS", lhacode=[1],
)  # fmt: skip

Lambda = Parameter(
    name="Lambda", nature="external", type="real", value=2000.0, texname="Lambda",
    lhablock="DIM6", lhacode=[1],
)  # fmt: skip

cue = Parameter(
    name="cue", nature="external", type="real", value=1.0, texname="cue",
    lhablock="DIM6", lhacode=[2],
)  # fmt: skip

ee = Parameter(
    name="ee", nature="internal", type="real", value="2*cmath.sqrt(1/aEWM1)*cmath.sqrt(cmath.pi)", texname="ee",
)  # fmt: skip
