"""Explore how z and the label affect generated images: `python -m cgan_lightning.explore checkpoint=RUN_FOLDER mode=...`."""

import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from cgan_lightning.config import command
from cgan_lightning.utils.errors import UserError

log = logging.getLogger("cgan_lightning.explore")


def explore(config: DictConfig) -> None:
    """Write images or a web page to the folder `output`, and log a summary."""
    from cgan_lightning.storage import memory, writable

    output = _folder(config)
    writable.folder(output, f"output={output}")
    with memory.advice(f"lower rows={config.rows} or steps={config.steps}, or take device=cpu"):
        MODES[config.mode](config, output)


def _folder(config: DictConfig) -> Path:
    """Return `output`, or explore/GENERATOR/MODE by default, so that generators never overwrite each other's images."""
    if config.output is not None:
        return Path(config.output)
    checkpoint = Path(config.checkpoint).absolute()
    name = checkpoint.name
    if checkpoint.suffix == ".safetensors":  # a generator in a run folder is named after the folder
        name = "-".join([checkpoint.parent.name, *([checkpoint.stem] if checkpoint.stem != "generator" else [])])
    return Path("explore") / (name if config.weights == "ema" else f"{name}-{config.weights}") / config.mode


def _trained(config: DictConfig) -> Any:
    with command.loading():
        from cgan_lightning.models import generator_file
        from cgan_lightning.utils.device import device_named  # torch takes seconds to import: not for --help or errors

    device = "cpu" if config.mode == "page" else device_named(config.device)  # the ONNX export is device-independent
    return generator_file.load(Path(config.checkpoint), weights=config.weights, device=device)


def _log(config: DictConfig, output: Path, sentences: list[str]) -> None:
    for sentence in (f"mode={config.mode} of {config.checkpoint}, in {output}", *sentences):
        log.info("%s", sentence)


def _interpolation(config: DictConfig, output: Path) -> None:
    trained = _trained(config)
    from cgan_lightning.exploration import interpolation
    from cgan_lightning.sampling.class_names import labels

    names = trained.class_names
    usual = ["Dress", "Coat"] if {"Dress", "Coat"} <= {*names} else names[:2]
    ends = labels(usual if config.classes is None else config.classes, names)
    if len(ends) != 2:
        raise UserError(f"classes={config.classes}: must be two classes, the start and the end: [{','.join(usual)}]")
    both = (ends[0], ends[1])
    settings = {key: config[key] for key in ("seed", "rows", "steps")}
    _log(config, output, interpolation.explore(trained, both, **settings, output=output))


def _directions(config: DictConfig, output: Path) -> None:
    trained = _trained(config)
    from cgan_lightning.exploration import directions
    from cgan_lightning.sampling.class_names import labels

    classes = None if config.classes is None else labels(config.classes, trained.class_names)
    settings = {key: config[key] for key in ("seed", "rows", "count", "names", "checkpoint", "weights")}
    _log(config, output, directions.explore(trained, classes, **settings, output=output))


def _embeddings(config: DictConfig, output: Path) -> None:
    trained = _trained(config)
    try:
        from cgan_lightning.exploration import embeddings  # scipy, matplotlib: an extra
    except ModuleNotFoundError as error:
        raise UserError(f"mode=embeddings needs {error.name}: pip install 'cgan-lightning[report]'") from None
    discriminator = _discriminator(Path(config.checkpoint))
    _log(config, output, embeddings.explore(trained, discriminator, seed=config.seed, output=output))


def _discriminator(checkpoint: Path) -> dict[str, Any] | None:
    """Return the discriminator's state dictionary from a run's last checkpoint; None without a checkpoint."""
    from cgan_lightning.storage import checkpoint_io
    from cgan_lightning.storage.run_folder import RunFolder

    file, prefix = RunFolder(checkpoint).checkpoint, "discriminator."
    if not file.is_file():
        return None
    state = checkpoint_io.read(file)["state_dict"]
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _training(config: DictConfig, output: Path) -> None:
    with command.loading():
        from cgan_lightning.exploration import training

    _log(config, output, training.explore(Path(config.checkpoint), output))


def _page(config: DictConfig, output: Path) -> None:
    from cgan_lightning.exploration import server

    with server.bound(output, config.port) if config.serve else nullcontext() as waiting:  # report a port in use first
        _write_page(config, output)
        if waiting is not None:
            log.info("Serving it at %s, on this machine only; Ctrl-C stops the server", server.address(waiting))
            server.until_stopped(waiting, output)


def _write_page(config: DictConfig, output: Path) -> None:
    trained = _trained(config)
    try:
        from cgan_lightning.exploration import page  # onnx, onnxscript: an extra

        _log(config, output, page.write(trained, output))
    except ModuleNotFoundError as error:
        raise UserError(f"mode=page needs {error.name}: pip install 'cgan-lightning[page]'") from None


MODES = {
    "interpolation": _interpolation,
    "directions": _directions,
    "embeddings": _embeddings,
    "training": _training,
    "page": _page,
}


def main() -> None:
    command.run(explore, "explore")


if __name__ == "__main__":
    main()
