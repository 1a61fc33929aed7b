"""generator.safetensors: the generator's raw and EMA weights, and the model spec to rebuild it from, in one file."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from cgan_lightning import plugins
from cgan_lightning.data import record
from cgan_lightning.data.record import DataRecord
from cgan_lightning.models.generator import ConditionalGenerator
from cgan_lightning.models.spec import build
from cgan_lightning.utils import limits
from cgan_lightning.utils import safetensors_file as weights_file
from cgan_lightning.utils.errors import UserError, shown

FILE_NAME = "generator.safetensors"
FORMAT = 1


class PluginError(UserError):
    """The generator has classes of a plugin that is not in use."""


@dataclass
class TrainedGenerator:
    """A generator in eval mode, with the prior, the class names and what is known of its data set."""

    network: ConditionalGenerator
    prior: Any
    class_names: list[str]
    model_spec: dict[str, Any]
    path: Path  # of the file
    dataset: DataRecord

    @property
    def name(self) -> str:
        """The name of the run folder, or of the file if it has been renamed."""
        return self.path.absolute().parent.name if self.path.name == FILE_NAME else self.path.stem

    @property
    def latent_dim(self) -> int:
        return self.network.latent_dim


def save(path: Path, model_spec: dict[str, Any], *, raw: nn.Module, ema: nn.Module | None) -> None:
    """Write the weights of `raw` and `ema` (if any), and `model_spec` as JSON metadata. The write is not atomic.

    `model_spec` has the keys `generator`, `prior` (see spec.build), `class_names` and `dataset` (see data/record.py).
    """
    networks = {"raw": raw} if ema is None else {"raw": raw, "ema": ema}
    weights = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name, network in networks.items()
        for key, tensor in network.state_dict().items()
    }
    if used := {part: modules for part in model_spec if (modules := plugins.needed(model_spec[part]))}:
        model_spec = model_spec | {"plugins": used}
    path.write_bytes(safetensors.torch.save(weights, {"format": str(FORMAT), "model_spec": json.dumps(model_spec)}))


def load(checkpoint: Path, *, weights: str = "ema", device: torch.device | str = "cpu") -> TrainedGenerator:
    """Rebuild the generator from a run folder or a generator.safetensors; `weights` is "ema" or "raw".

    For a run without EMA both give the raw weights. Raises UserError if the file is missing or invalid.
    """
    path = checkpoint / FILE_NAME if checkpoint.is_dir() else checkpoint
    if not path.is_file():
        raise UserError(f"checkpoint={checkpoint}: there is no {path}; give a run folder or its {FILE_NAME}")
    if path.suffix != ".safetensors":
        raise UserError(f"checkpoint={checkpoint} is no {FILE_NAME}; give the run folder, or that file in it")
    try:
        with weights_file.opened(path, "generator of cgan_lightning") as file:
            if (result := (file.metadata() or {}).get("format")) != str(FORMAT):
                raise UserError(f"it has format {shown(result)}, this version reads {FORMAT}")
            trained = _described(weights_file.metadata(file, "model_spec"), path)
            prefix = weights if any(key.startswith(f"{weights}.") for key in file.keys()) else "raw"  # noqa: SIM118  no dictionary
            trained.network.load_state_dict(weights_file.read(file, trained.network, f"{prefix}."), assign=True)
    except UserError as error:
        raise type(error)(f"checkpoint={path}: {error}") from None
    trained.network.to(device).eval()
    return trained


def _described(model_spec: Any, path: Path) -> TrainedGenerator:
    """Return the generator of `model_spec` on the meta device: no memory is used before the weights are checked."""
    if not isinstance(model_spec, dict):
        raise UserError(f"its model spec is {shown(model_spec)}: it must have generator, prior and class_names")
    check_plugins(model_spec, "generator", "prior")
    try:
        with torch.device("meta"):
            network = build(model_spec.get("generator"), "generator")
    except ValueError as error:  # sizes that the network does not allow
        raise UserError(f"its model spec cannot be built: {error}") from None
    prior, names = build(model_spec.get("prior"), "noise"), model_spec.get("class_names")
    count = len(network.conditioning.rows)
    if not isinstance(names, list) or len(names) != count or not all(_is_name(name) for name in names):
        longest = limits.CLASS_NAME_LENGTH
        raise UserError(f"class_names={shown(names)}: must be {count} texts, one per class, of up to {longest} characters")
    data = record.read(model_spec.get("dataset"), names)
    if data.channels != (channels := model_spec["generator"].get("image_channels", 1)):
        raise UserError(f"dataset: channels={data.channels}, but its network has image_channels={channels}")
    return TrainedGenerator(network, prior, names, model_spec, path, data)


def check_plugins(model_spec: dict[str, Any], *parts: str) -> None:
    """Raise PluginError if `parts` of a file's model spec have classes of plugins that are not in use; none is imported."""
    used = model_spec.get("plugins", {})
    modules: list[Any] = [used.get(part, []) for part in parts] if isinstance(used, dict) else [None]
    if not all(isinstance(each, list) and all(isinstance(name, str) for name in each) for each in modules):
        raise UserError(f"its model spec's plugins are {shown(used)}: must be lists of modules")
    if unknown := plugins.missing(itertools.chain(*modules)):
        raise PluginError(f"it needs a plugin: {plugins.advice(unknown)}")


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= limits.CLASS_NAME_LENGTH and name.isprintable()
