"""Samples of several processes: a run of each, and events drawn from all of them."""
