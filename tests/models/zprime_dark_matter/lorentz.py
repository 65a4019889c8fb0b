from .object_library import Lorentz

FFV1 = Lorentz(
    name="FFV1", spins=[2, 2, 3], structure="Gamma(3,2,1)",
)  # fmt: skip

FFV2 = Lorentz(
    name="FFV2", spins=[2, 2, 3], structure="Gamma(3,2,-1)*Gamma5(-1,1)",
)  # fmt: skip

VVV1 = Lorentz(
    name="VVV1", spins=[3, 3, 3], structure="P(3,1)*Metric(1,2) - P(3,2)*Metric(1,2) - P(2,1)*Metric(1,3)"
    " + P(2,3)*Metric(1,3) + P(1,2)*Metric(2,3) - P(1,3)*Metric(2,3)",
)  # fmt: skip
