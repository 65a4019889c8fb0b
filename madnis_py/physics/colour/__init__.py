"""Colour algebra of SU(3), exact: flows, colour matrix, and what vertices do to colour."""
