"""Squared amplitudes of tree diagrams.

`matrix_element` is the interface; `tree_amplitude` and, in closed form, `drell_yan` implement it.
A tree amplitude is made in this order: `widths` (which propagators have one), `currents` and
`colour_flows` (amplitudes as products of shared currents), `diagram_squares` (|M_i|^2),
`helicities` (which currents vanish), `tape_tables` and `tape_writer` (currents as tables),
`amplitude_builder` (whole tapes), `tape_cache`.
"""
