"""MadGraph's run cards, translated to cards.

`run_card_import` chooses by the format: `dat_*` is run_card.dat of MG5aMC, `toml_*` run_card.toml
of MG7. Both cut on the `final_particles` of the process and fill an `imported_card`;
`lhapdf_numbers` are the sets of parton densities by their numbers.

One place per addition: an entry of run_card.dat goes into a table of `dat_entries`, whose docstring
says what follows from each; an entry of run_card.toml to the function of its table in
`toml_translation`; a cut to `dat_cuts`, `dat_event_cuts` or `toml_cuts`; a set to `lhapdf_numbers`.
"""
