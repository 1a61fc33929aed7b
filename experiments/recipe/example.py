"""The repository's example: a run's generator with its evaluation in the metadata.

python -m experiments.recipe.example RUN_FOLDER                    # a trained and evaluated run
python -m experiments.recipe.example RUN_FOLDER EVALUATION.json    # of `evaluate output=EVALUATION.json`
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


def keep(run: Path, place: Path, evaluation: Path | None = None) -> None:
    """Write the EMA generator of `run` to `place`, as that of a run without EMA: half the size, with its evaluation.

    Raises UserError for a run that was never evaluated.
    """
    results = read_json(evaluation or RunFolder(run).results)
    if "evaluation" not in results:
        raise UserError(f"{run} was never evaluated: python -m cgan_lightning.evaluate checkpoint={run}")
    scores = results["evaluation"] | {key: results[key] for key in ("images_seen", "epochs", "git_revision")}
    with safetensors.safe_open(run / FILE_NAME, "pt") as file:
        metadata = file.metadata() | {"scores": json.dumps(scores)}
        weights = {key.replace("ema.", "raw.", 1): file.get_tensor(key) for key in file.keys() if key.startswith("ema.")}  # noqa: SIM118
    content = safetensors.torch.save(weights, metadata)
    write_atomically(place, lambda temporary: temporary.write_bytes(content))


if __name__ == "__main__":
    keep(Path(sys.argv[1]), EXAMPLE, *map(Path, sys.argv[2:]))
