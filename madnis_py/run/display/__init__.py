"""How far a run is, shown on a terminal or in a log."""
