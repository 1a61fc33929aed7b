"""Draw samples from a trained generator: `python -m cgan_lightning.sample checkpoint=RUN_FOLDER [key=value]`."""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from cgan_lightning.config import command
from cgan_lightning.utils.errors import UserError

log = logging.getLogger("cgan_lightning.sample")


def sample(config: DictConfig) -> None:
    """Draw `count` images per label, or one per given z, and write a grid, arrays or a folder by `output`'s suffix."""
    with command.loading():
        import numpy as np
        import torch  # takes seconds to import: not for --help or errors

        from cgan_lightning.models import generator_file
        from cgan_lightning.sampling import output, sampling
        from cgan_lightning.sampling.class_names import labels
        from cgan_lightning.storage import memory, writable
        from cgan_lightning.utils.device import device_named

    path = Path(config.output)
    output.check_ending(path)
    (writable.file if path.suffix else writable.folder)(path, f"output={path}")
    trained = generator_file.load(Path(config.checkpoint), weights=config.weights, device=device_named(config.device))
    rows = labels(config.classes, trained.class_names)
    if config.z is None:
        seeds = range(config.seed, config.seed + config.count)
        z, columns = sampling.latents(trained.prior, trained.latent_dim, seeds), {"seeds": np.asarray(seeds)}
    else:
        z = sampling.read_latents(Path(config.z), trained.latent_dim)
        columns = {"z": z.numpy()}
    if config.directions is not None or config.move is not None:
        z = _moved(z, config)
        columns["z"] = z.numpy()
    weights = torch.tensor([row.weights for row in rows])
    with memory.advice(f"lower batch_size={config.batch_size}"):
        images = sampling.every_pair(trained.network, z, weights, batch_size=config.batch_size)
    log.info("%s", output.write(path, images, rows, columns, trained.class_names))


def _moved(z: Any, config: DictConfig) -> Any:
    """Return z moved along the file's directions by the distances in `move`."""
    from cgan_lightning.sampling import directions

    if config.directions is None:
        raise UserError(f"move={config.move}: needs directions=FILE.json, which explore mode=directions writes")
    result = directions.read(Path(config.directions), z.shape[1])
    return directions.moved(z, config.move, result)


def main() -> None:
    command.run(sample, "sample")


if __name__ == "__main__":
    main()
