"""Conditional GANs on Fashion-MNIST: a PyTorch Lightning and Hydra experiment framework.

What `PUBLIC` names can be imported from here, and is loaded when it is first used:

    from cgan_lightning import train, load_generator, sample
"""

import importlib
import sys
import types
from typing import Any

if sys.version_info < (3, 11) or sys.platform not in ("linux", "darwin"):
    raise ImportError(
        "cgan_lightning needs Linux or macOS, and Python 3.11 or newer: "
        f"this is Python {sys.version_info[0]}.{sys.version_info[1]} on {sys.platform}"
    )

PUBLIC = {  # name: where it is
    "ConditionalGAN": "cgan_lightning.training.module",
    "ImageData": "cgan_lightning.data.module",
    "UserError": "cgan_lightning.utils.errors",
    **dict.fromkeys(
        ("build_training", "evaluate", "load_generator", "load_training", "networks", "sample", "train"), "cgan_lightning.api"
    ),
}
__all__ = [*PUBLIC]  # pyright: ignore[reportUnsupportedDunderAll]


class _Package(types.ModuleType):
    """`train`, `sample` and `evaluate` stay functions when the command's module of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in PUBLIC and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        return getattr(importlib.import_module(PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
