from .object_library import Lorentz

FFV1 = Lorentz(name="FFV1", spins=[2, 2, 3], structure="Gamma(3,2,1)")

FFV2 = Lorentz(
    name="FFV2", spins=[2, 2, 3],
    structure="Gamma(3,2,-1)*Gamma(-2,-1,-3)*P(-2,3)*ProjM(-3,1)"
    " - Gamma(-2,2,-1)*Gamma(3,-1,-3)*P(-2,3)*ProjM(-3,1)",
)  # fmt: skip

FFV3 = Lorentz(
    name="FFV3", spins=[2, 2, 3],
    structure="Gamma(3,2,-1)*Gamma(-2,-1,-3)*P(-2,3)*ProjP(-3,1)"
    " - Gamma(-2,2,-1)*Gamma(3,-1,-3)*P(-2,3)*ProjP(-3,1)",
)  # fmt: skip

FFV4 = Lorentz(name="FFV4", spins=[2, 2, 3], structure="Gamma(3,2,-1)*Gamma5(-1,1)")

FFS1 = Lorentz(name="FFS1", spins=[2, 2, 1], structure="ProjM(2,1)")

FFS2 = Lorentz(name="FFS2", spins=[2, 2, 1], structure="ProjP(2,1)")

FFFF1 = Lorentz(
    name="FFFF1", spins=[2, 2, 2, 2],
    structure="Gamma(-1,2,-2)*ProjM(-2,1)*Gamma(-1,4,-3)*ProjM(-3,3)",
)  # fmt: skip

FFT1 = Lorentz(
    name="FFT1", spins=[2, 2, 5],
    structure="P(1003,1)*Gamma(2003,2,1) - P(1003,2)*Gamma(2003,2,1)"
    " + P(2003,1)*Gamma(1003,2,1) - P(2003,2)*Gamma(1003,2,1)",
)  # fmt: skip

RFS1 = Lorentz(name="RFS1", spins=[4, 2, 1], structure="P(1,3)*ProjM(2,1)")

FRS1 = Lorentz(name="FRS1", spins=[2, 4, 1], structure="P(2,3)*ProjP(2,1)")

VVVSS1 = Lorentz(
    name="VVVSS1", spins=[3, 3, 3, 1, 1],
    structure="Metric(1,2)*P(3,4) + Metric(1,3)*P(2,4) + Metric(2,3)*P(1,4)"
    " - Metric(1,2)*P(3,5) - Metric(1,3)*P(2,5) - Metric(2,3)*P(1,5)",
)  # fmt: skip

SSSSSS1 = Lorentz(name="SSSSSS1", spins=[1, 1, 1, 1, 1, 1], structure="1")
