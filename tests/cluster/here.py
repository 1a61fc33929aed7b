"""A folder that all nodes share, what is started in it and what is found there."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cluster.processes import environment
from tests.cluster.slurm import Cluster
from tests.helpers.processes import Forked

REPOSITORY = Path(__file__).parents[2]
RUN = (
    "data.limit=512", "data.batch_size=32", "model.channels=64", "callbacks.sample_grid.columns=2", "log_every_n_updates=8",
    "trainer.max_epochs=4", "validation.samples=100", "experiment=small",
)  # fmt: skip
PER_EPOCH, UPDATES = 16, 64
LAUNCHED = ("--config-dir", "site", "-m", "hydra/launcher=mysite", *RUN)
ONE, TWO, TWO_NODES = ("trainer=cpu",), ("trainer=ddp_cpu",), ("trainer=ddp_cpu", "trainer.devices=1", "trainer.num_nodes=2")
SITE = """
defaults: [slurm]
partition: main
cpus_per_task: 1
timeout_min: 10
signal_delay_s: 60
setup: [export MASTER_ADDR=127.0.0.1]   # the nodes are names alone
"""


class Here:
    """A folder shared by all nodes, with a site's launcher file: what is started there, and what is found there."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder, self.cluster = folder, cluster
        self.launchers: list[Forked] = []
        launcher = folder / "site" / "hydra" / "launcher"
        launcher.mkdir(parents=True)
        (launcher / "mysite.yaml").write_text(SITE)

    def launch(self, *overrides: str) -> Forked:
        """A sweep over SLURM; it goes on in the background."""
        self.launchers.append(
            Forked("cgan_lightning.train", *LAUNCHED, *overrides, cwd=self.folder, **self.cluster.environment)
        )
        return self.launchers[-1]

    def end_launchers(self) -> None:
        """Those that a failed test left."""
        for launcher in self.launchers:
            if launcher.poll() is None:
                launcher.kill()
                launcher.wait(10)

    def sbatch(self, *arguments: str, options: tuple[str, ...], warned: bool) -> int:
        """experiments/slurm/train.sbatch with other `options`, and without its --signal unless it is to be `warned`."""
        lines = (REPOSITORY / "experiments" / "slurm" / "train.sbatch").read_text().splitlines(keepends=True)
        script = self.folder / "train.sbatch"
        script.write_text("".join(line for line in lines if warned or "--signal" not in line))
        export = f"--export=ALL,PYTHON={sys.executable},MASTER_ADDR=127.0.0.1"
        fixed = (export, "--gpus-per-node=0", "--cpus-per-task=1", f"--chdir={self.folder}")
        return self.cluster.submit(*fixed, *options, script, *RUN, *arguments)

    def urgent_job(self) -> int:
        """Takes both nodes from whatever runs in the partition `main`."""
        return self.cluster.submit("--partition=high", "--exclusive", "--nodes=2", "--wrap=sleep 60")

    def run(self, pattern: str = "*") -> Path:
        """The one run folder: a second one would be a defect."""
        (path,) = (path.parent for path in self.folder.glob(f"runs/{pattern}/run.json"))
        return path

    @contextmanager
    def mid_epoch(self) -> Iterator[None]:
        """Inside, the only run stands still after its first epoch, on machines of any speed, so that something can happen.

        It goes on when each of its processes has a signal waiting, or none is left.
        """
        self.wait(lambda: list(self.folder.glob("runs/*/checkpoints/last.ckpt")))
        time.sleep(0.3)
        ranks = self.ranks()
        for pid in ranks:
            os.kill(pid, signal.SIGSTOP)
        self.wait(lambda: all(_status(pid)["State"].startswith("T") for pid in ranks))  # on a busy machine, not at once
        yield
        self.wait(lambda: not any(_stands_still(pid) for pid in ranks))
        for pid in ranks:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def wait(self, is_so, timeout_s: float = 120) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.2)

    def log(self) -> str:
        return (self.run() / "train.log").read_text()

    def logs(self) -> str:
        return "\n".join(
            f"--- {path}\n{path.read_text()}" for path in [*self.folder.rglob("*.err"), *self.folder.rglob("*.log")]
        )

    def job_id(self) -> str:
        """SLURM's id of the only job that a sweep has submitted."""
        self.wait(lambda: list(self.folder.glob("runs/sweeps/*/slurm/jobs.json")))
        (path,) = self.folder.glob("runs/sweeps/*/slurm/jobs.json")
        (job_id,) = json.loads(path.read_text()).values()
        return job_id

    def ranks(self) -> list[int]:
        """The processes that train, and those that prepare batches for them."""
        return [pid for pid in self.cluster.processes() if _is_rank(pid)]


def _is_rank(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return False
    is_training = {"submitit.core._submit", "cgan_lightning.train"} & {*words}
    return bool(is_training) and words[0].endswith(Path(sys.executable).name) and "SLURM_PROCID" in environment(pid)


def _stands_still(pid: int) -> bool:
    """Whether a process is stopped and no signal waits for it."""
    try:
        status = _status(pid)
    except OSError:
        return False
    return status["State"].startswith("T") and int(status["ShdPnd"], 16) == 0


def _status(pid: int) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
