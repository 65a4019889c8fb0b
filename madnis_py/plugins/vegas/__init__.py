"""Drop-in for the package vegas, published as `madnis_py.vegas`.

`drop_in` is the integrator, `iterations` the loop of one call: vegas draws, `placement` maps the
points to the integrand, `weighted_points` keeps them, `flow_decision` weighs a flow against VEGAS,
`learned_map` is the flow. `batch_integrand` and `reported_results` dress integrands and results of
vegas, `channel_maps` are the user's own.
"""
