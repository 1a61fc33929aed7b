"""Log losses, D's outputs, gradient norms, learning rates and speed every few updates, without waiting for the device."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from lightning import Callback, Trainer

from cgan_lightning.distributed import collectives
from cgan_lightning.training.callbacks.later import Later
from cgan_lightning.training.due import data_of, epoch_due, is_last_update, planned_updates
from cgan_lightning.training.lr_schedule import LearningRate, rates_of

# TensorBoard orders tags by name, capitals first: Val/ (callbacks/validation.py), loss/, samples/, score/, training/, weights/.
TAGS = {
    "loss_d": "loss/discriminator",
    "loss_g": "loss/generator",
    "penalty": "loss/penalty",  # included in the discriminator's loss
    "score_real": "score/real",
    "score_fake": "score/fake",
    "d_real": "score/D(x)",  # probabilities, for a probabilistic loss
    "d_fake": "score/D(G(z))",
    "gradient_d": "training/gradient norm of the discriminator",
    "gradient_g": "training/gradient norm of the generator",
    "lr_d": "training/learning rate of the discriminator",
    "lr_g": "training/learning rate of the generator",
}
SPEED, SPEED_TAG = "images_per_second", "training/images per second"
IMAGES_TAG = "training/images seen"


class _Unread(NamedTuple):
    """The values of an update that are not logged yet: number of updates, names, values, and learning rates by network."""

    updates: int
    names: list[str]
    values: Later
    rates: dict[str, float]


class TrainingLog(Callback):
    """Log the outputs of `training_step` at every n-th update and at the last, by number of updates.

    `latest` has the last values by name, as means over ranks. `seconds` and `images_timed` are sums over all resumptions of a
    run, without the first step of each (warm-up), and on a GPU without the second (graph capture). On a GPU, values are read
    when the next ones are due, at the end of an epoch and for a checkpoint.
    """

    def __init__(self, *, every_n_updates: int) -> None:
        self.every_n_updates = every_n_updates
        self.latest: dict[str, float] = {}
        self.seconds, self.images_timed = 0.0, 0
        self._mark: tuple[float, int] | None = None
        self._unread: _Unread | None = None
        self._module: Any = None
        self._penalty = 0.0  # from the checkpoint: updates without a penalty are logged with the last one

    @property
    def mean_images_per_second(self) -> float | None:
        return self.images_timed / self.seconds if self.seconds else None

    def state_dict(self) -> dict[str, Any]:
        self._read()
        collectives.average_([self._module.last_penalty])
        state = {"latest": self.latest, "seconds": self.seconds, "images_timed": self.images_timed}
        return state | {"penalty": self._module.last_penalty.item()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.latest, self.seconds = state_dict["latest"], state_dict["seconds"]
        self.images_timed = state_dict["images_timed"]
        self._penalty = state_dict.get("penalty", 0.0)

    def setup(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        pl_module.logs_values = False

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        self._module = pl_module
        pl_module.last_penalty.fill_(self._penalty)
        self._mark, self._unread = None, None
        self._on_gpu = pl_module.device.type == "cuda"
        self._untimed = 2 if self._on_gpu else 1  # steps
        self._loggers, self._batch_size = trainer.loggers, data_of(trainer).batch_size

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        updates = trainer.global_step
        self._untimed -= 1
        if self._untimed == 0:
            outputs["loss_g"][-1].item()  # waits for the device, so that the clock starts when these steps are done
            self._mark = (time.perf_counter(), updates * self._batch_size)
        if updates % self.every_n_updates and not is_last_update(trainer):
            if epoch_due(trainer, 1):
                self._read()
            return
        last = {name: values[-1] for name, values in outputs.items()}
        collectives.average_([*last.values()])
        reads = not self._on_gpu or epoch_due(trainer, 1)
        self._read(timed=not reads)  # read together, their updates are timed together
        rates = self._rates(pl_module.lr_of, updates - 1, planned_updates(trainer))
        self._unread = _Unread(updates, [*last], Later(torch.stack([*last.values()])), rates)
        if reads:
            self._read()

    def _rates(self, lr_of: dict[str, LearningRate], update: int, planned: int) -> dict[str, float]:
        """Return the learning rate of each network at update number `update` of the run, from 0."""
        images_seen = torch.tensor([update * self._batch_size])
        rates = rates_of(lr_of.values(), images_seen, planned_images=planned * self._batch_size)[0].tolist()
        return dict(zip(lr_of, rates, strict=True))

    def _read(self, *, timed: bool = True) -> None:
        """Log the pending values at their update, and unless told otherwise the speed since the last measurement of it."""
        if self._unread is None:
            return
        (updates, names, values, rates), self._unread = self._unread, None
        images_seen = updates * self._batch_size
        self.latest = dict(zip(names, values.read(), strict=True))
        self.latest |= {"lr_d": rates["discriminator"], "lr_g": rates["generator"]}
        if timed and self._mark is not None:
            self._measure(images_seen, *self._mark)
        logged = {TAGS[name]: value for name, value in self.latest.items() if name in TAGS}
        if SPEED in self.latest:
            logged[SPEED_TAG] = self.latest[SPEED]
        for logger in self._loggers:
            logger.log_metrics(logged | {IMAGES_TAG: images_seen}, step=updates)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Exclude the time spent inside from the training time."""
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
