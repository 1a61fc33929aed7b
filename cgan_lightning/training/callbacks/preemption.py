"""On SIGTERM, SIGINT and SIGUSR2: finish the update, write the checkpoint, stop."""

import signal
from typing import Any

from lightning import Callback, LightningModule, Trainer

from cgan_lightning.distributed import collectives
from cgan_lightning.training.callbacks.checkpoints import Checkpoints
from cgan_lightning.training.due import StopRequest, is_last_update
from cgan_lightning.utils.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)  # SIGUSR2: from SLURM, shortly before a job's time limit


class Preemption(Callback):
    """Stop a run after the current update and save its checkpoint; the signal handler only sets a flag.

    A second SIGINT stops immediately, without a checkpoint. `trainer.fit` raises Interrupted.
    """

    def __init__(self, checkpoints: Checkpoints, stop_request: StopRequest) -> None:
        self.checkpoints = checkpoints
        self.stop_request = stop_request
        self._earlier: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Replaces Lightning's handlers, whose SIGTERM handler communicates with other ranks, which is unsafe in a handler.
        self._earlier = {signum: signal.signal(signum, self._note) for signum in SIGNALS}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        signum = collectives.all_reduce_max(self.stop_request.signum)  # a signal to any rank stops all after this update
        if not signum or is_last_update(trainer):
            return
        self.checkpoints.save(trainer, pl_module, self.checkpoints.last)
        name = signal.Signals(signum).name
        raise Interrupted(signum, f"Stopped by {name} after update {trainer.global_step:,}, which is saved")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._restore_handlers()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._restore_handlers()

    def _restore_handlers(self) -> None:
        for signum, handler in self._earlier.items():
            signal.signal(signum, handler)
        self._earlier = {}

    def _note(self, signum: int, _frame: object) -> None:
        if signum == signal.SIGINT and self.stop_request.signum == signal.SIGINT:
            raise KeyboardInterrupt
        self.stop_request.signum = signum
