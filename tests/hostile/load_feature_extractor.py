"""Load a feature extractor as `evaluate feature_extractor=FILE` does, which reads 180 MB of images first."""

import sys
from pathlib import Path

from cgan_lightning.evaluation import feature_extractor
from cgan_lightning.utils.errors import UserError

if __name__ == "__main__":
    try:
        feature_extractor.load(Path(sys.argv[1]))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
