"""What joins a run to its processes and files: its folder, its checkpoints, what it ran on."""
