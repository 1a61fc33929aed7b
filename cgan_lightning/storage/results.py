"""The results of a run: results.json."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from cgan_lightning.storage import environment
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import write_json
from cgan_lightning.utils.old_names import read_json

if TYPE_CHECKING:  # takes seconds to import; only training needs it
    from lightning import Trainer


def of(trainer: "Trainer", model: Any, validation: Any, data: Any, *, alone: bool | None) -> dict[str, Any]:
    """Return the last losses, validation, speed, sizes and machine (invariant 10); `alone`: see callbacks/contention.py."""
    device = trainer.strategy.root_device
    peak, described = environment.peak_memory_mib(device), environment.describe(device)
    return {
        "updates": trainer.global_step,
        "epochs": trainer.global_step / data.updates_per_epoch,
        "images_seen": trainer.global_step * data.batch_size,
        "ranks": trainer.world_size,
        "metrics": validation.training_log.latest | validation.latest,
        "validation": {"protocol": validation.protocol, "curve": validation.curve},
        "images_per_second": validation.training_log.mean_images_per_second,
        "parameters": {"generator": count(model.generator), "discriminator": count(model.discriminator)},
        "job_peak_memory_mib": None if peak is None else round(peak, 1),
        **described,
        "machine": described["machine"] | {"alone": alone},
    }


def count(network: nn.Module) -> int:
    """Return the number of parameters, including frozen ones."""
    return sum(parameter.numel() for parameter in network.parameters())


def evaluation_paths(checkpoint: str, output: str | None) -> list[tuple[Path, Path]]:
    """Return (generator to evaluate, JSON file for the result: `output` or the run's results.json) pairs.

    A sweep's folder stands for all its finished runs. Raises UserError if the file is missing or not a results file.
    """
    pairs = _paths(Path(checkpoint), output)
    for _, path in pairs:
        _kept(path)
    return pairs


def _paths(given: Path, output: str | None) -> list[tuple[Path, Path]]:
    if SweepFolder(given).record.is_file():
        runs = SweepFolder(given).finished_runs()
        if output or not runs:
            problem = "stores results in its runs: omit output=" if output else "has no finished run yet"
            raise UserError(f"checkpoint={given} is a sweep, and {problem}")
        return [(run.path, run.results) for run in runs]
    if output:
        return [(given, Path(output))]
    if not RunFolder(given).results.is_file():
        raise UserError(f"checkpoint={given} is not the folder of a finished run: give output=FILE.json for the result")
    return [(given, RunFolder(given).results)]


def is_evaluated(path: Path, protocol: dict[str, Any]) -> bool:
    """Return whether `path` contains an evaluation by `protocol`, with at least its metrics."""
    earlier = _kept(path).get("evaluation", {}).get("protocol", {})
    return comparable(earlier) == comparable(protocol) and {*protocol["metrics"]} <= {*earlier.get("metrics", [])}


def comparable(protocol: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a protocol that must be equal for metrics to be comparable."""
    return {key: value for key, value in protocol.items() if key != "metrics"}


def keep_evaluation(path: Path, evaluation: dict[str, Any]) -> None:
    """Write the evaluation to the file under `evaluation`, keeping its other content."""
    write_json(path, _kept(path) | {"evaluation": evaluation})


def _kept(path: Path) -> dict[str, Any]:
    """Return the content of the file at `path`; empty without a file."""
    if not path.is_file():
        return {}
    try:
        return read_json(path)
    except UserError:
        raise UserError(f"output={path} already exists and is not a results file: remove it, or give another file") from None
