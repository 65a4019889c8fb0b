"""Report of a run directory: one HTML page with its figures, pictures, and what to do next."""
