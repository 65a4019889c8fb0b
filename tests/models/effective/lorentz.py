from . import form_factors as ForFac
from .object_library import Lorentz

FFV1 = Lorentz(name="FFV1", spins=[2, 2, 3], structure="Gamma(3,2,1)")

FFS1 = Lorentz(name="FFS1", spins=[2, 2, 1], structure="Gamma5(2,1)")

VVS1 = Lorentz(
    name="VVS1", spins=[3, 3, 1], structure="Epsilon(1,2,-1,-2)*P(-1,1)*P(-2,2)",
)  # fmt: skip

FFV2 = Lorentz(
    name="FFV2", spins=[2, 2, 3], structure="DIPOLE*Gamma(3,2,1)", formfactors=[ForFac.DIPOLE],
)  # fmt: skip

FFV3 = Lorentz(
    name="FFV3", spins=[2, 2, 3],
    structure="Gamma(3,2,1) + 2*POLE*Gamma(3,2,-1)*ProjM(-1,1) + DIPOLE*POLE*P(3,1)*Identity(2,1)",
    formfactors=[ForFac.DIPOLE, ForFac.POLE],
)  # fmt: skip
