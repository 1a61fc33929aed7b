"""`python -m tests.storage.holding FOLDER`: holds it and forks a worker, as PyTorch's DataLoader does, whose id it tells."""

import os
import sys
import time
from pathlib import Path

from cgan_lightning.storage import lock
from tests.helpers.processes import TIMEOUT_S

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with lock.hold(folder, whose="a test"):
        if worker := os.fork():
            (folder / "beside").write_text(str(worker))
            (folder / "beside").rename(folder / "worker")
        time.sleep(TIMEOUT_S)
