"""Event files: one interface, a module for each format."""
