"""Distributions of weighted points and of events: bins, errors, comparison, pictures."""
