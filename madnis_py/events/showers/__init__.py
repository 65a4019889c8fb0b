"""Showered events: Pythia on several processes, and HepMC3 files."""
