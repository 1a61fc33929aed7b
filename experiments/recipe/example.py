"""The repository's example: a run's generator.safetensors with its evaluation in the metadata.

python -m experiments.recipe.example RUN_FOLDER     # a trained and evaluated run
"""

import json
import sys
from pathlib import Path

import safetensors
import safetensors.torch

from cgan_lightning.models.generator_file import FILE_NAME
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.old_names import read_json

EXAMPLE = Path(__file__).with_name(FILE_NAME)


def keep(run: Path, place: Path) -> None:
    """Write the generator of `run` to `place`, with its evaluation added to the metadata.

    Raises UserError for a run that was never evaluated.
    """
    results = read_json(RunFolder(run).results)
    if "evaluation" not in results:
        raise UserError(f"{run} was never evaluated: python -m cgan_lightning.evaluate checkpoint={run}")
    scores = results["evaluation"] | {key: results[key] for key in ("images_seen", "epochs", "git_revision")}
    weights = (run / FILE_NAME).read_bytes()
    with safetensors.safe_open(run / FILE_NAME, "pt") as file:
        metadata = file.metadata() | {"scores": json.dumps(scores)}
    content = safetensors.torch.save(safetensors.torch.load(weights), metadata)
    write_atomically(place, lambda temporary: temporary.write_bytes(content))


if __name__ == "__main__":
    keep(Path(sys.argv[1]), EXAMPLE)
