"""MadGraph's cards: what their translations to cards of ours share.

Run cards of each format are read in a room of their own, `dat_run_cards` and `toml_run_cards`; both
cut on the `final_particles` of each process, whose cuts are put together by `cuts_of_processes`,
and fill an `imported_card`. `lhapdf_numbers` are the sets of parton densities by their numbers.
`process_cards` reads process cards and puts the cards of a process together.
"""
