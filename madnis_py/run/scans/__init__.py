"""Scans: runs of a card for each of several values, in one table."""
