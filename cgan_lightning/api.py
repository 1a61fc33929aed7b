"""The functions of `from cgan_lightning import ...`: commands, networks and trained models for a notebook or a script.

Overrides are those of the command line ("model.channels=256"). A user's own Hydra is left as it is.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from jaxtyping import Float
from torch import Tensor

from cgan_lightning.config import plugin_options
from cgan_lightning.config.command_line import parse
from cgan_lightning.config.compose import compose
from cgan_lightning.models import generator_file
from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import sampling
from cgan_lightning.sampling.class_names import labels
from cgan_lightning.storage import training_state
from cgan_lightning.storage.training_state import TrainingState


def train(*overrides: str, callbacks: Sequence[Any] = ()) -> Path:
    """Train as the command `train` does, and return the run folder; progress is logged as lines.

    A finished run is not trained again. Lightning's `callbacks` act before the run's own. Raises UserError for a mistake.
    """
    from cgan_lightning.config import identity
    from cgan_lightning.train import train as command

    with _own_hydra(), _messages():
        config = _composed(*overrides)
        command(config, callbacks=callbacks)
        return identity.run_folder(config).path


def build_training(*overrides: str) -> tuple[Any, Any]:
    """Return the `ConditionalGAN` and the `ImageData` of these settings, untrained, for a Trainer of your own."""
    from cgan_lightning.config import build, build_model

    with _own_hydra():
        config = _composed(*overrides)
        data = build.data(config)
        module = build_model.model(config, build_model.model_spec(config, data))
    data.updates_per_call = None
    return module, data


def networks(*overrides: str) -> tuple[Any, Any]:
    """Return the generator and the discriminator of these settings ("model=residual"), with random weights."""
    module, _ = build_training(*overrides)
    return module.generator, module.discriminator


def load_generator(checkpoint: str | Path, *, weights: str = "ema", device: torch.device | str = "cpu") -> TrainedGenerator:
    """Load a trained generator from a run folder or a generator.safetensors; `weights` is "ema" or "raw"."""
    return generator_file.load(Path(checkpoint), weights=weights, device=device)


def load_training(checkpoint: str | Path) -> TrainingState:
    """Load both networks and the EMA from a run folder or its checkpoints/last.ckpt."""
    return training_state.load(Path(checkpoint))


def sample(
    generator: TrainedGenerator, classes: Any = None, *, count: int = 10, seed: int = 0
) -> Float[Tensor, "classes count channels size size"]:
    """Draw `count` images in [-1, 1] of each class: names, numbers or mixtures ({"Dress": 0.7, "Coat": 0.3}); None for all.

    The j-th image of a class has the image seed `seed` + j, as in the command `sample`.
    """
    rows = torch.tensor([label.weights for label in labels(classes, generator.class_names)])
    z = sampling.latents(generator.prior, generator.latent_dim, range(seed, seed + count))
    return sampling.every_pair(generator.network, z, rows)


def evaluate(checkpoint: str | Path, *overrides: str) -> dict[str, Any] | None:
    """Evaluate a run as the command `evaluate` does; return the metrics of samples and the real baseline, None for a sweep."""
    from cgan_lightning.evaluate import evaluate as command

    with _own_hydra(), _messages():
        return command(_composed(f"checkpoint='{checkpoint}'", *overrides, command="evaluate"))


def _composed(*overrides: str, command: str = "train") -> Any:
    """Compose the settings; what a script passes may name plugins, as a command line may."""
    plugin_options.use(parse(overrides))
    return compose(*overrides, command=command)


@contextmanager
def _own_hydra() -> Iterator[None]:
    """Compose as if nobody had initialised Hydra; afterwards its state is as before."""
    initialised, config = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg = initialised, config


@contextmanager
def _messages() -> Iterator[None]:
    """Print the project's messages where nobody has set up logging, as in a notebook."""
    log = logging.getLogger("cgan_lightning")
    if log.hasHandlers():
        yield
        return
    handler, level = logging.StreamHandler(), log.level
    handler.setLevel(logging.INFO)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
