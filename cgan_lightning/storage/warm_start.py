"""Warm start from another run's weights: rows of classes are matched by name, new ones keep their random initialisation."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cgan_lightning.models import generator_file
from cgan_lightning.models.conditioning import LabelEncoder
from cgan_lightning.storage import checkpoint_io
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils.errors import UserError, shown

log = logging.getLogger("cgan_lightning")

OF_CLASSES = re.compile(r"(.+\.)?(conditioning\.rows|head\.(hidden_)?classes\..+)")  # tensors with a row per class
EMA, GENERATOR = "ema.generator.", "generator."


def begin(model: Any, class_names: Sequence[str], folder: str, *, frozen: bool) -> None:
    """Load networks and EMA of `model`, for `class_names`, from the run in `folder`, as far as it has the classes.

    With a `frozen` generator, it is initialised from the EMA, which samples are drawn from.
    Raises UserError for a folder without a last checkpoint, and for weights that do not fit `model`.
    """
    prefix, run = f"warm_start.checkpoint={folder}", RunFolder(Path(folder))
    if not run.checkpoint.is_file():
        raise UserError(f"{prefix}: there is no {run.checkpoint}; give the folder of a run")
    try:
        before = generator_file.load(run.path).class_names
    except UserError as error:
        raise UserError(f"warm_start.{error}") from None
    try:
        read = checkpoint_io.read(run.checkpoint)
    except UserError as error:
        raise UserError(f"{prefix}: {error}") from None
    if list(class_names) != before:
        _check_grows(prefix, model)
    kept = _as_in(model, read["state_dict"], ema_only=frozen)
    try:
        kept = grown(kept, model.state_dict(), before, class_names)
        checkpoint_io.check_fits(prefix, kept, model)
        model.load_state_dict(kept)
    except RuntimeError as error:  # from tensors without valid data
        raise UserError(f"{prefix}: its weights cannot be read ({shown(error)})") from None
    new = ", ".join(name for name in class_names if name not in before) or "none"
    log.info("Initialised from %s, update %s; new classes: %s", folder, f"{read['global_step']:,}", new)


def grown(
    kept: Mapping[str, Any], first: Mapping[str, Tensor], before: Sequence[str], names: Sequence[str]
) -> dict[str, Tensor]:
    """Return `kept`, the state for classes `before`, with a row for each of `names`; new classes get the rows of `first`."""
    state = {name: tensor for name, tensor in kept.items() if isinstance(tensor, Tensor)}
    for name in state.keys() & first.keys():
        old, new = state[name], first[name]
        if OF_CLASSES.fullmatch(name) and old.shape[:1] == (len(before),) and old.shape[1:] == new.shape[1:]:
            rows = [old[before.index(each)] if each in before else new[at] for at, each in enumerate(names)]
            state[name] = torch.stack(rows)
    return state


def _as_in(model: Any, kept: Any, *, ema_only: bool) -> dict[str, Any]:
    """Return `kept` with an EMA if `model` has one, else without; a run without EMA provides its generator for it."""
    state = kept if isinstance(kept, dict) else {}
    raw = {name: value for name, value in state.items() if str(name).startswith(GENERATOR)}
    ema = {GENERATOR + name.removeprefix(EMA): value for name, value in state.items() if str(name).startswith(EMA)}
    ema = ema or raw
    state = {name: value for name, value in state.items() if not str(name).startswith(EMA)}
    state |= ema if ema_only else {}
    return state if model.ema is None else state | {f"ema.{name}": value for name, value in ema.items()}


def _check_grows(prefix: str, model: nn.Module) -> None:
    """Raise UserError if the label encoding is not learned, so that other classes would change its meaning."""
    encoders = [part for part in model.modules() if isinstance(part, LabelEncoder)]
    if any(encoder.width and not encoder.learned for encoder in encoders):
        raise UserError(f"{prefix} has other classes, and only conditioning=embedding can be extended to new classes")
