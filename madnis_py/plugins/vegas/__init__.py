"""The drop-in for the package vegas."""
