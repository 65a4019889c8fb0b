"""MadGraph's run cards, translated to cards."""
