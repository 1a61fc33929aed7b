"""A run owns one folder, named by its settings: found again after any stop, never shared by two live runs."""

import contextlib
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cgan_lightning.errors import UserError
from cgan_lightning.files import write_atomically, write_json
from cgan_lightning.runtime import lock

log = logging.getLogger("cgan_lightning")


class RunFolder:
    """The files of one run. Nothing is created before `claim`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identity = path / "run.json"  # the settings that the result depends on, and the overrides they came from
        self.config = path / "config.yaml"
        self.checkpoint = path / "checkpoints" / "last.ckpt"
        self.best_checkpoint = path / "checkpoints" / "best.ckpt"  # by FID to the training images
        self.generator = path / "generator.safetensors"
        self.best_generator = path / "generator_best.safetensors"
        self.samples = path / "samples.png"
        self.results = path / "results.json"
        self.log = path / "train.log"
        self.progress = path / "progress.json"  # how far a live run is

    def is_finished(self, updates: int) -> bool:
        """Whether the run has ended with at least `updates` updates."""
        return self.results.is_file() and json.loads(self.results.read_text())["updates"] >= updates

    def metric(self, name: str | None) -> float | None:
        """A finished run's last value of one of its metrics."""
        return None if name is None else json.loads(self.results.read_text())["metrics"].get(name)

    def summary(self) -> str:
        return f"Run folder: {self.path}\nSamples:    {self.samples}"

    @contextlib.contextmanager
    def claim(self, identity: dict[str, Any], *, resume: bool, rerun: bool) -> Iterator[Path | None]:
        """Makes the folder, holds it and logs into it while the run lives; gives the checkpoint to go on from, or None.

        Raises UserError when another process holds it, when it was begun with other settings, or when it holds an
        unfinished run and neither `resume` nor `rerun` says what is to become of that.
        """
        with lock.hold(self.path, whose="these settings"):
            begun = self.checkpoint.is_file() and not rerun
            if begun:
                self._check_same(identity["settings"])
            if begun and not resume:
                raise UserError(
                    f"{self.path} holds an unfinished run of these settings: "
                    "resume=auto goes on from its last checkpoint, rerun=true starts it anew"
                )
            if not begun:
                self._clear()
                write_json(self.identity, identity)
            with self._logging():
                yield self.checkpoint if begun else None

    def keep_config(self, config: str) -> None:
        write_atomically(self.config, lambda path: path.write_text(config))

    def write_results(self, results: dict[str, Any]) -> None:
        write_json(self.results, results)

    def _check_same(self, settings: dict[str, Any]) -> None:
        begun_with = json.loads(self.identity.read_text())["settings"]
        changed = [key for key in sorted({*settings, *begun_with}) if settings.get(key) != begun_with.get(key)]
        if changed:
            listed = ", ".join(f"{key} was {begun_with.get(key)} and is now {settings.get(key)}" for key in changed)
            raise UserError(f"{self.path} can't go on with other settings than it was begun with: {listed}")

    def _clear(self) -> None:
        for entry in self.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != lock.NAME:
                entry.unlink()

    @contextlib.contextmanager
    def _logging(self) -> Iterator[None]:
        """All that the project logs, with times, in train.log; what ends the run too."""
        handler = logging.FileHandler(self.log)
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
        log.addHandler(handler)
        try:
            yield
        except BaseException as error:
            log.debug("%s", error or type(error).__name__)  # the console hears it from whoever catches it
            raise
        finally:
            log.removeHandler(handler)
            handler.close()
