"""A training to be disturbed: a command that is started again until it ends, and what it lost by that."""

import json
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tests.helpers.processes import Forked

TRAINING = (
    *("data.limit=64", "data.batch_size=16", "trainer.max_epochs=20", "log_every_n_updates=2"),  # 80 updates, 4 an epoch
    *("validation.samples=100", "callbacks.sample_grid.columns=2", "resume=auto"),
    "experiment=documented",  # whose files have the sizes that the disks are made for
)
ONE, TWO = ("trainer=cpu",), ("trainer=ddp_cpu", "trainer.max_epochs=10")  # two ranks take twice as long on one core
OVER_S = 300
STARTS_S, TRAINS_S = (1, 4), (0, 2)  # from when the fork has its handlers; on one core it trains for 7 s in all


@dataclass
class Outcome:
    """What became of a kind of fault; a row of the table."""

    fault: str
    tried: int = 0
    survived: int = 0
    bytes_lost: int = 0
    slowest_end_s: float | None = None
    remarks: list[str] = field(default_factory=list)


class Training:
    """One run in a folder of its own, in as many processes, one after the other, as it takes."""

    def __init__(self, folder: Path, where: tuple[str, ...], *, name: str = "runs") -> None:
        self.folder, self.where, self.name = folder, where, name
        self.process: Forked | None = None

    @property
    def run(self) -> Path:
        return next(iter((self.folder / self.name).glob("channels*")), self.folder / self.name / "none")

    def start(self) -> Forked:
        command = ("cgan_lightning.train", *TRAINING, *self.where, f"run_root={self.name}")
        self.process = Forked(*command, cwd=self.folder, OMP_NUM_THREADS="1")
        return self.process

    def wait_until_it_trains(self) -> None:
        assert self.process is not None
        began = time.time()
        while not self._progressed_since(began) and self.process.poll() is None:
            time.sleep(0.01)

    def _progressed_since(self, began: float) -> bool:
        try:
            return (self.run / "progress.json").stat().st_mtime > began
        except FileNotFoundError:  # not yet, or an earlier process's that this one has just removed
            return False

    def writes_checkpoint(self) -> bool:
        return any(self.run.glob("checkpoints/.*.partial"))

    def wait_for_a_checkpoint(self) -> bool:
        """Until the writing of one begins; false when the process ends before that."""
        assert self.process is not None
        for wanted in (False, True):
            while self.writes_checkpoint() is not wanted:
                if self.process.poll() is not None:
                    return False
                time.sleep(0.0005)
        return True

    def end(self) -> str:
        """Lets it come to its end; what it said."""
        assert self.process is not None
        self.process.wait(OVER_S)
        return self.process.stdout + self.process.stderr

    def finish(self) -> None:
        """Starts it once more and lets it come to a good end."""
        process = self.start()
        said = self.end()
        assert process.returncode == 0, said

    def ranks(self) -> list[int]:
        """The processes of a run of two ranks, rank zero first."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


def bytes_lost(run: Path, whole: Path) -> int:
    """How many bytes of weights, averages, optimizers and metrics are not those of a run without a fault."""
    ours, theirs = (torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (run, whole))
    assert ours["global_step"] == theirs["global_step"]
    lost = 0
    for part in ("state_dict", "optimizer_states"):
        for mine, other in zip(_leaves(ours[part]), _leaves(theirs[part]), strict=True):
            if (a := _bytes(mine)) != (b := _bytes(other)):
                lost += sum(x != y for x, y in zip(a, b, strict=True))
    metrics = [json.loads((folder / "results.json").read_text()) for folder in (run, whole)]
    for each in metrics:
        del each["metrics"]["images_per_second"]
    for part in ("metrics", "validation"):
        if metrics[0][part] != metrics[1][part]:
            lost += len(json.dumps(metrics[1][part]))
    return lost


def assert_survived(outcome: Outcome, training: Training, whole: Path) -> None:
    """Lets `training` end, and counts all that was tried on it as survived if nothing is lost."""
    training.finish()
    outcome.bytes_lost += bytes_lost(training.run, whole)
    assert outcome.bytes_lost == 0
    outcome.survived = outcome.tried
    assert not list(training.run.rglob("*.partial"))


def signalled(training: Training, signum: int, rng: random.Random) -> float | None:
    """Starts the training and sends `signum` to one of its ranks; how long it then took to end, None if it was over before.

    At a random moment of its start in one case of four, else in the first seconds in which it trains.
    """
    process = training.start()
    in_training = rng.random() < 0.75
    if in_training:
        training.wait_until_it_trains()
    try:
        process.wait(rng.uniform(*(TRAINS_S if in_training else STARTS_S)))
        return None
    except subprocess.TimeoutExpired:
        os.kill(rng.choice(training.ranks()), signum)
        sent = time.monotonic()
    said = training.end()
    ended = time.monotonic() - sent
    allowed = {-signum, 1} if signum == signal.SIGKILL else {128 + signum}  # 1: the rank that saw another one die
    assert process.returncode in allowed, said
    assert "Traceback" not in said
    return ended


def _leaves(content: object) -> list[object]:
    if isinstance(content, dict):
        return [leaf for key in content for leaf in [key, *_leaves(content[key])]]
    if isinstance(content, list | tuple):
        return [leaf for item in content for leaf in _leaves(item)]
    return [content]


def _bytes(leaf: object) -> bytes:
    return leaf.contiguous().numpy().tobytes() if isinstance(leaf, torch.Tensor) else repr(leaf).encode()
