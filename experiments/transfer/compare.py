"""Compare evaluated runs by the new class and the old ones: a table, and an image of samples of the new class.

python -m experiments.transfer.compare RUN_FOLDER ... [--picture new_class.png]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import labelled_grid
from cgan_lightning.utils.old_names import read_json

CLASS_NAMES = FASHION_MNIST.class_names
NEW, PICTURES = "Ankle boot", 12
COLUMNS = (
    "run", "seed", "generator's learning rate", "images seen",
    "FID, new class", "accuracy, new class, %", "mean FID, old classes", "accuracy, old classes, %",
)  # fmt: skip


def line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def title(run: RunFolder) -> str:
    """Return a title from the run's settings."""
    settings = run.begun()["settings"]
    limit = settings.get("data.per_class_limit", {}).get(NEW)
    if limit is None:
        return "nine classes"
    warm, frozen = "warm_start.checkpoint" in settings, "warm_start.freeze" in settings
    return f"{'frozen' if frozen else 'initialised' if warm else 'scratch'}, {limit} examples"


def row(run: RunFolder) -> str:
    """Return the table row of a run. Raises UserError if it was never evaluated."""
    results = read_json(run.results)
    if "evaluation" not in results:
        raise UserError(f"{run.path} was never evaluated: python -m cgan_lightning.evaluate checkpoint={run.path}")
    rate = f"{run.begun()['settings']['optimizer.generator.lr']:g}"
    return line([title(run), str(results["seed"]), rate, f"{results['images_seen']:,}", *figures(results["evaluation"])])


def figures(evaluation: dict[str, Any]) -> list[str]:
    """Return FID and class accuracy of the new class ("" if the run has none), then the means of the others."""
    names, samples = evaluation["protocol"].get("classes", list(CLASS_NAMES)), evaluation["samples"]
    right = [100 * seen[CLASS_NAMES.index(name)] / sum(seen) for name, seen in zip(names, samples["confusion"], strict=True)]
    of = {name: (fid, share) for name, fid, share in zip(names, samples["class_fids"], right, strict=True)}
    new = of.pop(NEW, None)
    old = [sum(values) / len(of) for values in zip(*of.values(), strict=True)]
    return [*("" if new is None else f"{new[0]:.2f}", "" if new is None else f"{new[1]:.1f}"), f"{old[0]:.2f}", f"{old[1]:.1f}"]


def picture(runs: list[RunFolder], place: Path) -> None:
    """Write samples of the new class, one row per run that has it and one z per column."""
    rows, titles = list[torch.Tensor](), list[str]()
    for run in runs:
        trained = generator_file.load(run.path)
        if NEW in trained.class_names:
            label = trained.class_names.index(NEW)
            rows.append(sampling.sample_grid(trained.network, trained.prior, [label], range(PICTURES)))
            titles.append(title(run))
    Image.fromarray(labelled_grid(torch.cat(rows), titles)).save(place, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    runs = [RunFolder(path) for path in arguments.runs]
    print("\n".join([line(COLUMNS), line(["---"] * len(COLUMNS)), *map(row, runs)]))
    if arguments.picture:
        picture(runs, arguments.picture)


if __name__ == "__main__":
    main()
