"""Starting, synchronising and stopping ranks, and handling their failures."""
