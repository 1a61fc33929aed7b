"""What the process does with memory that tensors give back, and what it says when there is none left."""

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
    """Has glibc keep freed memory for the next tensor.

    It would give large pieces back to the system and take them anew, zeroed page by page, each update: about a tenth of an
    update's time on a CPU. Elsewhere (macOS, musl) nothing happens.
    """
    if (library := _glibc()) is None:
        return
    library.mallopt(M_MMAP_THRESHOLD, GIB)
    library.mallopt(M_TRIM_THRESHOLD, 2 * GIB - 1)
    library.mallopt(M_TOP_PAD, GIB // 16)


def count_peak_anew() -> None:
    """Gives back what an earlier run of this process has left, and counts the most memory in use from here."""
    import torch

    gc.collect()
    if (library := _glibc()) is not None:
        library.malloc_trim(0)
    with contextlib.suppress(OSError):  # not Linux, or one that forbids it
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM begins anew: man 5 proc
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
    """Raises RunError with `advice` ("lower data.batch_size=4096") when memory, a GPU's or the machine's, runs out inside."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if (where := _ran_out(error)) is None:
            raise
        raise RunError(f"Out of {where}: {advice}") from error


def _ran_out(error: BaseException | None) -> str | None:
    """Which memory ran out; None for another error. One inside a CUDA graph's capture comes behind the capture's own."""
    while error is not None:
        said = f"{type(error).__name__} {error}".lower()
        if ("cuda" in said and "out of memory" in said) or "alloc_failed" in said:  # of PyTorch, the driver; cuBLAS and cuDNN
            return "GPU memory"
        if isinstance(error, MemoryError) or "can't allocate memory" in said or "not enough memory" in said:
            return "memory"
        error = error.__context__
    return None
