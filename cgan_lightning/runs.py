"""Lists runs: `python -m cgan_lightning.runs [FOLDER] [--sort COLUMN] [--csv FILE]`."""

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
        description="The runs in a folder: what differs between them, how far they are, how good, and when they ended.",
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs"), help="where the run folders are (runs)")
    parser.add_argument("--sort", metavar="COLUMN", default="ended", help="a column; --sort=-COLUMN: from the largest down")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table there too")
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
