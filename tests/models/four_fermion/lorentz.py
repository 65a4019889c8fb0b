from .object_library import Lorentz

FFV1 = Lorentz(
    name="FFV1", spins=[2, 2, 3], structure="Gamma(3,2,1)",
)  # fmt: skip

FFFF1 = Lorentz(
    name="FFFF1", spins=[2, 2, 2, 2], structure="Gamma(-1,2,1)*Gamma(-1,4,3)",
)  # fmt: skip
