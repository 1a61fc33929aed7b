"""`python -m tests.hostile.measured FILE MODULE ARGUMENTS`: MODULE as a command; the KiB that it took at most go to FILE.

By Linux's own account of this process; getrusage's also has the peak of the one that started it.
"""

import re
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    file, module, *sys.argv[1:] = sys.argv[1:]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        Path(file).write_text(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
