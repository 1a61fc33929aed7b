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

if TYPE_CHECKING:  # seconds to import: for training alone
    from lightning import Trainer


def of(trainer: "Trainer", model: Any, validation: Any, data: Any, *, alone: bool | None) -> dict[str, Any]:
    """Last losses, validation, speed, sizes and the machine (invariant 10); `alone`: see callbacks/contention.py."""
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
    """Parameters, frozen ones too."""
    return sum(parameter.numel() for parameter in network.parameters())


def places_of_evaluation(checkpoint: str, output: str | None) -> list[tuple[Path, Path]]:
    """What is to be evaluated, and the JSON file that keeps the result: `output`, or the results.json of the run.

    A sweep's folder means all its finished runs. Raises UserError where there is no such file, or something else in it.
    """
    places = _places(Path(checkpoint), output)
    for _, kept_in in places:
        _kept(kept_in)
    return places


def _places(given: Path, output: str | None) -> list[tuple[Path, Path]]:
    if SweepFolder(given).record.is_file():
        runs = SweepFolder(given).finished_runs()
        if output or not runs:
            problem = "keeps results in its runs: leave output= out" if output else "has no finished run yet"
            raise UserError(f"checkpoint={given} is a sweep, and {problem}")
        return [(run.path, run.results) for run in runs]
    if output:
        return [(given, Path(output))]
    if not RunFolder(given).results.is_file():
        raise UserError(f"checkpoint={given} is no finished run's folder: give output=FILE.json for the result")
    return [(given, RunFolder(given).results)]


def is_evaluated(path: Path, protocol: dict[str, Any]) -> bool:
    """Whether `path` keeps an evaluation by `protocol`, of its metrics or more."""
    earlier = _kept(path).get("evaluation", {}).get("protocol", {})
    return comparable(earlier) == comparable(protocol) and {*protocol["metrics"]} <= {*earlier.get("metrics", [])}


def comparable(protocol: dict[str, Any]) -> dict[str, Any]:
    """What two protocols must have in common, so that a metric that both have can be compared."""
    return {key: value for key, value in protocol.items() if key != "metrics"}


def keep_evaluation(path: Path, evaluation: dict[str, Any]) -> None:
    """Under `evaluation`, beside what the file has already."""
    write_json(path, _kept(path) | {"evaluation": evaluation})


def _kept(path: Path) -> dict[str, Any]:
    """What the file at `path`, if there is one, keeps already."""
    if not path.is_file():
        return {}
    try:
        return read_json(path)
    except UserError:
        raise UserError(f"output={path} is there already, and holds no results: remove it, or name another file") from None
