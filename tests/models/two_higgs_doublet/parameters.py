from .object_library import Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

aEWM1 = Parameter(
    name="aEWM1", nature="external", type="real", value=127.9, texname="aEWM1", lhablock="SMINPUTS",
    lhacode=[1],
)  # fmt: skip
Gf = Parameter(
    name="Gf", nature="external", type="real", value=1.16637e-05, texname="Gf", lhablock="SMINPUTS",
    lhacode=[2],
)  # fmt: skip
aS = Parameter(
    name="aS", nature="external", type="real", value=0.118, texname="aS", lhablock="SMINPUTS",
    lhacode=[3],
)  # fmt: skip
ymb = Parameter(
    name="ymb", nature="external", type="real", value=4.7, texname="ymb", lhablock="YUKAWA",
    lhacode=[5],
)  # fmt: skip
ymt = Parameter(
    name="ymt", nature="external", type="real", value=173.0, texname="ymt", lhablock="YUKAWA",
    lhacode=[6],
)  # fmt: skip
ymtau = Parameter(
    name="ymtau", nature="external", type="real", value=1.777, texname="ymtau", lhablock="YUKAWA",
    lhacode=[15],
)  # fmt: skip
MB = Parameter(
    name="MB", nature="external", type="real", value=0.0, texname="MB", lhablock="MASS",
    lhacode=[5],
)  # fmt: skip
MT = Parameter(
    name="MT", nature="external", type="real", value=173.0, texname="MT", lhablock="MASS",
    lhacode=[6],
)  # fmt: skip
MTA = Parameter(
    name="MTA", nature="external", type="real", value=1.777, texname="MTA", lhablock="MASS",
    lhacode=[15],
)  # fmt: skip
MZ = Parameter(
    name="MZ", nature="external", type="real", value=91.1876, texname="MZ", lhablock="MASS",
    lhacode=[23],
)  # fmt: skip
MH1 = Parameter(
    name="MH1", nature="external", type="real", value=125.0, texname="MH1", lhablock="MASS",
    lhacode=[25],
)  # fmt: skip
MH2 = Parameter(
    name="MH2", nature="external", type="real", value=300.0, texname="MH2", lhablock="MASS",
    lhacode=[35],
)  # fmt: skip
MH3 = Parameter(
    name="MH3", nature="external", type="real", value=400.0, texname="MH3", lhablock="MASS",
    lhacode=[36],
)  # fmt: skip
MHC = Parameter(
    name="MHC", nature="external", type="real", value=420.0, texname="MHC", lhablock="MASS",
    lhacode=[37],
)  # fmt: skip
WT = Parameter(
    name="WT", nature="external", type="real", value=1.5, texname="WT", lhablock="DECAY",
    lhacode=[6],
)  # fmt: skip
WZ = Parameter(
    name="WZ", nature="external", type="real", value=2.4952, texname="WZ", lhablock="DECAY",
    lhacode=[23],
)  # fmt: skip
WW = Parameter(
    name="WW", nature="external", type="real", value=2.085, texname="WW", lhablock="DECAY",
    lhacode=[24],
)  # fmt: skip
WH1 = Parameter(
    name="WH1", nature="external", type="real", value=0.005, texname="WH1", lhablock="DECAY",
    lhacode=[25],
)  # fmt: skip
WH2 = Parameter(
    name="WH2", nature="external", type="real", value=5.0, texname="WH2", lhablock="DECAY",
    lhacode=[35],
)  # fmt: skip
WH3 = Parameter(
    name="WH3", nature="external", type="real", value=10.0, texname="WH3", lhablock="DECAY",
    lhacode=[36],
)  # fmt: skip
WHC = Parameter(
    name="WHC", nature="external", type="real", value=8.0, texname="WHC", lhablock="DECAY",
    lhacode=[37],
)  # fmt: skip
tanbeta = Parameter(
    name="tanbeta", nature="external", type="real", value=20.0, texname="tanbeta", lhablock="HIGGS",
    lhacode=[1],
)  # fmt: skip
sinbma = Parameter(
    name="sinbma", nature="external", type="real", value=0.9, texname="sinbma", lhablock="HIGGS",
    lhacode=[2],
)  # fmt: skip
ee = Parameter(
    name="ee", nature="internal", type="real", texname="ee",
    value="2*cmath.sqrt(cmath.pi/aEWM1)",
)  # fmt: skip
MW = Parameter(
    name="MW", nature="internal", type="real", texname="MW",
    value="cmath.sqrt(MZ**2/2 + cmath.sqrt(MZ**4/4 - cmath.pi*MZ**2/(cmath.sqrt(2)*Gf*aEWM1)))",
)  # fmt: skip
sw2 = Parameter(
    name="sw2", nature="internal", type="real", texname="sw2",
    value="1 - MW**2/MZ**2",
)  # fmt: skip
gw = Parameter(
    name="gw", nature="internal", type="real", texname="gw",
    value="ee/cmath.sqrt(sw2)",
)  # fmt: skip
gz = Parameter(
    name="gz", nature="internal", type="real", texname="gz",
    value="ee/cmath.sqrt(sw2*(1 - sw2))",
)  # fmt: skip
vev = Parameter(
    name="vev", nature="internal", type="real", texname="vev",
    value="2*MW/gw",
)  # fmt: skip
cosbma = Parameter(
    name="cosbma", nature="internal", type="real", texname="cosbma",
    value="cmath.sqrt(1 - sinbma**2)",
)  # fmt: skip
beta = Parameter(
    name="beta", nature="internal", type="real", texname="beta",
    value="cmath.atan(tanbeta)",
)  # fmt: skip
alp = Parameter(
    name="alp", nature="internal", type="real", texname="alp",
    value="beta - cmath.asin(sinbma)",
)  # fmt: skip
up1 = Parameter(
    name="up1", nature="internal", type="real", texname="up1",
    value="cmath.cos(alp)/cmath.sin(beta)",
)  # fmt: skip
up2 = Parameter(
    name="up2", nature="internal", type="real", texname="up2",
    value="cmath.sin(alp)/cmath.sin(beta)",
)  # fmt: skip
down1 = Parameter(
    name="down1", nature="internal", type="real", texname="down1",
    value="-cmath.sin(alp)/cmath.cos(beta)",
)  # fmt: skip
down2 = Parameter(
    name="down2", nature="internal", type="real", texname="down2",
    value="cmath.cos(alp)/cmath.cos(beta)",
)  # fmt: skip
