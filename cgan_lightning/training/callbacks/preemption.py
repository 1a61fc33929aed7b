"""SIGTERM, SIGINT and SIGUSR2: finish the update, write the checkpoint, stop."""

import signal
from typing import Any

from lightning import Callback, LightningModule, Trainer

from cgan_lightning.distributed import collectives
from cgan_lightning.training.callbacks.checkpoints import Checkpoints
from cgan_lightning.training.callbacks.due import StopRequest, is_last_update
from cgan_lightning.utils.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)  # the last: SLURM's, when a job's time is nearly up


class Preemption(Callback):
    """The handler sets a flag, nothing else; the update under way ends, then the state is whole and is written.

    A second SIGINT stops at once, without a checkpoint. Raises Interrupted out of `trainer.fit`.
    """

    def __init__(self, checkpoints: Checkpoints, stop_request: StopRequest) -> None:
        self.checkpoints = checkpoints
        self.stop_request = stop_request
        self._earlier: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Lightning has set its own handlers by now; its SIGTERM handler talks to the other ranks, which a handler mustn't.
        self._earlier = {signum: signal.signal(signum, self._note) for signum in SIGNALS}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        signum = collectives.all_reduce_max(
            self.stop_request.signum
        )  # whichever rank was told to stop, all do, after this update
        if not signum or is_last_update(trainer):
            return
        self.checkpoints.save(trainer, pl_module, self.checkpoints.last)
        name = signal.Signals(signum).name
        raise Interrupted(signum, f"Stopped by {name} after update {trainer.global_step:,}, which is saved")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._give_back()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._give_back()

    def _give_back(self) -> None:
        for signum, handler in self._earlier.items():
            signal.signal(signum, handler)
        self._earlier = {}

    def _note(self, signum: int, _frame: object) -> None:
        if signum == signal.SIGINT and self.stop_request.signum == signal.SIGINT:
            raise KeyboardInterrupt
        self.stop_request.signum = signum
