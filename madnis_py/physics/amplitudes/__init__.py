"""Squared amplitudes of tree diagrams.

`matrix_element` is the interface; `tree_amplitude` and, in closed form, `drell_yan` implement it.
A tree amplitude runs on `tapes`; `widths` tells which of its propagators have one.
"""
