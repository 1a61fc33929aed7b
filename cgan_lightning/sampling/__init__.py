"""Pictures from a trained generator: seeds, classes, interpolation, directions of z, files."""
