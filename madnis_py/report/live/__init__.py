"""The report of a run that goes on: served to this machine, and kept up to date."""
