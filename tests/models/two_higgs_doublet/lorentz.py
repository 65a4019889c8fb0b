from .object_library import Lorentz

FFS1 = Lorentz(name="FFS1", spins=[2, 2, 1], structure="ProjM(2,1)")

FFS2 = Lorentz(name="FFS2", spins=[2, 2, 1], structure="ProjP(2,1)")

FFV1 = Lorentz(name="FFV1", spins=[2, 2, 3], structure="Gamma(3,2,-1)*ProjM(-1,1)")

FFV2 = Lorentz(name="FFV2", spins=[2, 2, 3], structure="Gamma(3,2,-1)*ProjP(-1,1)")

VSS1 = Lorentz(name="VSS1", spins=[3, 1, 1], structure="P(1,2) - P(1,3)")

VVS1 = Lorentz(name="VVS1", spins=[3, 3, 1], structure="Metric(1,2)")
