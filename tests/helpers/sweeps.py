"""A small finished sweep for tests of reports."""

import contextlib
import json
import shutil
from pathlib import Path

from cgan_lightning.evaluate import evaluate
from tests.helpers import commands
from tests.helpers.configs import composed
from tests.helpers.runs import small

SWEEP = ("model.channels=64,128", "noise=randn,uniform", "seed=0,1")


def make(here: Path) -> None:
    """Two widths × two priors × two seeds, two epochs of 4 updates, evaluated with 100 samples each."""
    with contextlib.chdir(here):
        done = commands.give("train", "-m", *small(*SWEEP, "trainer.max_epochs=2"))
    assert done.code == 0, done.said
    (folder,) = (here / "runs/sweeps").iterdir()
    evaluate(composed(f"checkpoint={folder}", "samples=100", "device=cpu", command="evaluate"))
    for path in here.glob("runs/*/results.json"):  # whatever else this machine did: times are compared
        results = json.loads(path.read_text())
        path.write_text(json.dumps(results | {"machine": results["machine"] | {"alone": True}}))


def copied(sweep: Path, folder: Path) -> Path:
    """Copy a sweep and its runs into `folder`; return the sweep's folder there."""
    shutil.copytree(sweep.parents[1], folder / "runs")
    return folder / "runs" / "sweeps" / sweep.name
