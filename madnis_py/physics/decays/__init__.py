"""Decays of particles at lowest order: modes, partial widths, and total widths for models."""
