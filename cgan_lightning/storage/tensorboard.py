"""Write TensorBoard events to the run folder itself, so that `--logdir runs` names runs by their folders."""

from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams


class RunLogger(TensorBoardLogger):
    """Lightning's logger without `version_0` and `hparams.yaml`; settings are in config.yaml.

    `purge_step`: on resuming, events from this step on are hidden, because they are written again.
    """

    def __init__(self, folder: Path, *, purge_step: int | None = None) -> None:
        super().__init__(save_dir=folder, name="", version="", default_hp_metric=False, purge_step=purge_step)

    def log_settings(self, settings: dict[str, Any]) -> None:
        """Show the run in the HPARAMS tab: `settings` and the last value of each scalar.

        Without an experiment summary, TensorBoard collects settings and scalars over all runs, those that differ first.
        Lightning's own method writes such a summary for one run, and placeholder values.
        """
        _, session_start, _ = hparams(settings, {})  # experiment summary, this run's settings, end of session
        self.experiment._get_file_writer().add_summary(session_start)

    def save(self) -> None:
        self.experiment.flush()
