"""`python -m tests.storage.limited OVERRIDES`: a training that can take 256 MiB beside its imports."""

import resource
import sys
from pathlib import Path

import cgan_lightning.config.build  # noqa: F401  what is imported counts before the limit does
from cgan_lightning.train import main

if __name__ == "__main__":
    size = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmSize"))
    resource.setrlimit(resource.RLIMIT_AS, (int(size.split()[1]) * 1024 + 2**28, resource.RLIM_INFINITY))
    sys.argv[0] = "train"
    main()
