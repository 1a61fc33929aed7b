"""Adversarial training: the Lightning module, objectives, learning-rate schedules and callbacks."""
