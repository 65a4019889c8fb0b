"""The process card: typed tables, their checks, and documents of the same kind."""
