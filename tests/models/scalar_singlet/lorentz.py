from .object_library import Lorentz

try:
    from . import form_factors as ForFac
except ImportError:
    pass

FFV1 = Lorentz(name="FFV1", spins=[2, 2, 3], structure="Gamma(3,2,1)")

FFS1 = Lorentz(name="FFS1", spins=[2, 2, 1], structure="ProjM(2,1) + ProjP(2,1)")

SSS1 = Lorentz(name="SSS1", spins=[1, 1, 1], structure="1")

SSSS1 = Lorentz(name="SSSS1", spins=[1, 1, 1, 1], structure="1")

UUV1 = Lorentz(name="UUV1", spins=[-1, -1, 3], structure="P(3,2) + P(3,3)")

VVS1 = Lorentz(
    name="VVS1", spins=[3, 3, 1], structure="P(1,2)*P(2,1) - P(-1,1)*P(-1,2)*Metric(1,2)"
)
