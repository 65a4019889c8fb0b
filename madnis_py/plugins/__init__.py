"""The ways in and out: other programs' matrix elements, and our integrator in place of others'."""
