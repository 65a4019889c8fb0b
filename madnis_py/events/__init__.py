"""Unweighted events: columns and their validation, acceptance of weighted points, chunks."""
