"""A module trained by a bare Trainer, with a record of the inputs of each update."""

import torch
from lightning import Callback, Trainer

from cgan_lightning.config import build, build_model
from tests.helpers.configs import composed


def copy_in_order(source: torch.nn.Module, target: torch.nn.Module) -> None:
    """Copy weights and statistics, matched by order; shapes must agree."""
    with torch.no_grad():
        for tensor, copied in zip(source.state_dict().values(), target.state_dict().values(), strict=True):
            assert tensor.shape == copied.shape
            copied.copy_(tensor)


def drawn(module, update, labels):
    """Return what `module` draws for a batch with these labels."""
    return module.drawn(range(update, update + 1), len(labels), labels.device)


class Recorder(Callback):
    """Record the inputs and losses of each update."""

    def __init__(self):
        self.inputs, self.losses, self.ticks = [], [], []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        first = trainer.global_step - len(batch[0])
        for update, (real, labels) in enumerate(zip(*batch, strict=True), first):
            z, fake_labels, _ = drawn(pl_module, update, labels)
            self.inputs.append((real, labels, z[0].to(real.dtype), fake_labels[0]))
        self.losses += zip(outputs["loss_d"].tolist(), outputs["loss_g"].tolist(), strict=True)
        self.ticks.append(trainer.global_step)


def fit(*overrides: str, callbacks=(), accelerator="cpu", recipe=("experiment=documented",), **trainer_options):
    config = composed(*recipe, "data.limit=512", f"trainer={accelerator}", *overrides)
    data = build.data(config)
    model = build_model.model(config, build_model.model_spec(config, data))
    trainer = Trainer(
        accelerator=accelerator, devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=list(callbacks), **trainer_options,
    )  # fmt: skip
    return trainer, model, data


RICH = (  # features with their own intervals or random numbers
    *("discriminator_normalization=none", "discriminator_label=projection", "loss=relativistic", "augmentation=diffaugment"),
    *("optimizer.discriminator.decay_images=600", "data.balanced=true", "regularizer.interval=4", "log_every_n_updates=6"),
    *("optimizer.discriminator_updates=3",),
)
UPDATES = 19  # with 8 per epoch


def trained(folder, *overrides, stops=(), updates_per_call=1):
    """Return losses and weights of 19 updates, interrupted after each of `stops` and resumed from a checkpoint."""
    recorder, checkpoint = Recorder(), None
    for stop in (*stops, UPDATES):
        settings = (*RICH, f"trainer.updates_per_call={updates_per_call}", *overrides)
        trainer, model, data = fit(*settings, callbacks=[recorder], max_steps=stop, max_epochs=-1)
        trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
        checkpoint = folder / f"{stop}.ckpt"
        trainer.save_checkpoint(checkpoint)
    return recorder, {**model.state_dict()}
