"""The adversarial loop: the Lightning module, its objectives and schedules, and callbacks."""
