"""Callbacks between updates: logging, validation, samples, checkpoints, interruption."""
