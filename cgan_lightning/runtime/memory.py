"""What the process does with memory that tensors give back."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
GIB = 2**30


def keep_freed() -> None:
    """Has glibc keep freed memory for the next tensor.

    It would give large pieces back to the system and take them anew, zeroed page by page, each update: about a tenth of an
    update's time on a CPU. Elsewhere (macOS, musl) nothing happens.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return
    library.mallopt(M_MMAP_THRESHOLD, GIB)
    library.mallopt(M_TRIM_THRESHOLD, 2 * GIB - 1)
    library.mallopt(M_TOP_PAD, GIB // 16)
