"""The integrand of a process, and the partonic events of its points."""
