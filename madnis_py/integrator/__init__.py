"""The integrator that users hold: integrates, trains, samples, unweights, is saved and loaded."""
