"""Detect a folder of runs or sweeps given where a single one is expected, before anything slow is imported."""

from collections.abc import Collection, Sequence
from pathlib import Path

from omegaconf import DictConfig

from cgan_lightning.config import checks
from cgan_lightning.config.suggestions import in_short
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError

NAMED = 5  # folders listed in a message


def check(config: DictConfig) -> None:
    """Raise UserError for the first setting that must name one run or sweep but names a folder of several."""
    for key, value, field in checks.leaves(config):
        kinds = field.metadata.get("folder_of", ()) if field is not None else ()
        if kinds and isinstance(value, str):
            check_folder(f"{in_short(key)}={value}", Path(value), kinds)


def check_folder(given: str, folder: Path, kinds: Collection[str]) -> None:
    """Raise UserError if `folder` is not of `kinds` itself but contains such folders; the message begins with `given`."""
    if _is_run(folder) or ("sweep" in kinds and _is_sweep(folder)):
        return
    sweeps = [folder] if _is_sweep(folder) else [each for each in _inside(folder, folder / "sweeps") if _is_sweep(each)]
    runs = [each for each in _inside(folder) if _is_run(each)]
    runs = runs or [Path(job.run) for sweep in sweeps for job in SweepFolder(sweep).jobs() if _is_run(Path(job.run))]
    result = {"run": runs if "run" in kinds else [], "sweep": sweeps if "sweep" in kinds else []}
    if counts := [f"{len(each)} {kind}{'s' * (len(each) != 1)}" for kind, each in result.items() if each]:
        raise UserError(f"{given} contains {' and '.join(counts)}: give {_named([*result['run'], *result['sweep']])}")


def holds_runs(folder: Path) -> bool:
    return any(_is_run(each) for each in _inside(folder))


def _named(paths: Sequence[Path]) -> str:
    newest = [str(path) for path in sorted(paths, key=lambda path: (-path.stat().st_mtime, path))][:NAMED]
    listed = " or ".join([", ".join(newest[:-1]), newest[-1]]) if len(newest) > 1 else newest[0]
    return listed if len(paths) <= NAMED else f"one of them; the newest are {listed.replace(' or ', ' and ')}"


def _inside(*folders: Path) -> list[Path]:
    return [path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_dir()]


def _is_run(folder: Path) -> bool:
    return RunFolder(folder).identity.is_file() or RunFolder(folder).generator.is_file()


def _is_sweep(folder: Path) -> bool:
    return SweepFolder(folder).record.is_file()
