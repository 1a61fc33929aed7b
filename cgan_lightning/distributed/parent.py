"""A process that stops, its state saved, when the one that started it is killed."""

import ctypes
import os
import signal
import sys

STARTED_BY = "CGAN_POOL"  # in a job's environment: the process id of the pool that started it
PR_SET_PDEATHSIG = 1  # prctl(2)


def stop_with_it() -> None:
    """Has Linux send SIGTERM to this process when the pool that started it ends, however it ends; no other system can."""
    if sys.platform != "linux" or STARTED_BY not in os.environ:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(os.environ[STARTED_BY]):  # it ended before that
        os.kill(os.getpid(), signal.SIGTERM)
