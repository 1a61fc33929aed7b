"""Shows what z and the label mean to a generator: `python -m cgan_lightning.explore checkpoint=RUN_FOLDER mode=...`."""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from cgan_lightning.config import command
from cgan_lightning.errors import UserError

log = logging.getLogger("cgan_lightning.explore")


def explore(config: DictConfig) -> None:
    """Pictures in the folder `output`, and a sentence on each."""
    from cgan_lightning.config.build import device_named  # torch takes seconds to import: not for --help or a mistake
    from cgan_lightning.generation import checkpoint
    from cgan_lightning.runtime import writable

    output = Path(config.output)
    writable.folder(output, f"output={output}")
    trained = checkpoint.load(Path(config.checkpoint), weights=config.weights, device=device_named(config.device))
    for sentence in MODES[config.mode](config, trained, output):
        log.info("%s", sentence)


def _transition(config: DictConfig, trained: Any, output: Path) -> list[str]:
    from cgan_lightning.exploration import transition
    from cgan_lightning.generation.classes import labels

    ends = labels(["Dress", "Coat"] if config.classes is None else config.classes, trained.class_names)
    if len(ends) != 2:
        raise UserError(f"classes={config.classes}: must be two, from which and to which: [Dress,Coat]")
    return transition.explore(
        trained, (ends[0], ends[1]), seed=config.seed, rows=config.rows, steps=config.steps, output=output
    )


def _directions(config: DictConfig, trained: Any, output: Path) -> list[str]:
    from cgan_lightning.exploration import directions
    from cgan_lightning.generation.classes import labels

    classes = None if config.classes is None else labels(config.classes, trained.class_names)
    asked = {key: config[key] for key in ("seed", "rows", "count", "names")}
    return directions.explore(trained, classes, **asked, output=output)


MODES = {"transition": _transition, "directions": _directions}


def main() -> None:
    command.run(explore, "explore")


if __name__ == "__main__":
    main()
