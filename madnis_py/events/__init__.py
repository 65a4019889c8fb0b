"""Unweighted events and the files they go to."""
