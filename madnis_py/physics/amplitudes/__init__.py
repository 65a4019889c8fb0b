"""Squared amplitudes of tree diagrams, written as tapes of wavefunctions and vertices."""
