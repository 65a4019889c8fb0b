"""The process card: typed tables, their values and checks; documents of the same kind."""
