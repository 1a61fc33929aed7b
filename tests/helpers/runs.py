"""Small whole runs, actions in the middle of them, and the comparison of two results."""

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer

from cgan_lightning.config import identity
from cgan_lightning.train import train as train_command
from tests.helpers.configs import composed

SMALL = ("trainer=cpu", "data.limit=64", "data.batch_size=16", "log_every_n_updates=1")
SMALL_GRID = "callbacks.sample_grid.columns=2"
NARROW = ("model.generator.maps=32", "discriminator_label.head.hidden=8")  # trains twice as fast as the default
CHOOSES_NETWORKS = ("model=", "discriminator_label=", "experiment=", "sweep=", "plugins=")


def small(*overrides: str) -> tuple[str, ...]:
    """Return SMALL, narrow networks unless `overrides` choose others, and `overrides`."""
    narrow = () if any(override.startswith(CHOOSES_NETWORKS) for override in overrides) else NARROW
    return (*SMALL, *narrow, *overrides)


def train(*overrides: str, callbacks: Sequence[Callback] = ()) -> Path:
    """Train in the current folder with `small(*overrides)`; return the run's folder, relative to it."""
    drawn = not any(override.startswith(("callbacks=", "~callbacks.sample_grid")) for override in overrides)
    config = composed(*small(*([SMALL_GRID] if drawn else []), *overrides))
    train_command(config, callbacks=callbacks)
    return identity.run_folder(config).path


def wait_for_another_second() -> None:
    """Wait, so that TensorBoard reads the next event file after the last one: they are named by second, then by an unpadded
    number of this process (10 comes before 9). Commands take longer to start."""
    time.sleep(1 - time.time() % 1)


class Shelf:
    """Cached runs in `folder`, by their overrides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs: dict[tuple[str, ...], Path] = {}

    def copied(self, folder: Path, *overrides: str) -> Path:
        """Return a copy in `folder` of the run with these overrides, as a path relative to it."""
        if overrides not in self.runs:
            place = self.folder / str(len(self.runs))
            place.mkdir()
            with contextlib.chdir(place):
                self.runs[overrides] = place / train(*overrides)
        run = self.runs[overrides]
        relative = run.relative_to(self.folder).relative_to(run.relative_to(self.folder).parts[0])
        shutil.copytree(run, folder / relative)
        return relative


class At(Callback):
    """Perform an action in the middle of an update: after the batch has been fetched, before the step."""

    def __init__(self, update: int, action: Callable[[Trainer, LightningModule], object]) -> None:
        self.update, self.action = update, action

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == self.update - 1:
            self.action(trainer, pl_module)


def stop_at(update: int, signum: int = signal.SIGTERM) -> At:
    """Send a real signal in the middle of `update`."""
    return At(update, lambda *_: os.kill(os.getpid(), signum))


def state(folder: Path) -> dict:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def assert_same_end(folder: Path, other: Path) -> None:
    """Assert that weights, EMA, optimizer states and losses are bitwise equal."""
    one, two = state(folder), state(other)
    assert one["global_step"] == two["global_step"]
    for part in ("state_dict", "optimizer_states"):
        torch.testing.assert_close(one[part], two[part], atol=0, rtol=0)
    metrics = [json.loads((path / "results.json").read_text())["metrics"] for path in (folder, other)]
    for each in metrics:  # an interruption may add a validation, and with it a best one
        del each["images_per_second"], each["best_fid"]
    assert metrics[0] == metrics[1]
