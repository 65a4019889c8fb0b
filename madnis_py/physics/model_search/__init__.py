"""Models by name: where they are found, and the model of a card with the values of its parameters.

`model_library` finds built-in models, folders, archives and installed packages, `tables_cache`
keeps what was read, `card_model` gives a card its model.
"""
