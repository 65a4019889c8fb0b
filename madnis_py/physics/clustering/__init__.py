"""kT clustering of events along the diagrams of their process, and the scales from it."""
