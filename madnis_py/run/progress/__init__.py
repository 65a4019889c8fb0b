"""Progress of the processes that work on a run, in its directory while they do."""
