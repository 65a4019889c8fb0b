"""Limits of momenta in which a cross section is infinite."""
