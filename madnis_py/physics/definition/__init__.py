"""Definition of a process in MadGraph's language, docs/definitions.md.

`notation` splits the text of a definition into its words, `particle_labels` knows what they stand
for, `definition_reader` makes the steps of a `definition` of both, whose choices of particles keep
the `conserved_numbers`.
"""
