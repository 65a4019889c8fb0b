"""MadGraph's cards of a process: from the files to a card of ours.

`cards_import` puts together what `card_files` finds: a `process_card` of `command_lines` with its
model (`model_restrictions`), edits of cards (`card_edits`), and a run card, or the one that
MadGraph writes for the process (`process_defaults`).
"""
