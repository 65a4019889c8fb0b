"""The integrand of a process in the kernels of a device."""
