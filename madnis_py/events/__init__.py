"""Unweighted events: their columns, how they are accepted and made in chunks."""
