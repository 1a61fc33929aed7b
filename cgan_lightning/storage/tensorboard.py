"""TensorBoard events in the run folder itself, so that `--logdir runs` names runs by their folders."""

from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams


class RunLogger(TensorBoardLogger):
    """Lightning's logger without `version_0` and `hparams.yaml`: the folder is the run's, and config.yaml has the settings.

    `purge_step`: on resuming, events of later updates, which will come again, are hidden.
    """

    def __init__(self, folder: Path, *, purge_step: int | None = None) -> None:
        super().__init__(save_dir=folder, name="", version="", default_hp_metric=False, purge_step=purge_step)

    def log_settings(self, settings: dict[str, Any]) -> None:
        """Shows the run in the HPARAMS tab: `settings`, beside the last value of each of its scalars.

        Which settings and scalars there are, TensorBoard finds out over all runs, those that differ first. It would take that
        from the summary of any one run that names them; Lightning's own way writes one, and made-up first values.
        """
        _, of_this_run, _ = hparams(settings, {})  # all runs' settings and metrics; this one's; that it has ended
        self.experiment._get_file_writer().add_summary(of_this_run)

    def save(self) -> None:
        self.experiment.flush()
