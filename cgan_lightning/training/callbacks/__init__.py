"""What happens between updates: logs, validation, samples, checkpoints, stops."""
