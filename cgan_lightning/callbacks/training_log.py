"""Losses, D(x), D(G(z)), gradient norms and speed, logged every few updates; between those, nothing is read from the device."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from cgan_lightning import collectives
from cgan_lightning.callbacks.schedule import data_of, is_last_update

TAGS = {
    "loss_d": "loss/discriminator",
    "loss_g": "loss/generator",
    "d_real": "discriminator/D(x)",
    "d_fake": "discriminator/D(G(z))",
    "gradient_d": "gradient norm/discriminator",
    "gradient_g": "gradient norm/generator",
}
SPEED = "images_per_second"


class TrainingLog(Callback):
    """Logs what `training_step` returned at every n-th update and at the last, on an x-axis that counts updates.

    `latest` has the last values by name, means over the ranks; `seconds` and `images_timed` add up over all sittings of a
    run, without the first call of each, which pays for warming up, and on a GPU without the second, which captures graphs.
    """

    def __init__(self, *, every_n_updates: int) -> None:
        self.every_n_updates = every_n_updates
        self.latest: dict[str, float] = {}
        self.seconds, self.images_timed = 0.0, 0
        self._mark: tuple[float, int] | None = None

    @property
    def mean_images_per_second(self) -> float | None:
        return self.images_timed / self.seconds if self.seconds else None

    def state_dict(self) -> dict[str, Any]:
        return {"latest": self.latest, "seconds": self.seconds, "images_timed": self.images_timed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.latest, self.seconds = state_dict["latest"], state_dict["seconds"]
        self.images_timed = state_dict["images_timed"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._mark = None
        self._untimed = 2 if pl_module.device.type == "cuda" else 1  # calls

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        updates = trainer.global_step
        images_seen = updates * data_of(trainer).batch_size
        self._untimed -= 1
        if self._untimed == 0:
            outputs["loss_g"][-1].item()  # waits for the device, once: the clock starts when these calls are done
            self._mark = (time.perf_counter(), images_seen)
        if updates % self.every_n_updates and not is_last_update(trainer):
            return
        last = {name: values[-1] for name, values in outputs.items()}
        collectives.average_([*last.values()])
        values = torch.stack([*last.values()]).tolist()  # waits for the device: then time is true
        self.latest = dict(zip(last, values, strict=True))
        if self._mark is not None:
            self._measure(images_seen, *self._mark)
        logged = {TAGS[name]: value for name, value in self.latest.items() if name in TAGS}
        if SPEED in self.latest:
            logged[SPEED] = self.latest[SPEED]
        for logger in trainer.loggers:
            logger.log_metrics(logged | {"images_seen": images_seen}, step=updates)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time spent inside is none of the training's."""
        began = time.perf_counter()
        yield
        if self._mark is not None:
            since, images_seen = self._mark
            self._mark = (since + time.perf_counter() - began, images_seen)

    def _measure(self, images_seen: int, since: float, images_before: int) -> None:
        now, images = time.perf_counter(), images_seen - images_before
        if images:
            self.seconds, self.images_timed = self.seconds + now - since, self.images_timed + images
            self.latest[SPEED] = images / (now - since)
        self._mark = (now, images_seen)
