"""Reuse of freed memory, peak-memory counters, and the error message for running out of memory."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cgan_lightning.utils.errors import RunError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
GIB = 2**30


def keep_freed() -> None:
    """Make glibc keep freed memory for reuse.

    By default it returns large blocks to the system, which zeroes their pages again in each update: about a tenth of an
    update's time on a CPU. Does nothing without glibc (macOS, musl).
    """
    if (library := _glibc()) is None:
        return
    library.mallopt(M_MMAP_THRESHOLD, GIB)
    library.mallopt(M_TRIM_THRESHOLD, 2 * GIB - 1)
    library.mallopt(M_TOP_PAD, GIB // 16)


def count_peak_anew() -> None:
    """Free memory left by an earlier run in this process, and reset the peak-memory counters."""
    import torch

    gc.collect()
    if (library := _glibc()) is not None:
        library.malloc_trim(0)
    with contextlib.suppress(OSError):  # not Linux, or not permitted
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM: man 5 proc
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


@contextmanager
def advice(advice: str) -> Iterator[None]:
    """Raise RunError with `advice` ("lower data.batch_size=4096") if GPU or host memory runs out inside the context."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if (where := _ran_out(error)) is None:
            raise
        raise RunError(f"Out of {where}: {advice}") from error


def _ran_out(error: BaseException | None) -> str | None:
    """Return which memory ran out; None for another error. In a CUDA graph capture, it is the context of another error."""
    while error is not None:
        text = f"{type(error).__name__} {error}".lower()
        if ("cuda" in text and "out of memory" in text) or "alloc_failed" in text:  # PyTorch and the driver; cuBLAS and cuDNN
            return "GPU memory"
        if isinstance(error, MemoryError) or "can't allocate memory" in text or "not enough memory" in text:
            return "memory"
        error = error.__context__
    return None
