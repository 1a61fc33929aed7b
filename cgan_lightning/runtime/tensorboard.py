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

    def log_settings(self, settings: dict[str, Any], metrics: tuple[str, ...]) -> None:
        """Shows the run in the HPARAMS tab: `settings`, and the last value of each scalar named in `metrics`.

        Lightning's own way writes a made-up first value for each metric; a run that is still going has none.
        """
        for summary in hparams(settings, dict.fromkeys(metrics, 0))[:2]:  # the third says that the session has ended
            self.experiment._get_file_writer().add_summary(summary)

    def save(self) -> None:
        self.experiment.flush()
