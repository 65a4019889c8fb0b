"""Training of flows and channel weights: losses, optimiser, schedule, checkpoints."""
