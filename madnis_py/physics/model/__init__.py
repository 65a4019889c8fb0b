"""Models: particles, parameters and vertices.

`particles` has the types, `builtin_models` their tables, `model` a model with values of its
parameters, which `slha` reads from a param_card; `text_lines` are lines of such files.
"""
