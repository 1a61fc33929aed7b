"""A search in a report: its trials, the importance of the settings, and the best so far."""

from dataclasses import dataclass
from typing import Any

from cgan_lightning.storage.sweep_folder import SweepFolder, Trial
from cgan_lightning.utils.errors import shown

CHOSEN = "The settings were chosen by a search: effects are not tested"


@dataclass(frozen=True)
class Search:
    """The trials of a search with at least one finished trial."""

    metric: str
    direction: str
    trials: list[Trial]
    best: str  # in words
    importance: dict[str, float]  # by swept key, their sum is 1; empty if unknown
    unknown: str | None  # why

    @property
    def remarks(self) -> list[str]:
        """A remark on each trial that has not finished."""
        return [
            f"Trial {trial.number} failed: {shown(trial.failure or 'stopped early')}"
            if trial.state == "failed"
            else f"Trial {trial.number} is {trial.state}"
            for trial in self.trials
            if trial.state != "finished"
        ]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row per trial, as in trials.csv."""
        return [
            {"trial": each.number, **each.settings, self.metric: each.value, "state": each.state, "failure": each.failure}
            for each in self.trials
        ]


def searched(sweep: SweepFolder) -> Search | None:
    """Return the search of a sweep folder; None of a grid, and before a trial has finished."""
    record, best = sweep.search(), sweep.best()
    if record is None or best is None:
        return None
    trials = sweep.trials()
    importance, unknown = _importance(sweep, record["direction"], sum(trial.state == "finished" for trial in trials))
    words = f"Best so far, of {len(trials)} trials: {sweep.in_words(best)}."
    return Search(record["metric"], record["direction"], trials, words, importance, unknown)


def _importance(sweep: SweepFolder, direction: str, finished: int) -> tuple[dict[str, float], str | None]:
    """Return the importance of each swept key, or why it is unknown."""
    if finished < 2:
        return {}, "it needs two finished trials"
    if not sweep.study.is_file():
        return {}, f"there is no {sweep.study.name}"
    try:
        from cgan_lightning.storage import study

        return dict(study.importance(sweep, direction)), None
    except ModuleNotFoundError as error:
        return {}, f"it needs the package {error.name}: pip install 'cgan-lightning[optuna]'"
