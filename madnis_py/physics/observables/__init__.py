"""Functions of momenta.

`momenta` is the layout of all of them. By purpose: `cuts` at given positions and the `selection`
that a card makes of them, `scales`, `features` of networks, `observable` of a histogram with the
`final_state` that it is measured on; `particle_names` of cards. `parton_kinematics` are s-hat and
flux, `mass_limits` what cuts leave, `generic_momenta` points without symmetry.
"""
