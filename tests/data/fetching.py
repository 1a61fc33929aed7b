"""`python -m tests.data.fetching FOLDER`: where the data is, when the system's own folder is FOLDER."""

import logging
import sys
from pathlib import Path

from cgan_lightning.data import sources

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    sources._system_folder = lambda _: Path(sys.argv[1])
    print(sources.locate(), flush=True)
