"""Parton densities, their coupling and luminosities."""
