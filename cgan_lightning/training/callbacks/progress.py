"""Progress of a run: a bar on a terminal, plain lines elsewhere and in the run's log file."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from tqdm import tqdm

from cgan_lightning.training.callbacks.training_log import SPEED, TrainingLog
from cgan_lightning.training.callbacks.validation import Validation
from cgan_lightning.training.due import is_last_update, planned_updates, updates_per_epoch
from cgan_lightning.utils.files import write_json

log = logging.getLogger(__name__)


class Progress(Callback):
    """One bar over the whole run, in images, or a line every `line_every_s` seconds, without the time spent on validation.

    Losses come from `training_log`, FID from `validation`. Every `file_every_s` the same is written to `file` as JSON for
    other processes (a sweep's status, a pool's bars).
    """

    def __init__(
        self,
        training_log: TrainingLog,
        validation: Validation,
        *,
        file: Path,
        batch_size: int,
        line_every_s: float = 15,
        file_every_s: float = 2,
    ) -> None:
        self.training_log, self.validation = training_log, validation
        self.file = file
        self.batch_size = batch_size  # of all devices together
        self.line_every_s, self.file_every_s = line_every_s, file_every_s
        self._next_file = 0.0
        self.bar: tqdm | None = None
        self._bar_timed = False
        self._next_line: float | None = None  # when the next line is due; None before training starts
        validation.shown_as_validating = self.validating

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._next_line = time.monotonic() + self.line_every_s
        self._write(trainer)
        if sys.stderr.isatty() and trainer.is_global_zero:
            done, total = (updates * self.batch_size for updates in (trainer.global_step, planned_updates(trainer)))
            self.bar = tqdm(
                desc=f"epoch {_epoch(trainer)}", initial=done, total=total, unit=" images", unit_scale=True,
                dynamic_ncols=True, smoothing=0.05, leave=True,
            )  # fmt: skip
            self._bar_timed = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.bar is not None:
            self._advance(self.bar, trainer)
        if time.monotonic() >= self._next_file or is_last_update(trainer):
            self._next_file = time.monotonic() + self.file_every_s
            self._write(trainer)
        if time.monotonic() >= (self._next_line or 0) or is_last_update(trainer):
            self._next_line = time.monotonic() + self.line_every_s
            log.log(logging.DEBUG if self.bar is not None else logging.INFO, "%s", self._line(trainer))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close()
        if self._next_line is not None:  # else it failed before training started
            self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        if trainer.is_global_zero:
            counts = {"updates": trainer.global_step, "planned": planned_updates(trainer), "batch_size": self.batch_size}
            result = {"images_per_second": self.training_log.latest.get(SPEED), "fid": self.validation.latest.get("fid")}
            write_json(self.file, counts | result)

    @contextmanager
    def validating(self, trainer: Trainer) -> Iterator[None]:
        """Show "validating" and pause the bar's clock; without a bar, log a line."""
        if (bar := self.bar) is None:
            log.info("epoch %s  validating", _epoch(trainer))
            yield
            return
        self._advance(bar, trainer)
        bar.set_postfix_str("validating")
        began = time.time()  # tqdm's clock
        try:
            yield
        finally:
            pause = time.time() - began
            bar.start_t, bar.last_print_t = bar.start_t + pause, bar.last_print_t + pause

    def _advance(self, bar: tqdm, trainer: Trainer) -> None:
        images = trainer.global_step * self.batch_size
        if self._bar_timed:
            bar.update(images - bar.n)
        else:  # the first update after a start or resumption: tqdm's clock starts after it
            self._bar_timed = True
            bar.initial = bar.n = bar.last_print_n = images
            bar.start_t = bar.last_print_t = time.time()
        bar.set_description_str(f"epoch {_epoch(trainer)}", refresh=False)
        bar.set_postfix(self._values(), refresh=False)

    def _line(self, trainer: Trainer) -> str:
        updates, planned = trainer.global_step, planned_updates(trainer)
        parts = [f"epoch {_epoch(trainer)}", f"update {updates:,}/{planned:,}"]
        parts += [f"{name} {value}" for name, value in self._values().items()]
        if speed := self.training_log.latest.get(SPEED):
            left = round((planned - updates) * self.batch_size / speed)
            parts += [f"{speed:,.0f} images/s", f"{left // 60}:{left % 60:02} left"]
        return "  ".join(parts)

    def _values(self) -> dict[str, str]:
        shown = {name: f"{value:.3f}" for name, value in self.training_log.latest.items() if name.startswith("loss")}
        return shown | ({"FID": f"{self.validation.latest['fid']:.3f}"} if self.validation.curve else {})

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _epoch(trainer: Trainer) -> str:
    """Return the epoch of the last update, from 1, and the number of epochs, such as "2/25"."""
    per_epoch = int(updates_per_epoch(trainer))
    return f"{max(trainer.global_step - 1, 0) // per_epoch + 1}/{-(-planned_updates(trainer) // per_epoch)}"
