"""A run: its directory and record, its stages in order, its report, gridpacks, trust."""
