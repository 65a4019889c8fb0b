"""Maps of the unit cube to momenta, one for each channel, and the priors of channels."""
