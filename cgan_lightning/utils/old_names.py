"""Names in files that version 0.1 wrote: these are read, and a run is still found by the names that it had then."""

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
KEYS = {  # of settings and results, and of the callbacks in a checkpoint
    "regularizer.interval": "regularizer.every",
    "feature_extractor": "judge",
    "real_baseline": "floor",
    "Validation": "Quality",
}
OVERRIDES = {"regularizer.interval=": "regularizer.every=", "validation.": "metrics."}  # what one begins with


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file with each name as it is now. Raises UserError as `files.read_json` does."""
    return current(files.read_json(path))


def current(value: Any) -> Any:
    """`value`, plain data of a file, with each name as it is now.

    >>> current({"_target_": "cgan_lightning.noise.Uniform", "judge": "6a9b9f72c46a"})
    {'_target_': 'cgan_lightning.models.prior.Uniform', 'feature_extractor': '6a9b9f72c46a'}
    >>> current(["cgan_lightning.losses.penalties.Gradient", "metrics.samples=100"])
    ['cgan_lightning.training.penalties.GradientPenalty', 'validation.samples=100']
    """
    modules, classes, keys, overrides = (
        {then: now for now, then in each.items()} for each in (MODULES, CLASSES, KEYS, OVERRIDES)
    )

    def text(value: str) -> str:
        value = _begun_otherwise(value, {f"{then}.": f"{now}." for then, now in modules.items()} | overrides)
        return classes.get(value, value)

    return _renamed(value, text, keys)


def then(value: Any) -> Any:
    """Settings by the names that they had in version 0.1.

    >>> then({"regularizer._target_": "cgan_lightning.training.penalties.R1R2Penalty", "regularizer.interval": 4})
    {'regularizer._target_': 'cgan_lightning.losses.penalties.ZeroCentred', 'regularizer.every': 4}
    """
    modules = {f"{now}.": f"{then}." for now, then in MODULES.items()}
    return _renamed(value, lambda text: _begun_otherwise(CLASSES.get(text, text), modules), KEYS)


def _begun_otherwise(value: str, beginnings: dict[str, str]) -> str:
    """With another beginning, by the first of `beginnings` that it has."""
    for old, new in beginnings.items():
        if value.startswith(old):
            return new + value.removeprefix(old)
    return value


def _renamed(value: Any, text: Callable[[str], str], keys: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {keys.get(key, key): _renamed(each, text, keys) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, text, keys) for each in value]
    return text(value) if isinstance(value, str) else value
