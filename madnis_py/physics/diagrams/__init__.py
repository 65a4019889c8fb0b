"""Feynman diagrams of a process, from its definition on a card.

`definition` reads the card, `reactions` are its choices of definite particles, `flavour_symmetry`
tells which share a matrix element. `vertex_table`, `recursion`, `trees` and `diagrams` find all
diagrams of a reaction, with `coupling_powers` of their couplings; `diagram_picture` draws them.
"""
