"""Stop a process, with its state saved, when its parent is killed."""

import ctypes
import os
import signal
import sys

STARTED_BY = "CGAN_POOL"  # in a job's environment: the process id of the pool that started it
PR_SET_PDEATHSIG = 1  # prctl(2)


def stop_with_it() -> None:
    """Make Linux send SIGTERM to this process when the pool that started it ends for any reason; only Linux can."""
    if sys.platform != "linux" or STARTED_BY not in os.environ:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(os.environ[STARTED_BY]):  # the parent has already ended
        os.kill(os.getpid(), signal.SIGTERM)
