"""Conditional GANs on Fashion-MNIST: a PyTorch Lightning and Hydra experiment framework."""
