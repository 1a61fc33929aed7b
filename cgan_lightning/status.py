"""Show the progress of a sweep: `python -m cgan_lightning.status SWEEP_FOLDER`."""

import argparse
import sys
import time
from pathlib import Path

from cgan_lightning.config import version
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError

EVERY_S = 2
CLEAR = "\x1b[H\x1b[2J"  # move the cursor to the top left and clear the screen


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cgan_lightning.status", description="Show the state of a sweep's jobs.")
    parser.add_argument("sweep", type=Path, help="the sweep folder, as printed by the sweep: runs/sweeps/...")
    parser.add_argument("--watch", action="store_true", help=f"refresh every {EVERY_S} s while the sweep runs")
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
    """Print the table when it changes, in place on a terminal, until the sweep ends or Ctrl-C."""
    shown = None
    while True:
        live, table = folder.is_live(), folder.table()  # in this order, so that the last table shows the final state
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
    """Raise UserError if the folder is not a sweep's; the message names the sweeps in it, or how to list its runs."""
    if not folder.record.is_file():
        from cgan_lightning.config import run_arguments  # OmegaConf is slow to import

        run_arguments.check_folder(str(folder.path), folder.path, ("sweep",))
        if run_arguments.holds_runs(folder.path):
            raise UserError(f"{folder.path} contains runs but no sweep: python -m cgan_lightning.runs {folder.path} lists them")
        raise UserError(f"{folder.path} is not a sweep folder: give one from runs/sweeps/")


if __name__ == "__main__":
    main()
