"""Other programs' matrix elements, and ours for other programs."""
