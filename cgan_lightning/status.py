"""Says how far a sweep is: `python -m cgan_lightning.status SWEEP_FOLDER`."""

import argparse
import sys
import time
from pathlib import Path

from cgan_lightning.config import version
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError

EVERY_S = 2
CLEAR = "\x1b[H\x1b[2J"  # the cursor to the top, nothing below


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cgan_lightning.status", description="The state of a sweep's jobs.")
    parser.add_argument("sweep", type=Path, help="the sweep's folder, as the sweep named it: runs/sweeps/...")
    parser.add_argument("--watch", action="store_true", help=f"again every {EVERY_S} s, while the sweep runs")
    parser.add_argument("--version", action="version", version=version.line())
    given = parser.parse_args()
    folder = SweepFolder(given.sweep)
    try:
        _check(folder)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    if given.watch:
        _watch(folder)
    else:
        print(folder.table())


def _watch(folder: SweepFolder) -> None:
    """The table whenever it has changed, in place on a terminal, until the sweep ends or Ctrl-C."""
    shown = None
    while True:
        live, table = folder.is_live(), folder.table()  # in this order: the last table is of the end
        table = f"{table}\n{folder.pace()}" if live else table
        if table != shown:
            shown = table
            print(CLEAR + table if sys.stdout.isatty() else table, flush=True)
        if not live:
            return
        try:
            time.sleep(EVERY_S)
        except KeyboardInterrupt:
            sys.exit(130)


def _check(folder: SweepFolder) -> None:
    """Raises UserError for a folder that is no sweep's; sweeps in it are named, and what lists its runs."""
    if not folder.record.is_file():
        from cgan_lightning.config import run_arguments  # OmegaConf: not for a table

        run_arguments.check_folder(str(folder.path), folder.path, ("sweep",))
        if run_arguments.holds_runs(folder.path):
            raise UserError(f"{folder.path} holds runs and no sweep: python -m cgan_lightning.runs {folder.path} lists them")
        raise UserError(f"{folder.path} is no sweep folder: give one of runs/sweeps/")


if __name__ == "__main__":
    main()
