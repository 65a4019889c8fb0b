"""The ways in and out: interfaces of other programs, with their conventions."""
