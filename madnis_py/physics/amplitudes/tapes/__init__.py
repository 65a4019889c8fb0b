"""Tapes of squared amplitudes: tables that kernels run, and how they are made.

In this order: `currents` and `colour_flows` (amplitudes as products of shared currents),
`diagram_squares` (|M_i|^2), `helicities` (which currents vanish), `tape_tables` and `tape_writer`
(currents as tables), `amplitude_builder` (whole tapes), `tape_patterns` (which reactions share
them), `stored_tapes` and `tape_cache`.
"""
