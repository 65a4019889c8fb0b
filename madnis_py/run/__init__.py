"""A run directory: its record, its stages, its report."""
