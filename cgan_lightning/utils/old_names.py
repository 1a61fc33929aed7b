"""Names in files of version 0.1: they can still be read, and runs are still found by their old names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cgan_lightning.utils import files

MODULES = {  # now: then
    "cgan_lightning.models.prior": "cgan_lightning.noise",
    "cgan_lightning.models": "cgan_lightning.networks",
    "cgan_lightning.training.losses": "cgan_lightning.losses.adversarial",
    "cgan_lightning.training.penalties": "cgan_lightning.losses.penalties",
    "cgan_lightning.training.augmentation": "cgan_lightning.augmentation",
}
CLASSES = {
    "cgan_lightning.training.penalties.R1R2Penalty": "cgan_lightning.training.penalties.ZeroCentred",
    "cgan_lightning.training.penalties.GradientPenalty": "cgan_lightning.training.penalties.Gradient",
}
KEYS = {  # of settings, results, a generator file, and callbacks in a checkpoint
    "regularizer.interval": "regularizer.every",
    "feature_extractor": "judge",
    "real_baseline": "floor",
    "Validation": "Quality",
    "model_spec": "recipe",
}
OVERRIDES = {  # prefixes
    "regularizer.interval=": "regularizer.every=",
    "validation.": "metrics.",
    "callbacks.sample_grid.": "samples.",
}


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object and convert its names to current ones. Raises UserError as `files.read_json` does."""
    return current(files.read_json(path))


def current(value: Any) -> Any:
    """Return `value`, plain data of a file, with current names.

    >>> current({"_target_": "cgan_lightning.noise.Uniform", "judge": "6a9b9f72c46a"})
    {'_target_': 'cgan_lightning.models.prior.Uniform', 'feature_extractor': '6a9b9f72c46a'}
    >>> current(["cgan_lightning.losses.penalties.Gradient", "metrics.samples=100"])
    ['cgan_lightning.training.penalties.GradientPenalty', 'validation.samples=100']
    """
    modules, classes, keys, overrides = (
        {then: now for now, then in each.items()} for each in (MODULES, CLASSES, KEYS, OVERRIDES)
    )

    def text(value: str) -> str:
        value = _with_prefix_replaced(value, {f"{then}.": f"{now}." for then, now in modules.items()} | overrides)
        return classes.get(value, value)

    return _renamed(value, text, keys)


def then(value: Any) -> Any:
    """Return settings with their names in version 0.1.

    >>> then({"regularizer._target_": "cgan_lightning.training.penalties.R1R2Penalty", "regularizer.interval": 4})
    {'regularizer._target_': 'cgan_lightning.losses.penalties.ZeroCentred', 'regularizer.every': 4}
    """
    modules = {f"{now}.": f"{then}." for now, then in MODULES.items()}
    return _renamed(value, lambda text: _with_prefix_replaced(CLASSES.get(text, text), modules), KEYS)


def _with_prefix_replaced(value: str, prefixes: dict[str, str]) -> str:
    """Replace the first matching prefix of `value`."""
    for old, new in prefixes.items():
        if value.startswith(old):
            return new + value.removeprefix(old)
    return value


def _renamed(value: Any, text: Callable[[str], str], keys: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {keys.get(key, key): _renamed(each, text, keys) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, text, keys) for each in value]
    return text(value) if isinstance(value, str) else value
