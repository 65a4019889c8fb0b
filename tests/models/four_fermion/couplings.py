from .object_library import Coupling

GC_1 = Coupling(name="GC_1", value="-(complex(0,1)*ee)", order={"QED": 1})

GC_2 = Coupling(name="GC_2", value="(2*complex(0,1)*ee)/3", order={"QED": 1})

GC_3 = Coupling(name="GC_3", value="(complex(0,1)*cue)/Lambda**2", order={"NP": 1})
