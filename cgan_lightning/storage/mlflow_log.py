"""The log of MLflow, in a local folder that all runs share."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from cgan_lightning.registry import register
from cgan_lightning.storage.run_logger import LoggedSteps, RunLogger
from cgan_lightning.utils.files import write_atomically

EXPERIMENT = "cgan_lightning"


@register("logger", "mlflow")
class MLflow(RunLogger):
    """A run of the experiment `cgan_lightning` in mlruns/, next to the run folder, whose name it has; no histograms."""

    def __init__(self, *, folder: Path, done: int) -> None:
        super().__init__(folder=folder, done=done)
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # else MLflow asks for a data base
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # a machine may be offline
        from mlflow import MlflowClient  # an optional package

        store = folder.parent / "mlruns"
        store.mkdir(parents=True, exist_ok=True)
        self._steps = LoggedSteps(folder / "mlflow" / "logged.jsonl")
        self.experiment = MlflowClient(tracking_uri=store.absolute().as_uri())
        with FileLock(store / ".lock"):  # several jobs of a sweep start at a time
            found = self.experiment.get_experiment_by_name(EXPERIMENT)
            experiment = found.experiment_id if found else self.experiment.create_experiment(EXPERIMENT)
        self.run = self._run(folder / "mlflow" / "run", experiment)

    def _run(self, file: Path, experiment: str) -> str:
        """Return the run's id, which is kept in `file`."""
        if file.is_file():
            self.experiment.update_run(file.read_text(), status="RUNNING")
        else:
            made = self.experiment.create_run(experiment, run_name=self.name)
            write_atomically(file, lambda path: path.write_text(made.info.run_id))
        return file.read_text()

    def log_settings(self, settings: Mapping[str, Any]) -> None:
        known = self.experiment.get_run(self.run).data.params  # MLflow refuses another value
        for name, value in settings.items():
            if name not in known:
                self.experiment.log_param(self.run, name, value)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        for tag in self._steps.new(metrics, step or 0):
            self.experiment.log_metric(self.run, _allowed(tag), metrics[tag], step=step)

    def log_images(self, images: Mapping[str, np.ndarray], step: int) -> None:
        for tag in self._steps.new(images, step):
            self.experiment.log_image(self.run, images[tag], key=_allowed(tag), step=step)

    def log_final(self, metrics: Mapping[str, float], step: int) -> None:
        self.log_metrics({f"final/{name}": value for name, value in metrics.items()}, step)

    def finalize(self, status: str) -> None:
        self.experiment.set_terminated(self.run, "FINISHED" if status == "success" else "FAILED")


def _allowed(tag: str) -> str:
    """Replace the characters that MLflow's names cannot have.

    >>> _allowed("score/D(G(z))")
    'score/D_G_z__'
    """
    return re.sub(r"[^\w/. -]", "_", tag)
