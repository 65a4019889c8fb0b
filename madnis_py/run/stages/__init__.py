"""Work of the stages of a run, and what they leave in run.json."""
