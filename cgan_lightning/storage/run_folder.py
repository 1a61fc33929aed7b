"""The run folder, named by the run's settings: found again after an interrupt, and locked by one live run."""

import contextlib
import functools
import logging
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cgan_lightning.storage import disk_space, lock
from cgan_lightning.storage.checksum import DamagedError
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import remove_partial, write_atomically, write_json
from cgan_lightning.utils.old_names import read_json

log = logging.getLogger("cgan_lightning")
KEPT_AT_AN_END = ("generator.safetensors", "generator_best.safetensors", "samples.png", "closest_pairs.png")
_PARTS = {"settings": dict, "choices": dict, "place": dict, "overrides": list}  # of run.json


class RunFolder:
    """The files of one run. Nothing is created before `claim`.

    If a finished run is extended, its earlier results and generator are kept in `ends/UPDATES/`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identity = path / "run.json"  # the settings that the result depends on, and their overrides
        self.config = path / "config.yaml"
        self.checkpoint = path / "checkpoints" / "last.ckpt"
        self.previous_checkpoint = path / "checkpoints" / "previous.ckpt"  # the one before it
        self.best_checkpoint = path / "checkpoints" / "best.ckpt"  # by FID to the training images
        self.generator = path / "generator.safetensors"
        self.best_generator = path / "generator_best.safetensors"
        self.samples = path / "samples.png"
        self.results = path / "results.json"
        self.log = path / "train.log"
        self.progress = path / "progress.json"  # progress of a live run
        self.earlier_ends = path / "ends"

    def ends(self) -> dict[int, "RunFolder"]:
        """Return the folders with results and generator of each length at which this run was finished, by update."""
        folders = [self, *(RunFolder(path) for path in sorted(self.earlier_ends.glob("[0-9]*")))]
        return {read_json(each.results).get("updates", 0): each for each in reversed(folders) if each.results.is_file()}

    def end(self, updates: int) -> "RunFolder | None":
        """Return the folder with the results after exactly `updates`, or None.

        Raises UserError if the run is longer by now, without results at that length.
        """
        ends = self.ends()
        if updates not in ends and max(ends, default=0) > updates:
            longest = read_json(ends[max(ends)].results)
            raise UserError(
                f"{self.path} is finished at {length(longest)}, without results at the requested {updates:,} updates: "
                f"give trainer.max_epochs={longest['epochs']:g} or more, or rerun=true to start over"
            )
        return ends.get(updates)

    @property
    def has_checkpoint(self) -> bool:
        return self.checkpoint.is_file() or self.previous_checkpoint.is_file()

    def metric(self, name: str | None) -> float | None:
        """Return a finished run's last value of a metric; None without a name or value."""
        return None if name is None else read_json(self.results)["metrics"].get(name)

    def summary(self) -> str:
        return f"Run folder: {self.path}" + (f"\nSamples:    {self.samples}" if self.samples.is_file() else "")

    @contextlib.contextmanager
    def claim(
        self, identity: dict[str, Any], *, resume: bool, rerun: bool, allow_changes: bool, planned: int,
        examine: Callable[[Path], int],
    ) -> Iterator[tuple[Path, int] | None]:  # fmt: skip
        """Create and lock the folder and log into it; yield the checkpoint to resume from and its update, or None.

        `examine` returns a checkpoint's update, or raises DamagedError: then the previous one is used. Raises UserError if
        another process has locked the folder, if the settings differ from the existing run's and `allow_changes` is false, if
        there is a run and neither `resume` nor `rerun` is set, if that run is beyond the `planned` updates, or if no checkpoint
        is intact. Raises RunError if the disk is full.
        """
        with lock.hold(self.path, whose="these settings"):
            begun = not rerun and self.has_checkpoint
            if begun:
                self.refuse_unrequested(identity["overrides"], resume=resume)
            start = self._start(identity, allow_changes, examine) if begun else None  # raises before anything is changed
            if start is not None and start.update > planned:
                raise UserError(
                    f"{self.path} is already at update {start.update:,}, beyond the requested {planned:,}: "
                    "give a higher trainer.max_epochs, or rerun=true to start over"
                )
            with disk_space.required(self.path, self.checkpoint):
                if start is None:
                    self._clear()
                    write_json(self.identity, identity)
                with self._logging():
                    if start is not None:
                        self._resume(identity, start)
                    yield None if start is None else (self.checkpoint, start.update)

    def begun(self) -> dict[str, Any]:
        """Return the content of run.json. Raises UserError if it is incomplete."""
        content = read_json(self.identity)
        if not all(isinstance(content.get(part), kind) for part, kind in _PARTS.items()):
            raise UserError(f"{self.identity} is damaged: it must contain {', '.join(_PARTS)}")
        return content

    def keep_config(self, config: str) -> None:
        write_atomically(self.config, lambda path: path.write_text(config))

    def write_results(self, results: dict[str, Any]) -> None:
        begun = self.begun()
        write_json(self.results, results | {"changes": begun.get("changes", [])})

    def check_settings(self, settings: dict[str, Any], *, allow_changes: bool) -> dict[str, Any]:
        """Return [before, now] of each setting that differs from those the run was started with.

        Raises UserError if any differ, unless `allow_changes`.
        """
        changed = _changed(self.begun()["settings"], settings)
        if changed and not allow_changes:
            raise UserError(
                f"{self.path} cannot be resumed with settings other than those it was started with: {_listed(changed)}; "
                "resume.allow_changes=true resumes it anyway"
            )
        return changed

    def refuse_unrequested(self, overrides: Sequence[str], *, resume: bool) -> None:
        """Raise UserError if the run exists but may not be resumed; the message has the commands to resume or start over."""
        if resume or not self.has_checkpoint:
            return
        command = shlex.join(["python", "-m", "cgan_lightning.train", *overrides])
        ended = read_json(self.results) if self.results.is_file() else None
        state = f"is finished at {length(ended)}" if ended else "contains an unfinished run of these settings"
        verb = "extends" if ended else "resumes"
        raise UserError(f"{self.path} {state}: `{command} resume=auto` {verb} it, `{command} rerun=true` starts it over")

    def _start(self, identity: dict[str, Any], allow_changes: bool, examine: Callable[[Path], int]) -> "_Start":
        """Return the checkpoint to resume from. Raises UserError for other settings or if all checkpoints are damaged."""
        damage = []
        settings = self.check_settings(identity["settings"], allow_changes=allow_changes)
        place = _changed(self.begun()["place"], identity["place"])
        for path in (self.checkpoint, self.previous_checkpoint):
            if path.is_file():
                try:
                    return _Start(path, examine(path), "".join(damage), settings | place)
                except DamagedError as error:
                    damage.append(str(error))
        raise UserError(f"{'; '.join(damage)}: rerun=true starts the run over")

    def _resume(self, identity: dict[str, Any], start: "_Start") -> None:
        """Prepare the folder for resuming: keep earlier results, log and record changes."""
        remove_partial(self.path)
        self._keep_end()
        if start.damage:
            log.warning("%s; using the previous checkpoint", start.damage)
        start.checkpoint.replace(self.checkpoint)  # so that the next write keeps this one as previous, not a damaged one
        log.info("Resuming from update %s", f"{start.update:,}")
        if start.changes:
            log.warning(
                "Changed since the run was started (%s): the result will differ from that of an uninterrupted run",
                _listed(start.changes),
            )
            noted = [*self.begun().get("changes", []), {"update": start.update, **start.changes}]
            write_json(self.identity, identity | {"changes": noted})

    def _keep_end(self) -> None:
        """Move the results of a finished run that is extended into `ends/`; results.json is moved last."""
        if not self.results.is_file():
            return
        end = self.earlier_ends / f"{read_json(self.results)['updates']:08}"
        for name in (*KEPT_AT_AN_END, self.results.name):
            if (file := self.path / name).is_file():
                write_atomically(end / name, functools.partial(shutil.copyfile, file))
        self.results.unlink()

    def _clear(self) -> None:
        for entry in self.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != lock.NAME:
                entry.unlink()

    @contextlib.contextmanager
    def _logging(self) -> Iterator[None]:
        """Write all log messages with times to train.log, including the error that ends the run."""
        handler = _RunLog(self.log)
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
        log.addHandler(handler)
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(OSError):
                log.debug("%s", error or type(error).__name__)  # the caller prints it to the console
            raise
        finally:
            log.removeHandler(handler)
            with contextlib.suppress(OSError):
                handler.close()


class _Start(NamedTuple):
    """An intact checkpoint, its update, the damage of the one after it, and [before, now] of changed settings."""

    checkpoint: Path
    update: int
    damage: str
    changes: dict[str, Any]


class _RunLog(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """End the run if a line cannot be written; logging would print a traceback and continue."""
        raise


def length(results: dict[str, Any]) -> str:
    """ "3 epochs (2,811 updates)"."""
    epochs = results["epochs"]
    return f"{epochs:g} epoch{'' if epochs == 1 else 's'} ({results['updates']:,} updates)"


def _changed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return the differing values as [before, now]."""
    keys = sorted(before.keys() | now.keys())
    return {key: [before.get(key), now.get(key)] for key in keys if before.get(key) != now.get(key)}


def _listed(changes: dict[str, Any]) -> str:
    return ", ".join(f"{key} was {before} and is now {now}" for key, (before, now) in changes.items())
