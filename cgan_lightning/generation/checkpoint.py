"""generator.safetensors: the generator's weights, raw and averaged, and the recipe that rebuilds it, in one file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn

from cgan_lightning.errors import UserError
from cgan_lightning.generation.recipe import build

FILE_NAME = "generator.safetensors"
FORMAT = 1


@dataclass
class TrainedGenerator:
    """A generator in eval mode, with what is needed to draw from it and to name what it draws."""

    network: nn.Module
    prior: Any
    class_names: list[str]
    recipe: dict[str, Any]


def save(path: Path, recipe: dict[str, Any], *, raw: nn.Module, ema: nn.Module | None) -> None:
    """Writes the weights of `raw` and `ema` (where there is one) and `recipe` as JSON metadata. Not atomic by itself.

    `recipe` has `generator`, `prior` (see recipe.build) and `class_names`.
    """
    networks = {"raw": raw} if ema is None else {"raw": raw, "ema": ema}
    weights = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name, network in networks.items()
        for key, tensor in network.state_dict().items()
    }
    path.write_bytes(safetensors.torch.save(weights, {"format": str(FORMAT), "recipe": json.dumps(recipe)}))


def load(checkpoint: Path, *, weights: str = "ema", device: torch.device | str = "cpu") -> TrainedGenerator:
    """Rebuilds the generator of a run folder, or of a generator.safetensors; `weights` is "ema" or "raw".

    A run without an average has its raw weights under both names. Raises UserError for anything that isn't such a file.
    """
    path = checkpoint / FILE_NAME if checkpoint.is_dir() else checkpoint
    if not path.is_file():
        raise UserError(f"checkpoint={checkpoint}: there is no {path}; give a run folder or its {FILE_NAME}")
    if path.suffix != ".safetensors":
        raise UserError(f"checkpoint={checkpoint} is no {FILE_NAME}; give the run folder, or that file in it")
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  not a dictionary
        if metadata.get("format") != str(FORMAT):
            raise UserError(f"checkpoint={path} has format {metadata.get('format')}, this version reads {FORMAT}")
        recipe = json.loads(metadata["recipe"])
        trained = TrainedGenerator(build(recipe["generator"]), build(recipe["prior"]), recipe["class_names"], recipe)
        prefix = weights if any(key.startswith(f"{weights}.") for key in tensors) else "raw"
        own = {key.removeprefix(f"{prefix}."): value for key, value in tensors.items() if key.startswith(f"{prefix}.")}
        trained.network.load_state_dict(own)
    except UserError as error:
        raise UserError(f"checkpoint={path}: {error}") from None
    except (
        safetensors.SafetensorError,
        OSError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        ValueError,
    ) as error:
        raise UserError(f"checkpoint={path} is no generator of cgan_lightning ({_first_line(error)})") from None
    trained.network.to(device).eval()
    return trained


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
