"""MadGraph's run_card.dat, translated to tables of a card.

One place per addition: an entry goes into a table of `dat_entries`, whose docstring says what
follows from each; a cut to `dat_cuts` or `dat_event_cuts`, all else to `dat_translation`.
"""
