"""Devices: the processor, a GPU, and the kernels of a GPU emulated on the processor."""
