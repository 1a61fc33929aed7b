"""What classes were called in files that version 0.1 wrote: these are read, and a run is still found by the names of then."""

from typing import Any

MODULES = {  # now: then
    "cgan_lightning.models.prior": "cgan_lightning.noise",
    "cgan_lightning.models": "cgan_lightning.networks",
    "cgan_lightning.training.losses": "cgan_lightning.losses.adversarial",
    "cgan_lightning.training.penalties": "cgan_lightning.losses.penalties",
    "cgan_lightning.training.augmentation": "cgan_lightning.augmentation",
}


def current(value: Any) -> Any:
    """`value`, plain data of a file, with each class by the name that it has now.

    >>> current({"_target_": "cgan_lightning.noise.Uniform"})
    {'_target_': 'cgan_lightning.models.prior.Uniform'}
    """
    return _renamed(value, {then: now for now, then in MODULES.items()})


def then(value: Any) -> Any:
    """The other way round.

    >>> then(["cgan_lightning.models.heads.Logit", "cgan_lightning.models.prior.Uniform", 3])
    ['cgan_lightning.networks.heads.Logit', 'cgan_lightning.noise.Uniform', 3]
    """
    return _renamed(value, MODULES)


def _renamed(value: Any, modules: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, modules) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, modules) for each in value]
    if isinstance(value, str):
        for old, new in modules.items():  # the longest first
            if value.startswith(f"{old}."):
                return new + value.removeprefix(old)
    return value
