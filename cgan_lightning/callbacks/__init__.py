"""What happens beside the updates: pictures, logs, checkpoints, stopping. All count in updates."""
