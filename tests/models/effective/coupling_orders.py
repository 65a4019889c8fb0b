from .object_library import CouplingOrder

QED = CouplingOrder(name="QED", expansion_order=99, hierarchy=2)

NP = CouplingOrder(name="NP", expansion_order=4, hierarchy=2)
