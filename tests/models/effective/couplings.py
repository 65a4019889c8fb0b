from .object_library import Coupling

GC_1 = Coupling(name="GC_1", value="complex(0,1)*0.3", order={"QED": 1})

GC_2 = Coupling(name="GC_2", value="complex(0,1)*0.2", order={"QED": 1})

GC_3 = Coupling(name="GC_3", value="complex(0,1)*kappa", order={"QED": 1})

GC_4 = Coupling(name="GC_4", value="yodd", order={"QED": 1})
