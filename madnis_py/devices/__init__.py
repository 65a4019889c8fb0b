"""Devices: a GPU or an emulated one, its kernels, and numbers, sums and descriptions on it."""
