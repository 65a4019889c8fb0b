"""Densities of what a beam brings, and the luminosity of two beams."""
