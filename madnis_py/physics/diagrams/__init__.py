"""Feynman diagrams of a reaction.

`reactions` are definite particles that come in and out, with `coupling_orders` and `restrictions`
of their definition; `flavour_symmetry` tells which share a matrix element. `vertex_table`,
`formed_particles`, `recursion`, `trees` and `diagrams` find all diagrams of a reaction;
`diagram_picture` draws them.
"""
