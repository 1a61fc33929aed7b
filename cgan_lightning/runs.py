"""List runs: `python -m cgan_lightning.runs [FOLDER] [--sort COLUMN] [--csv FILE]`."""

import argparse
import csv
import sys
from pathlib import Path

from cgan_lightning.config import version
from cgan_lightning.reporting import listing
from cgan_lightning.utils.errors import UserError


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m cgan_lightning.runs",
        description="List the runs in a folder with their differing settings, progress, FID and end time.",
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("runs"), help="the folder with the run folders (default: runs)"
    )
    parser.add_argument("--sort", metavar="COLUMN", default="ended", help="a column; --sort=-COLUMN sorts in descending order")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the table to this file")
    parser.add_argument("--version", action="version", version=version.line())
    given = parser.parse_args()
    try:
        listed = listing.listed(given.folder, given.sort)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    if given.csv:
        with given.csv.open("w", newline="") as file:
            csv.writer(file).writerows([listed.columns, *listed.rows])
    print(listing.text(listed))


if __name__ == "__main__":
    main()
