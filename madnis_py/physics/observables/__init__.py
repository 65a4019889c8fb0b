"""Functions of momenta: cuts, scales, features of networks, observables of histograms."""
