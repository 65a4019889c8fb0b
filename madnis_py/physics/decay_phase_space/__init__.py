"""Phase space of the decay of one particle at rest: its map and its channels."""
