"""Shows what z and the label mean to a generator: `python -m cgan_lightning.explore checkpoint=RUN_FOLDER mode=...`."""

import logging
from contextlib import nullcontext
from pathlib import Path

from omegaconf import DictConfig

from cgan_lightning.config import command
from cgan_lightning.errors import UserError

log = logging.getLogger("cgan_lightning.explore")


def explore(config: DictConfig) -> None:
    """Pictures or a page in the folder `output`, and a sentence on each."""
    from cgan_lightning.runtime import writable

    output = Path(config.output)
    writable.folder(output, f"output={output}")
    {"transition": _transition, "page": _page}[config.mode](config, output)


def _transition(config: DictConfig, output: Path) -> None:
    from cgan_lightning.config.build import device_named  # torch takes seconds to import: not for --help or a mistake
    from cgan_lightning.exploration import transition
    from cgan_lightning.generation import checkpoint
    from cgan_lightning.generation.classes import labels

    trained = checkpoint.load(Path(config.checkpoint), weights=config.weights, device=device_named(config.device))
    ends = labels(config.classes, trained.class_names)
    if len(ends) != 2:
        raise UserError(f"classes={config.classes}: must be two, from which and to which: [Dress,Coat]")
    told = transition.explore(
        trained, (ends[0], ends[1]), seed=config.seed, rows=config.rows, steps=config.steps, output=output
    )
    for sentence in told:
        log.info("%s", sentence)


def _page(config: DictConfig, output: Path) -> None:
    from cgan_lightning.exploration import server

    with server.bound(output, config.port) if config.serve else nullcontext() as waiting:  # a taken port is told first
        _write_page(config, output)
        if waiting is not None:
            log.info("%s shows it, on this machine alone; Ctrl-C stops that", server.address(waiting))
            server.until_stopped(waiting, output)


def _write_page(config: DictConfig, output: Path) -> None:
    from cgan_lightning.generation import checkpoint

    trained = checkpoint.load(Path(config.checkpoint), weights=config.weights)
    try:
        from cgan_lightning.exploration import page  # onnx, onnxscript: an extra

        told = page.write(trained, output)
    except ModuleNotFoundError as error:
        raise UserError(f"mode=page needs {error.name}: pip install 'cgan-lightning[page]'") from None
    for sentence in told:
        log.info("%s", sentence)


def main() -> None:
    command.run(explore, "explore")


if __name__ == "__main__":
    main()
