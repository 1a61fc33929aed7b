"""Trained generators: how they are kept in a file, rebuilt and sampled. Plain PyTorch."""
