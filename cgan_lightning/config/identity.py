"""Which run a config asks for: its name and folder, and the settings that tell it from others."""

import hashlib
import json
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from cgan_lightning.config import checks
from cgan_lightning.errors import UserError
from cgan_lightning.runtime.run_folder import RunFolder

CHOICES = (  # groups whose choice a result depends on
    *("model", "conditioning", "generator_normalization", "discriminator_normalization", "discriminator_label", "upsampling"),
    *("noise", "loss", "regularizer", "augmentation"),
)


def run_name(config: DictConfig) -> str:
    """A readable name and a hash, both of the settings that the result depends on.

    The same for every rank, after every requeue and however long or on whatever device the run goes.
    """
    settings = json.dumps(checks.result_settings(config), sort_keys=True)
    digest = hashlib.sha256(settings.encode()).hexdigest()[:8]
    choices, model = HydraConfig.get().runtime.choices, config.model
    noise, conditioning = choices["noise"], choices["conditioning"]
    return f"channels{model.channels}-latent{model.latent_dim}-{noise}-{conditioning}-seed{config.seed}-{digest}"


def run_folder(config: DictConfig) -> RunFolder:
    """The folder of these settings, or the one that `resume=` names."""
    if config.resume.run in (None, "auto"):
        return RunFolder(Path(config.run_root) / run_name(config))
    begun(config.resume.run)
    return RunFolder(Path(config.resume.run))


def begun(folder: str) -> dict[str, Any]:
    """The record (see `record`) of the run in `folder`. Raises UserError where no run was begun."""
    run = RunFolder(Path(folder))
    if not run.identity.is_file():
        raise UserError(f"resume={folder}: no run was begun there; give a run folder, or resume=auto")
    return run.begun()


def record(config: DictConfig, *, ranks: int, device: str) -> dict[str, Any]:
    """What a run folder remembers of its run: the settings that its result depends on, how they were asked for, and where
    it goes, on which its last bits depend too."""
    hydra_part = HydraConfig.get()
    return {
        "settings": checks.result_settings(config),
        "place": {"ranks": ranks, "device": device},
        "choices": {group: hydra_part.runtime.choices[group] for group in (*CHOICES, "experiment")},
        "overrides": list(hydra_part.overrides.task),
    }


def may_resume(config: DictConfig) -> bool:
    """A multirun goes on with what was begun; a single run only when told to."""
    return config.resume.run is not None or HydraConfig.get().mode == RunMode.MULTIRUN


def displayed_settings(config: DictConfig) -> dict[str, Any]:
    """What TensorBoard's HPARAMS tab compares: the width, the noise, the seed, and whatever else was asked for.

    The tab shows five of them unasked, those that differ between runs first; with few of them FID is in sight, too.
    """
    settings = checks.result_settings(config)
    asked_for = {override.split("=")[0].lstrip("+") for override in HydraConfig.get().overrides.task}
    keys = {"model.channels", "seed"} | (asked_for & settings.keys())
    plain = {key: settings[key] for key in keys if not isinstance(settings[key], dict)}
    shown = {key: value if isinstance(value, int | float) else checks.show(value) for key, value in plain.items()}
    choices = HydraConfig.get().runtime.choices
    groups = {"noise"} | (asked_for & {*CHOICES, "experiment"})
    return shown | {group: str(choices[group]) for group in groups & choices.keys()}
