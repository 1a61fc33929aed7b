"""Sampling from a trained generator: image seeds, classes, interpolation, directions of z, output files."""
