"""The collider integrand: processes, phase space, matrix elements, parton densities."""
