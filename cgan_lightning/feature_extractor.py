"""Train the feature extractor of the metrics from scratch: `python -m cgan_lightning.feature_extractor [key=value]`."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.feature_extractor")


def train(config: DictConfig) -> None:
    """Train on the training split; report test accuracy per class and the hash that identifies it in results."""
    command.say_what_loads()
    import torch  # takes seconds to import: not for --help or errors

    from cgan_lightning.data import facts, fashion_mnist, sources
    from cgan_lightning.evaluation import classifier, feature_extractor
    from cgan_lightning.storage import memory, writable
    from cgan_lightning.utils.device import device_named

    writable.file(Path(config.output), f"output={config.output}")
    device = device_named(config.device)
    torch.set_num_threads(config.threads)
    folder = sources.locate(Path(config.root) if config.root else None, key="root")
    images, labels = (part[: config.limit] for part in fashion_mnist.tensors(folder, *fashion_mnist.TRAIN))
    with memory.advice("take device=cpu"):
        network = classifier.fit(
            images, labels, epochs=config.epochs, seed=config.seed, device=device,
            report=lambda epoch, loss: log.info("epoch %d/%d  loss %.3f", epoch, config.epochs, loss),
        )  # fmt: skip
    extractor = feature_extractor.tested(
        network.cpu(), *fashion_mnist.tensors(folder, *fashion_mnist.TEST), seed=config.seed, epochs=config.epochs
    )
    feature_extractor.save(extractor, Path(config.output))
    for name, accuracy in zip(facts.CLASS_NAMES, extractor.about["accuracy_per_class"], strict=True):
        log.info("%-12s %5.1f %%", name, 100 * accuracy)
    log.info("accuracy     %5.2f %%  hash %s  %s", 100 * extractor.about["accuracy"], extractor.hash, config.output)


def main() -> None:
    command.run(train, "feature_extractor")


if __name__ == "__main__":
    main()
