"""What a run keeps of its points beyond figures: weights, distributions, correlations, diagrams."""
