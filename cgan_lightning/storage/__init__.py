"""Run folders, sweep folders, checkpoints and results on disk."""
