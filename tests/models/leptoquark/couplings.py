from .object_library import Coupling

GC_1 = Coupling(name="GC_1", value="-G", order={"QCD": 1})

GC_2 = Coupling(name="GC_2", value="complex(0,1)*G", order={"QCD": 1})

GC_3 = Coupling(name="GC_3", value="complex(0,1)*G**2", order={"QCD": 2})

GC_4 = Coupling(name="GC_4", value="complex(0,1)*ylq", order={"NP": 1})

GC_5 = Coupling(name="GC_5", value="-(complex(0,1)*G)", order={"QCD": 1})
