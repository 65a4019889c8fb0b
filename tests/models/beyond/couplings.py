from .object_library import Coupling

GC_1 = Coupling(name="GC_1", value="complex(0,1)*0.3", order={"QED": 1})

GC_2 = Coupling(name="GC_2", value="complex(0,1)*dipole", order={"NP": 1})

GC_3 = Coupling(name="GC_3", value="-complex(0,1)*complexconjugate(dipole)", order={"NP": 1})

GC_4 = Coupling(name="GC_4", value="complex(0,1)*yukawa", order={"QED": 1})

GC_5 = Coupling(name="GC_5", value="complex(0,1)*complexconjugate(yukawa)", order={"QED": 1})

GC_6 = Coupling(name="GC_6", value="complex(0,1)*fermi", order={"NP": 1})

GC_7 = Coupling(name="GC_7", value="complex(0,1)*kappa", order={"NP": 1})

GC_8 = Coupling(name="GC_8", value="complex(0,1)*0.2", order={"QED": 1})

GC_9 = Coupling(name="GC_9", value="-kappa", order={"NP": 1})

GC_10 = Coupling(name="GC_10", value="kappa*0.01", order={"NP": 1})

GC_11 = Coupling(name="GC_11", value="-complex(0,1)*kappa", order={"NP": 1})
