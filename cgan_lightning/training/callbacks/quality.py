"""FID and class accuracy while a run trains, and the best checkpoint by them."""

import contextlib
import copy
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from cgan_lightning.data import fashion_mnist
from cgan_lightning.distributed import collectives
from cgan_lightning.evaluation import judge, suite
from cgan_lightning.sampling import sampling
from cgan_lightning.training.callbacks.checkpoints import Checkpoints
from cgan_lightning.training.callbacks.schedule import AskedToStop, data_of, epoch_due, is_last_update
from cgan_lightning.training.callbacks.training_log import TrainingLog

log = logging.getLogger(__name__)

TAGS = {"fid": "image quality/FID to training images", "class_accuracy": "image quality/class accuracy"}


class Quality(Callback):
    """Measures the averaged generator against training images every n epochs and at the end; None: never.

    `samples` pictures (no more than there are training images), the same z each time, against as many training images of
    each class, those that `data.per_class_limit` leaves out too; the test split is left for `evaluate`. A look takes seconds,
    and a run that is `asked` to stop has few: then it is given up, and comes first when the run goes on. The last one isn't,
    nor one of several ranks.
    `curve` has a point for each look. The state with the lowest FID so far is kept as the best checkpoint. All ranks take
    part, and none of the training's randomness is touched.
    """

    def __init__(
        self,
        *,
        training_log: TrainingLog,
        checkpoints: Checkpoints,
        asked: AskedToStop,
        every_n_epochs: int | None,
        samples: int,
    ) -> None:
        self.training_log, self.checkpoints, self.asked = training_log, checkpoints, asked
        self.every_n_epochs, self.samples = every_n_epochs, samples
        self.curve: list[dict[str, float]] = []
        self.protocol: dict[str, Any] = {}  # how the curve was measured
        self.shown_as_validating: Callable[[Trainer], AbstractContextManager[None]] = lambda _: contextlib.nullcontext()
        self._judged: tuple[judge.Judge, suite.Seen] | None = None  # with training images, once the first look asks

    @property
    def latest(self) -> dict[str, float]:
        """The last look's values by name, and the lowest FID of all."""
        if not self.curve:
            return {}
        return {name: self.curve[-1][name] for name in TAGS} | {"best_fid": min(point["fid"] for point in self.curve)}

    def state_dict(self) -> dict[str, Any]:
        return {"curve": self.curve, "protocol": self.protocol}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve, self.protocol = state_dict["curve"], state_dict["protocol"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        seen = self.curve[-1]["updates"] if self.curve else 0
        if seen < trainer.global_step:
            self._look_if_due(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._look_if_due(trainer, pl_module)

    def _look_if_due(self, trainer: Trainer, pl_module: Any) -> None:
        if self.every_n_epochs and epoch_due(trainer, self.every_n_epochs):
            with self.training_log.paused(), contextlib.suppress(_GivenUpError), self.shown_as_validating(trainer):
                self.look(trainer, pl_module, images_seen=trainer.global_step * data_of(trainer).batch_size)

    def look(self, trainer: Trainer, pl_module: Any, *, images_seen: int) -> None:
        found = self._measured(trainer, pl_module)
        best_so_far = min((point["fid"] for point in self.curve), default=float("inf"))
        self.curve.append({"updates": trainer.global_step, "images_seen": images_seen, **found})
        for logger in trainer.loggers:
            logger.log_metrics({TAGS[name]: value for name, value in found.items()}, step=trainer.global_step)
        if found["fid"] < best_so_far:
            self.checkpoints.save(trainer, pl_module, self.checkpoints.best)

    def _measured(self, trainer: Trainer, pl_module: Any) -> dict[str, float]:
        classes = fashion_mnist.numbers(data_of(trainer).class_names)
        per_class = max(1, min(self.samples, len(data_of(trainer).reference[1])) // len(classes))
        self._judged = self._judged or _judged_training_images(trainer, pl_module, classes, per_class)
        ours, real = self._judged
        generator = copy.deepcopy(pl_module.best_generator)
        if not collectives.several_ranks() and not is_last_update(trainer):
            generator.register_forward_pre_hook(self._give_up_if_asked)
        collectives.copy_from_zero_([*generator.state_dict().values()])  # batch norm's statistics are each rank's own
        pixels, labels = sampling.balanced(generator, pl_module.prior, len(classes), per_class * len(classes), seed=0)
        protocol = {"samples": len(labels), "training_images": len(real.labels), "judge": ours.hash}
        self._follow(protocol | suite.told(classes))
        return suite.glance(suite.look(ours, pixels, classes[labels]), real)

    def _give_up_if_asked(self, *_: Any) -> None:
        if self.asked.signum:
            raise _GivenUpError

    def _follow(self, protocol: dict[str, Any]) -> None:
        if self.curve and self.protocol != protocol:
            log.warning(
                "FIDs so far were measured as %s, now %s: they can't be compared, and are left out", self.protocol, protocol
            )
            self.curve = []
        self.protocol = protocol


class _GivenUpError(Exception):
    """A look that is to be taken later."""


def _judged_training_images(
    trainer: Trainer, pl_module: Any, classes: Tensor, per_class: int
) -> tuple[judge.Judge, suite.Seen]:
    """The judge on the training device, and training images as it sees them."""
    ours, (images, labels) = judge.load(device=pl_module.device), data_of(trainer).reference
    rows = suite.balanced_rows(labels, per_class, seed=0)
    return ours, suite.look_at_real(ours, images[rows], classes[labels[rows]])
