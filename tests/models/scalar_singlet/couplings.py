from .object_library import Coupling

GC_1 = Coupling(name="GC_1", value="-(ee*complex(0,1))", order={"QED": 1})

GC_2 = Coupling(name="GC_2", value="-(complex(0,1)*ymm*phase)", order={"QED": 1})

GC_3 = Coupling(name="GC_3", value="-(complex(0,1)*portal)", order={"NP": 1})

GC_4 = Coupling(name="GC_4", value="-2*complex(0,1)*kap22", order={"NP": 2})

GC_5 = Coupling(name="GC_5", value="-(complex(0,1)*off11)", order={"NP": 1})
