"""Histograms of weighted points and events: bins, errors, comparison, pictures."""
