"""What a run ends with, as results.json keeps it."""

from typing import Any

from lightning import Trainer
from torch import nn

from cgan_lightning.runtime import environment


def of(trainer: Trainer, model: Any, training_log: Any, batch_size: int) -> dict[str, Any]:
    """Last losses, speed, sizes and what it was all measured on (promise 10); `batch_size` is global."""
    device = trainer.strategy.root_device
    return {
        "updates": trainer.global_step,
        "epochs": trainer.global_step / int(trainer.num_training_batches),
        "images_seen": trainer.global_step * batch_size,
        "ranks": trainer.world_size,
        "metrics": training_log.latest,
        "images_per_second": training_log.mean_images_per_second,
        "parameters": {"generator": count(model.generator), "discriminator": count(model.discriminator)},
        "peak_memory_mib": round(environment.peak_memory_mib(device), 1),
        **environment.describe(device),
    }


def count(network: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
