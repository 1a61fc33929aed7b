"""What a run ends with, as results.json keeps it."""

import json
from pathlib import Path
from typing import Any

from lightning import Trainer
from torch import nn

from cgan_lightning.errors import UserError
from cgan_lightning.files import write_json
from cgan_lightning.runtime import environment
from cgan_lightning.runtime.run_folder import RunFolder


def of(trainer: Trainer, model: Any, quality: Any, batch_size: int) -> dict[str, Any]:
    """Last losses, quality, speed, sizes and what it was all measured on (promise 10); `batch_size` is global."""
    device = trainer.strategy.root_device
    return {
        "updates": trainer.global_step,
        "epochs": trainer.global_step / int(trainer.num_training_batches),
        "images_seen": trainer.global_step * batch_size,
        "ranks": trainer.world_size,
        "metrics": quality.training_log.latest | quality.latest,
        "validation": {"protocol": quality.protocol, "curve": quality.curve},
        "images_per_second": quality.training_log.mean_images_per_second,
        "parameters": {"generator": count(model.generator), "discriminator": count(model.discriminator)},
        "peak_memory_mib": round(environment.peak_memory_mib(device), 1),
        **environment.describe(device),
    }


def count(network: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def place_of_evaluation(checkpoint: str, output: str | None) -> Path:
    """`output`, or the results.json of the run that is evaluated. Raises UserError where that isn't there."""
    if output:
        return Path(output)
    run = RunFolder(Path(checkpoint))
    if not run.results.is_file():
        raise UserError(f"checkpoint={checkpoint} is no finished run's folder: give output=FILE.json for the result")
    return run.results


def keep_evaluation(path: Path, evaluation: dict[str, Any]) -> None:
    """Under `evaluation`, beside what the file has already."""
    earlier = json.loads(path.read_text()) if path.is_file() else {}
    write_json(path, earlier | {"evaluation": evaluation})
