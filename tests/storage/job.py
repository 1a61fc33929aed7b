"""`python -m tests.storage.job ACTION OVERRIDES`: a training whose ranks do ACTION on the way; they are started as ever."""

import functools
import os
import signal
import sys
import time
from pathlib import Path

import torch
from lightning import Callback
from torch import nn

from cgan_lightning.config import build, build_model, command
from cgan_lightning.train import train

UPDATE = 6  # in which things happen


class During(Callback):
    """Does one of ACTIONS on one rank, in the middle of update 6."""

    def __init__(self, action: str) -> None:
        self.action = ACTIONS.get(action)

    def on_train_start(self, trainer, pl_module):
        """What this rank would draw, for those who want to compare the ranks."""
        labels = torch.arange(10, device=pl_module.device) % pl_module.num_classes
        z = torch.ones(10, pl_module.latent_dim, device=pl_module.device, dtype=pl_module.dtype)
        images = pl_module.generator.eval()(z, labels)
        pl_module.generator.train()
        torch.save({"images": images.cpu(), "update": trainer.global_step}, f"rank{trainer.global_rank}.pt")

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if self.action and trainer.global_step == UPDATE - 1:
            self.action(trainer.global_rank, pl_module)


def rank_one_fails(rank, _module):
    if rank == 1:
        raise ZeroDivisionError("nobody foresaw this")


def rank_zero_fails(rank, _module):
    if rank == 0:
        raise ZeroDivisionError("nobody foresaw this")


def rank_one_is_killed(rank, _module):
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def rank_zero_never_comes_back(rank, module):
    rank_one_fails(rank, module)
    time.sleep(100)


def rank_one_gets_sigterm(rank, _module):
    if rank == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        time.sleep(0.5)


def rank_one_has_nan(rank, module):
    if rank == 1:
        with torch.no_grad():
            module.generator.project.weight[0, 0] = float("nan")


ACTIONS = {
    action.__name__: action
    for action in (
        rank_one_fails,
        rank_zero_fails,
        rank_one_is_killed,
        rank_zero_never_comes_back,
        rank_one_gets_sigterm,
        rank_one_has_nan,
    )
}


def without_batch_norm(network: nn.Module) -> None:
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())


def main() -> None:
    action, *overrides = sys.argv[1:]
    model = build_model.model
    build.this_job = lambda _: [sys.executable, "-m", "tests.storage.job", action, *overrides]
    if action == "without_batch_norm":

        def stripped(*args):
            module = model(*args)
            module.apply(without_batch_norm)
            return module

        build_model.model = stripped
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.argv[1:] = overrides
    command.run(functools.partial(train, callbacks=[During(action)]), "train")


if __name__ == "__main__":
    main()
