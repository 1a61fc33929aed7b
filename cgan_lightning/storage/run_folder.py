"""A run owns one folder, named by its settings: found again after any stop, never shared by two live runs."""

import contextlib
import functools
import logging
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cgan_lightning.storage import lock, room
from cgan_lightning.storage.checksum import DamagedError
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import remove_partial, write_atomically, write_json
from cgan_lightning.utils.old_names import read_json

log = logging.getLogger("cgan_lightning")
KEPT_AT_AN_END = ("generator.safetensors", "generator_best.safetensors", "samples.png", "closest_pairs.png")
_PARTS = {"settings": dict, "choices": dict, "place": dict, "overrides": list}  # of run.json


class RunFolder:
    """The files of one run. Nothing is created before `claim`.

    A finished run that is extended keeps what was measured at its earlier end in `ends/UPDATES/`, with the generator.
    """

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
        self.earlier_ends = path / "ends"

    def ends(self) -> dict[int, "RunFolder"]:
        """Where the results of each end of this run are, and its generator, by the number of updates."""
        places = [self, *(RunFolder(place) for place in sorted(self.earlier_ends.glob("[0-9]*")))]
        return {read_json(place.results).get("updates", 0): place for place in reversed(places) if place.results.is_file()}

    def end(self, updates: int) -> "RunFolder | None":
        """Where the results after exactly `updates` are, if the run has ended there.

        Raises UserError where it is longer by now, and has no results of that length.
        """
        ends = self.ends()
        if updates not in ends and max(ends, default=0) > updates:
            longest = read_json(ends[max(ends)].results)
            raise UserError(
                f"{self.path} is finished at {length(longest)}, and has no results at the {updates:,} updates requested: "
                f"give trainer.max_epochs={longest['epochs']:g} or more, or rerun=true to start over"
            )
        return ends.get(updates)

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
        self, identity: dict[str, Any], *, resume: bool, rerun: bool, allow_changes: bool, planned: int,
        examine: Callable[[Path], int],
    ) -> Iterator[tuple[Path, int] | None]:  # fmt: skip
        """Makes the folder, holds it and logs into it while the run lives; gives the checkpoint to go on from, and its update.

        `examine` gives a checkpoint's update, or raises DamagedError: then the one before it is used. Raises UserError when
        another process holds the folder, when it was begun with other settings and `allow_changes` is false, when it holds an
        run already and neither `resume` nor `rerun` says what is to become of that, when that one has come further than the
        `planned` updates, and when no checkpoint is whole.
        Raises RunError when there is no room for what the run writes.
        """
        with lock.hold(self.path, whose="these settings"):
            begun = not rerun and self.has_checkpoint
            if begun:
                self.refuse_unrequested(identity["overrides"], resume=resume)
            start = self._start(identity, allow_changes, examine) if begun else None  # refuses before anything is changed
            if start is not None and start.update > planned:
                raise UserError(
                    f"{self.path} has come to update {start.update:,}, and {planned:,} were requested: "
                    "give a higher trainer.max_epochs, or rerun=true to start over"
                )
            with room.needed(self.path, self.checkpoint):
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
        begun = self.begun()
        write_json(self.results, results | {"changes": begun.get("changes", [])})

    def check_settings(self, settings: dict[str, Any], *, allow_changes: bool) -> dict[str, Any]:
        """[before, now] of each setting that is not what the run was begun with.

        Raises UserError where there are some, unless `allow_changes`.
        """
        changed = _changed(self.begun()["settings"], settings)
        if changed and not allow_changes:
            raise UserError(
                f"{self.path} can't go on with other settings than it was begun with: {_listed(changed)}; "
                "resume.allow_changes=true goes on all the same"
            )
        return changed

    def refuse_unrequested(self, overrides: Sequence[str], *, resume: bool) -> None:
        """Raises UserError for a run that was begun already, with the commands that say what is to become of it."""
        if resume or not self.has_checkpoint:
            return
        command = shlex.join(["python", "-m", "cgan_lightning.train", *overrides])
        ended = read_json(self.results) if self.results.is_file() else None
        there = f"is finished at {length(ended)}" if ended else "holds an unfinished run of these settings"
        goes_on = "extends" if ended else "resumes"
        raise UserError(f"{self.path} {there}: `{command} resume=auto` {goes_on} it, `{command} rerun=true` starts it over")

    def _start(self, identity: dict[str, Any], allow_changes: bool, examine: Callable[[Path], int]) -> "_Start":
        """Where to go on from; other settings are refused, and two damaged checkpoints."""
        damage = []
        settings = self.check_settings(identity["settings"], allow_changes=allow_changes)
        place = _changed(self.begun()["place"], identity["place"])
        for path in (self.checkpoint, self.previous_checkpoint):
            if path.is_file():
                try:
                    return _Start(path, examine(path), "".join(damage), settings | place)
                except DamagedError as error:
                    damage.append(str(error))
        raise UserError(f"{'; '.join(damage)}: rerun=true starts the run anew")

    def _go_on(self, identity: dict[str, Any], start: "_Start") -> None:
        """Keeps what was measured so far, says and writes down what is not as it was."""
        remove_partial(self.path)
        self._keep_end()
        if start.damage:
            log.warning("%s; the one before it is used", start.damage)
        start.checkpoint.replace(self.checkpoint)  # the next to be written keeps this one, not one that is damaged
        log.info("Resuming from update %s", f"{start.update:,}")
        if start.changes:
            log.warning("Not as it was begun (%s): it ends otherwise than a run without a stop", _listed(start.changes))
            noted = [*self.begun().get("changes", []), {"update": start.update, **start.changes}]
            write_json(self.identity, identity | {"changes": noted})

    def _keep_end(self) -> None:
        """Moves the results of a finished run, which goes on, into a folder of their own; they are there once they are last."""
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


def length(results: dict[str, Any]) -> str:
    """ "3 epochs (2,811 updates)"."""
    epochs = results["epochs"]
    return f"{epochs:g} epoch{'' if epochs == 1 else 's'} ({results['updates']:,} updates)"


def _changed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What differs, as [before, now]."""
    keys = sorted(before.keys() | now.keys())
    return {key: [before.get(key), now.get(key)] for key in keys if before.get(key) != now.get(key)}


def _listed(changes: dict[str, Any]) -> str:
    return ", ".join(f"{key} was {before} and is now {now}" for key, (before, now) in changes.items())
