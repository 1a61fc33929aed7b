"""Both trained networks of a run, from its checkpoint: for use in Python, not for resuming."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cgan_lightning.models import generator_file, spec
from cgan_lightning.models.discriminator import ConditionalDiscriminator
from cgan_lightning.models.generator import ConditionalGenerator
from cgan_lightning.storage import checkpoint_io
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils.errors import UserError


@dataclass
class TrainingState:
    """The networks after `updates` updates, in eval mode on the CPU; `ema` is None in a run without EMA."""

    generator: ConditionalGenerator
    discriminator: ConditionalDiscriminator
    ema: ConditionalGenerator | None
    prior: Any
    class_names: list[str]
    updates: int


def load(checkpoint: Path) -> TrainingState:
    """Rebuild the networks from a run folder, or from a .ckpt file in its folder checkpoints/.

    Raises UserError if a file is missing, damaged, or not this project's.
    """
    run = RunFolder(checkpoint if checkpoint.is_dir() else checkpoint.parent.parent)
    file = run.checkpoint if checkpoint.is_dir() else checkpoint
    if not file.is_file():
        raise UserError(f"checkpoint={checkpoint}: there is no {file}; give a run folder or its checkpoints/last.ckpt")
    trained, state = generator_file.load(run.path), checkpoint_io.read(file)
    try:
        generator_file.check_plugins(trained.model_spec, "discriminator")
    except UserError as error:
        raise type(error)(f"checkpoint={checkpoint}: {error}") from None
    generator, discriminator, ema = (
        _network(state["state_dict"], trained.model_spec, *names)
        for names in (("generator", "generator."), ("discriminator", "discriminator."), ("generator", "ema.generator."))
    )
    if generator is None or discriminator is None:
        raise UserError(f"checkpoint={checkpoint}: {file} lacks a network")
    return TrainingState(generator, discriminator, ema, trained.prior, trained.class_names, state["global_step"])


def _network(state: dict[str, Any], model_spec: dict[str, Any], name: str, prefix: str) -> Any:
    """The network `name` of `model_spec` with the tensors that begin with `prefix`; None where there are none."""
    tensors = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    if not tensors:
        return None
    network = spec.build(model_spec[name], name)
    checkpoint_io.check_fits(name, tensors, network)
    network.load_state_dict(tensors)
    return network.eval()
