"""Says how far a sweep is: `python -m cgan_lightning.status SWEEP_FOLDER`."""

import argparse
import sys
from pathlib import Path

from cgan_lightning.runtime.sweep_folder import SweepFolder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cgan_lightning.status", description="The state of a sweep's jobs.")
    parser.add_argument("sweep", type=Path, help="the sweep's folder, as the sweep named it: runs/sweeps/...")
    folder = SweepFolder(parser.parse_args().sweep)
    if not folder.record.is_file():
        print(f"{folder.path} is no sweep folder: give one of runs/sweeps/", file=sys.stderr)
        sys.exit(2)
    print(folder.table())


if __name__ == "__main__":
    main()
