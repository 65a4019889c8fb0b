from .object_library import Lorentz

FFV1 = Lorentz(
    name="FFV1", spins=[2, 2, 3], structure="Gamma(3,2,1)",
)  # fmt: skip

VVV1 = Lorentz(
    name="VVV1", spins=[3, 3, 3], structure="P(3,1)*Metric(1,2) - P(3,2)*Metric(1,2) - P(2,1)*Metric(1,3)"
    " + P(2,3)*Metric(1,3) + P(1,2)*Metric(2,3) - P(1,3)*Metric(2,3)",
)  # fmt: skip

FFS1 = Lorentz(
    name="FFS1", spins=[2, 2, 1], structure="ProjM(2,1)",
)  # fmt: skip

FFS2 = Lorentz(
    name="FFS2", spins=[2, 2, 1], structure="ProjP(2,1)",
)  # fmt: skip

VSS1 = Lorentz(
    name="VSS1", spins=[3, 1, 1], structure="P(1,2) - P(1,3)",
)  # fmt: skip

VVSS1 = Lorentz(
    name="VVSS1", spins=[3, 3, 1, 1], structure="Metric(1,2)",
)  # fmt: skip
