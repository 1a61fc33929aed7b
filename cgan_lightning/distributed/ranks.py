"""The ranks of one run: rank zero decides and writes, all train, and they end together."""

import json
import logging
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from cgan_lightning.distributed import rank_info
from cgan_lightning.distributed.failures import POLL_S, Failures
from cgan_lightning.distributed.rank_info import LOOPBACK, RankInfo
from cgan_lightning.utils.errors import RunError, UserError

GATHER_S = 600  # until all ranks are there: nodes start at different times
STARTED_BY = "CGAN_STARTED_BY"  # the process id of the rank zero that started this rank
BACKENDS = {"gloo": "gloo", "nccl": "cpu:gloo,cuda:nccl"}  # decisions are sent between CPUs
END_S = 15  # rank zero, which holds the store, waits so long for the others


@contextmanager
def together(*, devices: int, num_nodes: int, setting: str, backend: str, command: Sequence[str]) -> Iterator["Alone | Ranks"]:
    """The ranks of a run on `devices` of each of `num_nodes` machines, `setting` for in these words; an error ends them all.

    Ranks that srun or torchrun started find each other; otherwise rank zero starts the rest on this machine with `command`,
    when they are `joined`. Raises UserError when the ranks that there are aren't those that are asked for.
    """
    size, result = devices * num_nodes, rank_info.given(os.environ)
    if result and result.size != size:
        raise UserError(f"{setting} is {size} ranks, and {result.size} were started by srun or torchrun: make them agree")
    if not result and num_nodes > 1:
        raise UserError(f"{setting}: other machines' ranks are started by hydra/launcher=slurm, by srun or by torchrun")
    if "SLURM_CPUS_PER_TASK" in os.environ and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(int(os.environ["SLURM_CPUS_PER_TASK"]))  # the machine may have more, for other jobs
    if size == 1:
        yield Alone()
        return
    ranks = Ranks(result or RankInfo(size=size), backend, command=() if result else command)
    if ranks.rank:
        logging.getLogger("cgan_lightning").setLevel(logging.WARNING)  # rank zero speaks for all
    try:
        with ranks.failures.as_one():
            yield ranks
    finally:
        ranks.leave()


class Alone:
    """A run of one process: it decides, and there is nobody to join."""

    here = RankInfo()
    rank, size, local_rank = here.rank, here.size, here.local_rank

    def decided_by_zero(self, make: Callable[[], AbstractContextManager[Any]]) -> AbstractContextManager[Any]:
        return make()

    def process_group(self, logs: Path) -> AbstractContextManager[None]:
        return nullcontext()


class Ranks:
    """All ranks of a run, from the side of one of them."""

    def __init__(self, here: RankInfo, backend: str, *, command: Sequence[str]) -> None:
        self.rank, self.size, self.local_rank = here.rank, here.size, here.local_rank
        self.here, self.backend, self.command = here, backend, command
        self.store = _store(here)
        self.children: list[subprocess.Popen] = []
        self.failures = Failures(self.store, self.rank, self.children)
        self._threads = torch.get_num_threads()

    @contextmanager
    def decided_by_zero(self, make: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
        """Rank zero alone enters `make()`; every rank gets what that gives (plain data), or its error."""
        if self.rank:
            while not self.store.check(["decided"]):
                self.failures.check()
                time.sleep(POLL_S)
            yield json.loads(self.store.get("decided"))
            return
        with make() as value:
            self.store.set("decided", json.dumps(value))
            yield value

    @contextmanager
    def process_group(self, logs: Path) -> Iterator[None]:
        """Inside, the ranks can reduce and broadcast. What started ranks write goes to `logs`/rank1.log and so on."""
        if self.command:
            if "OMP_NUM_THREADS" not in os.environ:
                torch.set_num_threads(max(1, self._threads // self.size))
            self.children += [self._start(rank, logs / f"rank{rank}.log") for rank in range(1, self.size)]
        self._gather()
        self.failures.watch()
        if self.here.address == LOOPBACK:
            loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
            os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
        distributed.init_process_group(
            self.backend, store=distributed.PrefixStore("group", self.store), rank=self.rank, world_size=self.size
        )
        with self.failures.as_one():
            yield

    def leave(self) -> None:
        """The end of this rank; rank zero waits for the others, a while."""
        if distributed.is_initialized():
            distributed.destroy_process_group()
        self.failures.over.set()
        deadline = time.monotonic() + END_S
        try:
            ended = self.store.add("ended", 1)
            while self.rank == 0 and ended < self.size and time.monotonic() < deadline and not self._all_children_ended():
                time.sleep(POLL_S)
                ended = self.store.add("ended", 0)
        except distributed.DistError:
            pass  # rank zero has gone already
        for child in self.children:
            try:
                child.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        torch.set_num_threads(self._threads)

    def _start(self, rank: int, log: Path) -> subprocess.Popen:
        spoken = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": self.size, STARTED_BY: os.getpid(),
                  "MASTER_ADDR": LOOPBACK, "MASTER_PORT": self.store.port,
                  "OMP_NUM_THREADS": torch.get_num_threads()}  # fmt: skip
        environment = os.environ | {key: str(value) for key, value in spoken.items()}
        with log.open("w") as file:
            return subprocess.Popen(self.command, env=environment, stdout=file, stderr=subprocess.STDOUT)  # noqa: S603

    def _gather(self) -> None:
        self.store.add("arrived", 1)
        deadline = time.monotonic() + GATHER_S
        while (arrived := self.store.add("arrived", 0)) < self.size:
            self.failures.check()
            if time.monotonic() > deadline:
                raise RunError(f"{arrived} of {self.size} ranks were there after {GATHER_S} s: the others never came")
            time.sleep(POLL_S)

    def _all_children_ended(self) -> bool:
        return bool(self.children) and all(child.poll() is not None for child in self.children)


def _store(here: RankInfo) -> distributed.TCPStore:
    """What ranks tell each other goes through rank zero; on one machine nobody else can listen in."""
    wait = timedelta(seconds=GATHER_S)
    if here.port:
        serves = here.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"  # torchrun has one already
        if not serves:
            _wait_for_rank_zero(here)
        return distributed.TCPStore(here.address, here.port, is_master=serves, timeout=wait, wait_for_workers=False)
    listener = socket.create_server((LOOPBACK, 0))
    port = listener.getsockname()[1]
    return distributed.TCPStore(
        LOOPBACK, port, is_master=True, timeout=wait, wait_for_workers=False, master_listen_fd=listener.detach()
    )


def _wait_for_rank_zero(here: RankInfo) -> None:
    """Until it can be reached: a store's own attempts last up to half an hour, and no signal ends them."""
    started_by, deadline = os.environ.get(STARTED_BY), time.monotonic() + GATHER_S
    while True:
        try:
            socket.create_connection((here.address, here.port), timeout=10).close()
            return
        except OSError as error:
            if started_by and os.getppid() != int(started_by):
                raise RunError("rank 0, which started this one, ended without a word") from None
            if time.monotonic() > deadline:
                raise RunError(f"rank 0 could not be reached at {here.address}:{here.port} for {GATHER_S} s: {error}") from None
        time.sleep(POLL_S)
