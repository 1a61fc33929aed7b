"""When one rank fails, all end, with its sentence."""

import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from torch import distributed

from cgan_lightning.utils.errors import Interrupted, RunError, UserError

log = logging.getLogger("cgan_lightning")
GRACE_S = 10  # from another rank's failure to the end of a rank that doesn't come back by itself
POLL_S = 0.2
_KINDS: dict[str, type[Exception]] = {"UserError": UserError, "RunError": RunError}


class Failures:
    """The first failure among the ranks, kept in the `store` that rank zero has for all.

    `children` are the ranks that this one has started: their end without a report is noticed.
    """

    def __init__(self, store: distributed.TCPStore, rank: int, children: list[subprocess.Popen]) -> None:
        self.store, self.rank, self.children = store, rank, children
        self.over = threading.Event()

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """Report an error inside to the other ranks, and raise the one that came first."""
        try:
            yield
        except Interrupted:
            raise  # all ranks agreed on it
        except BaseException as error:
            first = self._first(error)
            if str(first) == str(error):
                raise
            raise first from error

    def check(self) -> None:
        """Raise what another rank has reported, or how a rank that this one started has ended."""
        if self.store.check(["failure"]):
            raise self._error(self.store.get("failure"))
        if dead := self._dead_child():
            raise RunError(dead)

    def watch(self) -> None:
        """Start a thread that ends this process when another rank has failed while this one waits for it."""
        store = self.store.clone()  # a thread's own connection
        threading.Thread(target=self._watch, args=(store,), daemon=True).start()

    def _watch(self, store: distributed.TCPStore) -> None:
        sentence = None
        while sentence is None and not self.over.wait(1):
            try:
                if store.check(["failure"]):
                    sentence = str(self._error(store.get("failure")))
            except distributed.DistError:
                sentence = "rank 0 ended without a word"
        if not self.over.wait(GRACE_S):
            log.error("%s", sentence)
            os._exit(1)

    def _first(self, error: BaseException) -> BaseException:
        """The failure that ends the run: another rank's when that came before `error`, which may only follow from it."""
        try:
            if isinstance(error, distributed.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error)):
                error = self._who_was_lost() or error
            message = self.store.compare_set("failure", "", json.dumps([self.rank, type(error).__name__, str(error)]))
        except distributed.DistError:
            return RunError("rank 0 ended without a word")
        return error if json.loads(message)[0] == self.rank else self._error(message)

    def _who_was_lost(self) -> RunError | None:
        """A rank tells its failure before its connections close; one that was killed can't, and who started it sees it."""
        deadline = time.monotonic() + (1 if self.rank == 0 else 5)
        while time.monotonic() < deadline:
            if self.store.check(["failure"]):
                return None
            if dead := self._dead_child():
                return RunError(dead)
            time.sleep(POLL_S)
        return RunError(f"rank {self.rank} lost the connection to another rank, which ended without a word")

    def _error(self, message: bytes) -> Exception:
        rank, kind, sentence = json.loads(message)
        if kind in _KINDS:
            return _KINDS[kind](sentence)
        where = f" (more in the run folder's rank{rank}.log)" if self.children else ""
        return RunError(f"rank {rank}: {kind}: {sentence}{where}")

    def _dead_child(self) -> str | None:
        for rank, child in enumerate(self.children, 1):
            code = child.poll() or 0
            if code < 0:
                return f"rank {rank} was ended by {signal.Signals(-code).name}"
            if code:
                return f"rank {rank} ended with exit code {code} (more in the run folder's rank{rank}.log)"
        return None
