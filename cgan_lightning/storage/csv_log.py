"""The log as a table: metrics.csv in the run folder."""

import csv
import time
from collections.abc import Mapping
from pathlib import Path

from cgan_lightning.registry import register
from cgan_lightning.storage.run_logger import RunLogger
from cgan_lightning.utils.files import write_atomically

SAVE_EVERY_S = 10


@register("logger", "csv")
class CSVLog(RunLogger):
    """A row for each update that is logged, a column for each metric; rows after `done` are dropped on resuming."""

    def __init__(self, *, folder: Path, done: int) -> None:
        super().__init__(folder=folder, done=done)
        self.file = folder / "metrics.csv"
        self._rows: dict[int, dict[str, str | float]] = {}
        self._next_save = 0.0
        if done and self.file.is_file():
            with self.file.open(newline="", encoding="utf-8") as lines:
                for row in csv.DictReader(lines):
                    self._rows[int(row.pop("update"))] = {name: value for name, value in row.items() if value}
            self._rows = {update: row for update, row in self._rows.items() if update <= done}

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._rows.setdefault(step or 0, {}).update(metrics)
        if time.monotonic() >= self._next_save:
            self.save()

    def log_final(self, metrics: Mapping[str, float], step: int) -> None:
        self.log_metrics({f"final/{name}": value for name, value in metrics.items()}, step)

    def save(self) -> None:
        if self._rows:
            write_atomically(self.file, self._write)
        self._next_save = time.monotonic() + SAVE_EVERY_S

    def finalize(self, status: str) -> None:
        self.save()

    def _write(self, path: Path) -> None:
        names = dict.fromkeys(name for row in self._rows.values() for name in row)
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["update", *names])
            table.writeheader()
            table.writerows({"update": update, **row} for update, row in sorted(self._rows.items()))
