"""A training that begins from another run's weights: rows of classes by name, those of new classes as they were drawn."""

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

OF_CLASSES = re.compile(r"(.+\.)?(conditioning\.rows|head\.classes\..+)")  # tensors that have a row for each class
AVERAGE, GENERATOR = "ema.generator.", "generator."


def begin(model: Any, class_names: Sequence[str], folder: str, *, frozen: bool) -> None:
    """Networks and average of `model`, of `class_names`, become those of the run in `folder`, as far as it has the classes.

    Where the generator is to stay as it is but for its label, it begins as the average, which samples are drawn from.
    Raises UserError for a folder without a run's last checkpoint, and for weights that `model` can't take.
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
    kept = _as_in(model, read["state_dict"], average_alone=frozen)
    try:
        kept = grown(kept, model.state_dict(), before, class_names)
        checkpoint_io.check_fits(prefix, kept, model)
        model.load_state_dict(kept)
    except RuntimeError as error:  # of tensors that hold no numbers
        raise UserError(f"{prefix}: its weights cannot be read ({shown(error)})") from None
    new = ", ".join(name for name in class_names if name not in before) or "none"
    log.info("Initialised from %s, update %s; new classes: %s", folder, f"{read['global_step']:,}", new)


def grown(
    kept: Mapping[str, Any], first: Mapping[str, Tensor], before: Sequence[str], names: Sequence[str]
) -> dict[str, Tensor]:
    """`kept`, of classes `before`, with a row for each of `names`: its own where it has one, else that of `first`."""
    state = {name: tensor for name, tensor in kept.items() if isinstance(tensor, Tensor)}
    for name in state.keys() & first.keys():
        theirs, ours = state[name], first[name]
        if OF_CLASSES.fullmatch(name) and theirs.shape[:1] == (len(before),) and theirs.shape[1:] == ours.shape[1:]:
            rows = [theirs[before.index(each)] if each in before else ours[at] for at, each in enumerate(names)]
            state[name] = torch.stack(rows)
    return state


def _as_in(model: Any, kept: Any, *, average_alone: bool) -> dict[str, Any]:
    """`kept` with an average as `model` has one, or none: of a run without, the generator is its own."""
    state = kept if isinstance(kept, dict) else {}
    raw = {name: value for name, value in state.items() if str(name).startswith(GENERATOR)}
    average = {GENERATOR + name.removeprefix(AVERAGE): value for name, value in state.items() if str(name).startswith(AVERAGE)}
    average = average or raw
    state = {name: value for name, value in state.items() if not str(name).startswith(AVERAGE)}
    state |= average if average_alone else {}
    return state if model.ema is None else state | {f"ema.{name}": value for name, value in average.items()}


def _check_grows(prefix: str, model: nn.Module) -> None:
    """Raises UserError where a label becomes numbers that mean something else with other classes."""
    encoders = [part for part in model.modules() if isinstance(part, LabelEncoder)]
    if any(encoder.width and not encoder.learned for encoder in encoders):
        raise UserError(f"{prefix} has other classes, and only conditioning=embedding has rows that can be added to")
