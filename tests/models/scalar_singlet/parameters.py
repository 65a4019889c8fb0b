from .object_library import all_parameters, Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

aEWM1 = Parameter(
    name="aEWM1", nature="external", type="real", value=128.0, texname="a", lhablock="SMINPUTS",
    lhacode=[1],
)  # fmt: skip
MH = Parameter(
    name="MH", nature="external", type="real", value=125.0, texname="M_H", lhablock="MASS",
    lhacode=[25],
)  # fmt: skip
MS = Parameter(
    name="MS", nature="external", type="real", value=40.0, texname="M_S", lhablock="MASS",
    lhacode=[9000005],
)  # fmt: skip
WH = Parameter(
    name="WH", nature="external", type="real", value=0.5, texname="W_H", lhablock="DECAY",
    lhacode=[25],
)  # fmt: skip
ymm = Parameter(
    name="ymm", nature="external", type="real", value=0.25, texname="y", lhablock="YUKAWA",
    lhacode=[13],
)  # fmt: skip
kap12 = Parameter(
    name="kap12", nature="external", type="real", value=30.0, texname="k", lhablock="Portal",
    lhacode=[1, 2],
)  # fmt: skip
kap22 = Parameter(
    name="kap22", nature="external", type="real", value=0.5, texname="k", lhablock="Portal",
    lhacode=[2, 2],
)  # fmt: skip
off11 = Parameter(
    name="off11", nature="external", type="real", value=0.75, texname="o", lhablock="Portal",
    lhacode=[1, 1],
)  # fmt: skip

# it needs what stands below
portal = Parameter(name="portal", nature="internal", type="real", value="kap12*norm", texname="k")
norm = Parameter(
    name="norm", nature="internal", type="real", value="2*halved(1.0) if kap22 > 0 else 1",
    texname="n",
)  # fmt: skip
ee = Parameter(
    name="ee", nature="internal", type="real",
    value="2*cmath.sqrt(1/aEWM1)*cmath.sqrt(cmath.pi)", texname="e",
)  # fmt: skip
phase = Parameter(
    name="phase", nature="internal", type="complex",
    value="cmath.exp(complex(0,1)*cmath.pi/4)*complexconjugate(cmath.exp(complex(0,1)*cmath.pi/4))",
    texname="p",
)  # fmt: skip
