"""A run owns one folder, named by its settings: found again after any stop, never shared by two live runs."""

import contextlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cgan_lightning.errors import RunError, UserError
from cgan_lightning.files import NO_ROOM, read_json, remove_partial, write_atomically, write_json
from cgan_lightning.runtime import lock
from cgan_lightning.runtime.seal import DamagedError

log = logging.getLogger("cgan_lightning")
_PARTS = {"settings": dict, "choices": dict, "place": dict, "overrides": list}  # of run.json


class RunFolder:
    """The files of one run. Nothing is created before `claim`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identity = path / "run.json"  # the settings that the result depends on, and the overrides they came from
        self.config = path / "config.yaml"
        self.checkpoint = path / "checkpoints" / "last.ckpt"
        self.previous_checkpoint = path / "checkpoints" / "previous.ckpt"  # the one before it
        self.best_checkpoint = path / "checkpoints" / "best.ckpt"  # by FID to the training images
        self.generator = path / "generator.safetensors"
        self.best_generator = path / "generator_best.safetensors"
        self.samples = path / "samples.png"
        self.results = path / "results.json"
        self.log = path / "train.log"
        self.progress = path / "progress.json"  # how far a live run is

    def is_finished(self, updates: int) -> bool:
        """Whether the run has ended with at least `updates` updates."""
        return self.results.is_file() and read_json(self.results).get("updates", 0) >= updates

    @property
    def has_checkpoint(self) -> bool:
        return self.checkpoint.is_file() or self.previous_checkpoint.is_file()

    def metric(self, name: str | None) -> float | None:
        """A finished run's last value of one of its metrics."""
        return None if name is None else read_json(self.results)["metrics"].get(name)

    def summary(self) -> str:
        return f"Run folder: {self.path}\nSamples:    {self.samples}"

    @contextlib.contextmanager
    def claim(
        self, identity: dict[str, Any], *, resume: bool, rerun: bool, allow_changes: bool, examine: Callable[[Path], int]
    ) -> Iterator[tuple[Path, int] | None]:
        """Makes the folder, holds it and logs into it while the run lives; gives the checkpoint to go on from, and its update.

        `examine` gives a checkpoint's update, or raises DamagedError: then the one before it is used. Raises UserError when
        another process holds the folder, when it was begun with other settings and `allow_changes` is false, when it holds an
        unfinished run and neither `resume` nor `rerun` says what is to become of that, and when no checkpoint is whole.
        Raises RunError when there is no room for what the run writes.
        """
        with lock.hold(self.path, whose="these settings"):
            begun = not rerun and self.has_checkpoint
            if begun and not resume:
                raise UserError(
                    f"{self.path} holds an unfinished run of these settings: "
                    "resume=auto goes on from its last checkpoint, rerun=true starts it anew"
                )
            start = self._start(identity, allow_changes, examine) if begun else None  # refuses before anything is changed
            with self._room():
                if start is None:
                    self._clear()
                    write_json(self.identity, identity)
                with self._logging():
                    if start is not None:
                        self._go_on(identity, start)
                    yield None if start is None else (self.checkpoint, start.update)

    def begun(self) -> dict[str, Any]:
        """What run.json says of how the run was begun. Raises UserError where it doesn't."""
        content = read_json(self.identity)
        if not all(isinstance(content.get(part), kind) for part, kind in _PARTS.items()):
            raise UserError(f"{self.identity} is damaged: it must have {', '.join(_PARTS)}")
        return content

    def keep_config(self, config: str) -> None:
        write_atomically(self.config, lambda path: path.write_text(config))

    def write_results(self, results: dict[str, Any]) -> None:
        write_json(self.results, results | {"changes": self.begun().get("changes", [])})

    def _start(self, identity: dict[str, Any], allow_changes: bool, examine: Callable[[Path], int]) -> "_Start":
        """Where to go on from; other settings are refused, and two damaged checkpoints."""
        begun, damage = self.begun(), []
        settings, place = (_changed(begun[part], identity[part]) for part in ("settings", "place"))
        if settings and not allow_changes:
            raise UserError(
                f"{self.path} can't go on with other settings than it was begun with: {_listed(settings)}; "
                "resume.allow_changes=true goes on all the same"
            )
        for path in (self.checkpoint, self.previous_checkpoint):
            if path.is_file():
                try:
                    return _Start(path, examine(path), "".join(damage), settings | place)
                except DamagedError as error:
                    damage.append(str(error))
        raise UserError(f"{'; '.join(damage)}: rerun=true starts the run anew")

    def _go_on(self, identity: dict[str, Any], start: "_Start") -> None:
        """Says and writes down what is not as it was."""
        remove_partial(self.path)
        if start.damage:
            log.warning("%s; the one before it is used", start.damage)
        start.checkpoint.replace(self.checkpoint)  # the next to be written keeps this one, not one that is damaged
        log.info("Going on after update %s", f"{start.update:,}")
        if start.changes:
            log.warning("Not as it was begun (%s): it ends otherwise than a run without a stop", _listed(start.changes))
            noted = [*self.begun().get("changes", []), {"update": start.update, **start.changes}]
            write_json(self.identity, identity | {"changes": noted})

    def _clear(self) -> None:
        for entry in self.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != lock.NAME:
                entry.unlink()

    @contextlib.contextmanager
    def _room(self) -> Iterator[None]:
        """No room on the disk ends the run with a sentence; what was written before is whole."""
        says = threading.excepthook
        # TensorBoard's thread, whose error comes to us with the next event, would print a traceback too
        threading.excepthook = lambda raised: None if _no_room(raised.exc_value) else says(raised)
        try:
            yield
        except OSError as error:
            if not _no_room(error):
                raise
            kept = "resume=auto goes on from its last good checkpoint" if self.checkpoint.is_file() else "nothing was saved yet"
            raise RunError(f"There is no room for {error.filename or self.path} ({error.strerror}): {kept}") from error
        finally:
            threading.excepthook = says

    @contextlib.contextmanager
    def _logging(self) -> Iterator[None]:
        """All that the project logs, with times, in train.log; what ends the run too."""
        handler = _RunLog(self.log)
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
        log.addHandler(handler)
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(OSError):
                log.debug("%s", error or type(error).__name__)  # the console hears it from whoever catches it
            raise
        finally:
            log.removeHandler(handler)
            with contextlib.suppress(OSError):
                handler.close()


class _Start(NamedTuple):
    """A checkpoint that is whole, and its update; what is wrong with the one after it; [before, now] of what has changed."""

    checkpoint: Path
    update: int
    damage: str
    changes: dict[str, Any]


class _RunLog(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """A line that can't be written ends the run; logging would print a traceback and go on."""
        raise


def _no_room(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in NO_ROOM


def _changed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What differs, as [before, now]."""
    keys = sorted(before.keys() | now.keys())
    return {key: [before.get(key), now.get(key)] for key in keys if before.get(key) != now.get(key)}


def _listed(changes: dict[str, Any]) -> str:
    return ", ".join(f"{key} was {before} and is now {now}" for key, (before, now) in changes.items())
