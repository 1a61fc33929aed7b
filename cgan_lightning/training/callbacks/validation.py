"""Validation during training: FID, class accuracy, and the best checkpoint by FID."""

import contextlib
import copy
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from cgan_lightning.distributed import collectives
from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.sampling import sampling
from cgan_lightning.storage.run_logger import RunLogger
from cgan_lightning.training.callbacks.checkpoints import Checkpoints
from cgan_lightning.training.callbacks.training_log import TrainingLog
from cgan_lightning.training.due import StopRequest, data_of, epoch_due, is_last_update

log = logging.getLogger(__name__)

TAGS = {"fid": "Val/FID to training images", "class_accuracy": "Val/class accuracy"}


class Validation(Callback):
    """Validate the EMA generator against training images every n epochs and at the end; None: never.

    `samples` images (at most the number of training images), with the same z each time, are compared with as many training
    images of each class, including those that `data.per_class_limit` excludes; the test split is only used by `evaluate`.
    If the run is asked to stop (`stop_request`), a validation, which takes seconds, is abandoned and repeated when the run
    resumes, except the last one and those on several ranks.
    `curve` has a point for each validation. The checkpoint with the lowest FID is saved as the best one. All ranks take part,
    and the random state of training is not changed.
    """

    def __init__(
        self,
        *,
        training_log: TrainingLog,
        checkpoints: Checkpoints,
        stop_request: StopRequest,
        every_n_epochs: int | None,
        samples: int,
    ) -> None:
        self.training_log, self.checkpoints, self.stop_request = training_log, checkpoints, stop_request
        self.every_n_epochs, self.samples = every_n_epochs, samples
        self.curve: list[dict[str, float]] = []
        self.protocol: dict[str, Any] = {}  # of the curve
        self.shown_as_validating: Callable[[Trainer], AbstractContextManager[None]] = lambda _: contextlib.nullcontext()
        self._reference: tuple[feature_extractor.FeatureExtractor, suite.Features] | None = None  # set by the first validation

    @property
    def latest(self) -> dict[str, float]:
        """The values of the last validation by name, and the lowest FID of all."""
        if not self.curve:
            return {}
        return {name: self.curve[-1][name] for name in TAGS} | {"best_fid": min(point["fid"] for point in self.curve)}

    def state_dict(self) -> dict[str, Any]:
        return {"curve": self.curve, "protocol": self.protocol}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve, self.protocol = state_dict["curve"], state_dict["protocol"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        validated = self.curve[-1]["updates"] if self.curve else 0
        if validated < trainer.global_step:
            self._validate_if_due(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._validate_if_due(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, RunLogger):
                logger.log_final(self.training_log.latest | self.latest, trainer.global_step)

    def _validate_if_due(self, trainer: Trainer, pl_module: Any) -> None:
        if self.every_n_epochs and epoch_due(trainer, self.every_n_epochs):
            with self.training_log.paused(), contextlib.suppress(_AbandonedError), self.shown_as_validating(trainer):
                self.validate(trainer, pl_module, images_seen=trainer.global_step * data_of(trainer).batch_size)

    def validate(self, trainer: Trainer, pl_module: Any, *, images_seen: int) -> None:
        measured = self._measured(trainer, pl_module)
        best_so_far = min((point["fid"] for point in self.curve), default=float("inf"))
        self.curve.append({"updates": trainer.global_step, "images_seen": images_seen, **measured})
        for logger in trainer.loggers:
            logger.log_metrics({TAGS[name]: value for name, value in measured.items()}, step=trainer.global_step)
        if measured["fid"] < best_so_far:
            self.checkpoints.save(trainer, pl_module, self.checkpoints.best)

    def _measured(self, trainer: Trainer, pl_module: Any) -> dict[str, float]:
        data = data_of(trainer)
        classes = torch.tensor(data.classes)
        per_class = _per_class(data, self.samples)
        self._reference = self._reference or _reference(trainer, pl_module, classes, per_class)
        extractor, real = self._reference
        generator = copy.deepcopy(pl_module.best_generator)
        if not collectives.several_ranks() and not is_last_update(trainer):
            generator.register_forward_pre_hook(self._abandon_if_stopping)
        collectives.copy_from_zero_([*generator.state_dict().values()])  # batch norm's statistics differ between ranks
        count, size = per_class * len(classes), data.spec.image_size
        pixels, labels = sampling.balanced(generator, pl_module.prior, len(classes), count, seed=0, size=size)
        protocol = {"samples": len(labels), "training_images": len(real.labels), "feature_extractor": extractor.hash}
        self._set_protocol(protocol | suite.data_entry(data.spec, classes))
        return suite.validate(suite.features_of(extractor, pixels, classes[labels]), real)

    def _abandon_if_stopping(self, *_: Any) -> None:
        if self.stop_request.signum:
            raise _AbandonedError

    def _set_protocol(self, protocol: dict[str, Any]) -> None:
        if self.curve and self.protocol != protocol:
            log.warning(
                "FIDs so far were measured as %s, now as %s: they cannot be compared, and are dropped", self.protocol, protocol
            )
            self.curve = []
        self.protocol = protocol


class _AbandonedError(Exception):
    """A validation was abandoned; it is repeated when the run resumes."""


def _per_class(data: Any, samples: int) -> int:
    """Return the number of samples of each class: of unequal classes, no more than the smallest has images."""
    labels = data.reference[1]
    most = max(1, min(samples, len(labels)) // data.num_classes)
    return (
        most if data.spec.is_balanced else min(most, *torch.bincount(labels, minlength=data.num_classes).clamp(min=1).tolist())
    )


def _reference(
    trainer: Trainer, pl_module: Any, classes: Tensor, per_class: int
) -> tuple[feature_extractor.FeatureExtractor, suite.Features]:
    """Return the feature extractor, on the training device, and its features of the training images."""
    data = data_of(trainer)
    extractor, (images, labels) = feature_extractor.of_data(data.spec, pl_module.device), data.reference
    rows = suite.balanced_rows(labels, per_class, seed=0)
    return extractor, suite.features_of_real(extractor, images[rows], classes[labels[rows]])
