from .object_library import Parameter

ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")

aEWM1 = Parameter(
    name="aEWM1", nature="external", type="real", value=128.0, texname="a", lhablock="SMINPUTS",
    lhacode=[1],
)  # fmt: skip
MTA = Parameter(
    name="MTA", nature="external", type="real", value=20.0, texname="M", lhablock="MASS",
    lhacode=[15],
)  # fmt: skip
MN = Parameter(
    name="MN", nature="external", type="real", value=-70.0, texname="M", lhablock="MASS",
    lhacode=[9000012],
)  # fmt: skip
MX = Parameter(
    name="MX", nature="external", type="real", value=300.0, texname="M", lhablock="MASS",
    lhacode=[9000023],
)  # fmt: skip
MPHI = Parameter(
    name="MPHI", nature="external", type="real", value=90.0, texname="M", lhablock="MASS",
    lhacode=[9000011],
)  # fmt: skip
MG = Parameter(
    name="MG", nature="external", type="real", value=250.0, texname="M", lhablock="MASS",
    lhacode=[9000039],
)  # fmt: skip
MGVT = Parameter(
    name="MGVT", nature="external", type="real", value=150.0, texname="M", lhablock="MASS",
    lhacode=[9000040],
)  # fmt: skip
yre = Parameter(
    name="yre", nature="external", type="real", value=0.3, texname="y", lhablock="BEYOND",
    lhacode=[1],
)  # fmt: skip
yim = Parameter(
    name="yim", nature="external", type="real", value=0.2, texname="y", lhablock="BEYOND",
    lhacode=[2],
)  # fmt: skip
dre = Parameter(
    name="dre", nature="external", type="real", value=0.002, texname="d", lhablock="BEYOND",
    lhacode=[3],
)  # fmt: skip
dim = Parameter(
    name="dim", nature="external", type="real", value=0.001, texname="d", lhablock="BEYOND",
    lhacode=[4],
)  # fmt: skip
fermi = Parameter(
    name="fermi", nature="external", type="real", value=1e-5, texname="f", lhablock="BEYOND",
    lhacode=[5],
)  # fmt: skip
kappa = Parameter(
    name="kappa", nature="external", type="real", value=0.004, texname="k", lhablock="BEYOND",
    lhacode=[6],
)  # fmt: skip
yukawa = Parameter(
    name="yukawa", nature="internal", type="complex", value="yre + complex(0,1)*yim", texname="y",
)  # fmt: skip
dipole = Parameter(
    name="dipole", nature="internal", type="complex", value="dre + complex(0,1)*dim", texname="d",
)  # fmt: skip
