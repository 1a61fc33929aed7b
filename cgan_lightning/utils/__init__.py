"""Utilities for all other packages: images, files, seeds, errors."""
