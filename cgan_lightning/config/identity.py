"""Identify the run of a config: its name, its folder, and the settings that distinguish it from others."""

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import checks, group_files
from cgan_lightning.config.paths import CONF
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils import old_names
from cgan_lightning.utils.errors import UserError

CHOICES = (  # groups that a result depends on
    *("model", "conditioning", "generator_normalization", "discriminator_normalization", "discriminator_label", "upsampling"),
    *("noise", "loss", "regularizer", "augmentation", "lr_schedule"),
)
IN_A_NAME = ("experiment", "data", *CHOICES)

MOST_DIFFERENCES = 80  # characters: file systems allow 255 for the whole name


def run_name(config: DictConfig) -> str:
    """Return the run's name: `name=`, the differences from the default recipe, and a hash of `result_settings`.

    It is the same on every rank, after a requeue, and for any run length and device.
    """
    user_name, differs = _plain(config.name or ""), "-".join(_differences(config))[:MOST_DIFFERENCES]
    return "-".join(filter(None, [user_name, _settings_of_every_name(config), differs, f"seed{config.seed}", _digest(config)]))


def first_name(config: DictConfig) -> str:
    """Return the run's name without the differences, as in earlier versions; sweep folders are still named by it."""
    return f"{_settings_of_every_name(config)}-seed{config.seed}-{_digest(config)}"


def _settings_of_every_name(config: DictConfig) -> str:
    choices, model = HydraConfig.get().runtime.choices, config.model
    return f"channels{model.channels}-latent{model.latent_dim}-{choices['noise']}-{choices['conditioning']}"


def _digest(config: DictConfig) -> str:
    settings = json.dumps(old_names.then(checks.result_settings(config)), sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:8]


def _differences(config: DictConfig) -> list[str]:
    """Return the non-default settings as parts of a name: "quick", "hinge", "gamma0.1"."""
    settings, given = checks.result_settings(config), checks.given()
    groups = [group for group in IN_A_NAME if group in given and group not in ("noise", "conditioning")]
    chosen = [_choice_in_a_name(group, given[group]) for group in groups if given[group] != _default_choices().get(group)]
    shown = (*CHOICES, "model.channels", "model.latent_dim", "seed")
    keys = [key for key in given if key in settings and key not in shown]
    return [_plain(part) for part in [*chosen, *(f"{key.rpartition('.')[2]}{given[key]}" for key in keys)]]


def _choice_in_a_name(group: str, choice: str) -> str:
    """Return the option's name, prefixed with its group if another group has an option of that name."""
    of_that_name = [other for other in IN_A_NAME if choice in group_files.options(other)]
    return choice if len(of_that_name) < 2 else f"{group}_{choice}"


@functools.cache
def _default_choices() -> dict[str, str]:
    defaults: Any = OmegaConf.load(CONF / "train.yaml").defaults
    return {str(group): str(choice) for each in defaults if not isinstance(each, str) for group, choice in each.items()}


def _plain(text: str) -> str:
    """Replace characters that are unsafe in folder names."""
    return re.sub(r"[^\w.]+", "_", text).strip("_.")


def run_folder(config: DictConfig) -> RunFolder:
    """Return the folder that `resume=` names, else the existing folder of these settings, else a new one."""
    if config.resume.run in (None, "auto"):
        root = Path(config.run_root)
        existing = sorted(root.glob(f"*-seed{config.seed}-{_digest(config)}"))
        return RunFolder(existing[0] if existing else root / run_name(config))
    begun(config.resume.run)
    return RunFolder(Path(config.resume.run))


def begun(folder: str) -> dict[str, Any]:
    """Return the record (see `record`) of the run in `folder`. Raises UserError if it contains no run."""
    run = RunFolder(Path(folder))
    if not run.identity.is_file():
        raise UserError(f"resume={folder}: it contains no run; give a run folder, or resume=auto")
    return run.begun()


def record(config: DictConfig, *, ranks: int, device: str) -> dict[str, Any]:
    """Return the content of run.json: the settings that the result depends on, their overrides, and the number of ranks and
    the device, which affect the last bits."""
    hydra_part = HydraConfig.get()
    choices, given = hydra_part.runtime.choices, checks.given()  # Hydra has no choice of a group with several options
    return {
        "settings": checks.result_settings(config),
        "place": {"ranks": ranks, "device": device},
        "choices": {group: choices.get(group, given.get(group)) for group in (*CHOICES, "experiment")},
        "overrides": list(hydra_part.overrides.task),
        "name": config.name,
        "tags": list(config.tags),
    }


def may_resume(config: DictConfig) -> bool:
    """Return whether an existing run may be resumed: always in a multirun, else only with `resume=`."""
    return config.resume.run is not None or HydraConfig.get().mode == RunMode.MULTIRUN


def displayed_settings(config: DictConfig) -> dict[str, Any]:
    """Return the settings for TensorBoard's HPARAMS tab: the width, the noise, the seed, and those overridden.

    The tab shows five by default, those that differ between runs first.
    """
    settings = checks.result_settings(config)
    overridden = checks.given().keys()
    keys = {"model.channels", "seed"} | (overridden & settings.keys())
    plain = {key: settings[key] for key in keys if not isinstance(settings[key], dict)}
    shown = {key: value if isinstance(value, int | float) else checks.show(value) for key, value in plain.items()}
    choices = HydraConfig.get().runtime.choices
    groups = {"noise"} | (overridden & {*IN_A_NAME})
    return shown | {group: str(choices[group]) for group in groups & choices.keys()}
