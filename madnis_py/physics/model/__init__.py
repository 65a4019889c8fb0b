"""Particles, couplings and parameters of a model."""
