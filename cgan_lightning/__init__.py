"""Conditional GANs on Fashion-MNIST: a PyTorch Lightning and Hydra experiment framework."""

import sys

if sys.version_info < (3, 11) or sys.platform not in ("linux", "darwin"):
    raise ImportError(
        "cgan_lightning needs Linux or macOS, and Python 3.11 or newer: "
        f"this is Python {sys.version_info[0]}.{sys.version_info[1]} on {sys.platform}"
    )
