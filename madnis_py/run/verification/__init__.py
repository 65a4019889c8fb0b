"""Verification of runs and event files: whether they are what they say."""
