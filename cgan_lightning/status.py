"""Says how far a sweep is: `python -m cgan_lightning.status SWEEP_FOLDER`."""

import argparse
import sys
from pathlib import Path

from cgan_lightning.config import version
from cgan_lightning.errors import UserError
from cgan_lightning.runtime.sweep_folder import SweepFolder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cgan_lightning.status", description="The state of a sweep's jobs.")
    parser.add_argument("sweep", type=Path, help="the sweep's folder, as the sweep named it: runs/sweeps/...")
    parser.add_argument("--version", action="version", version=version.line())
    folder = SweepFolder(parser.parse_args().sweep)
    try:
        _check(folder)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(folder.table())


def _check(folder: SweepFolder) -> None:
    """Raises UserError for a folder that is no sweep's; sweeps in it are named."""
    if not folder.record.is_file():
        from cgan_lightning.config import places  # OmegaConf: not for a table

        places.check_folder(str(folder.path), folder.path, ("sweep",))
        raise UserError(f"{folder.path} is no sweep folder: give one of runs/sweeps/")


if __name__ == "__main__":
    main()
