"""MadGraph 7's run_card.toml, translated to tables of a card.

One place per addition: an entry goes to the function of its table in `toml_translation`, a cut to
`toml_cuts`.
"""
