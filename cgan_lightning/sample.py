"""Draws pictures from a trained generator: `python -m cgan_lightning.sample checkpoint=RUN_FOLDER [key=value]`."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.sample")


def sample(config: DictConfig) -> None:
    """`count` pictures of each class, to a grid, arrays or a folder, as the ending of `output` says."""
    from cgan_lightning.config.build import device_named  # torch takes seconds to import: not for --help or a mistake
    from cgan_lightning.generation import checkpoint, output, sampling
    from cgan_lightning.generation.classes import resolve
    from cgan_lightning.runtime import writable

    place = Path(config.output)
    output.check_ending(place)
    (writable.file if place.suffix else writable.folder)(place, f"output={place}")
    trained = checkpoint.load(Path(config.checkpoint), weights=config.weights, device=device_named(config.device))
    classes = resolve(config.classes, trained.class_names)
    seeds = range(config.seed, config.seed + config.count)
    images = sampling.sample_grid(trained.network, trained.prior, classes, seeds, batch_size=config.batch_size)
    log.info("%s", output.write(place, images, classes, seeds, trained.class_names))


def main() -> None:
    command.run(sample, "sample")


if __name__ == "__main__":
    main()
