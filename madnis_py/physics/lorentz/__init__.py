"""Lorentz structures of vertices: from text to exact tensors and to what kernels compute."""
