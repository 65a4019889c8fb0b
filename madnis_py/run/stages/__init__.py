"""What a run is made of: its directory, its stages, and what they find out."""
