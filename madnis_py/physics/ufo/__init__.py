"""Models in the Universal FeynRules Output, read without executing them.

`model_files` are folders and archives, `statements` what a file says, `ufo_rows` typed rows of it,
`parameter_values` the parameters in their order. `restriction` fixes some as MadGraph does, and
`translation` makes tables, with `madgraph_names`, `colour_text` and `computed_vertices`.
"""
