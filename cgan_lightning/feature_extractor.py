"""Train the feature extractor of the metrics from scratch: `python -m cgan_lightning.feature_extractor [key=value]`."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from cgan_lightning.config import command, dataset
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.utils.errors import UserError

log = logging.getLogger("cgan_lightning.feature_extractor")
EPOCHS, UPDATES = 16, 1000  # at least
OWN = "feature_extractor.safetensors"  # of Fashion-MNIST, whose usual one comes with the package


def train(config: DictConfig) -> None:
    """Train on the training split; report test accuracy per class and the hash that identifies it in results."""
    spec = dataset.spec(config.data)
    if len(spec.class_names) < 2:
        raise UserError(f"{spec.title} has one class: a classifier, whose features the metrics use, needs two or more")
    with command.loading():
        import torch  # takes seconds to import: not for --help or errors

        from cgan_lightning.data import splits
        from cgan_lightning.evaluation import classifier, feature_extractor
        from cgan_lightning.storage import memory, writable
        from cgan_lightning.utils.device import device_named

    output = (
        feature_extractor.path_of(spec.hash) if config.output is None and spec != FASHION_MNIST else Path(config.output or OWN)
    )
    writable.file(output, f"output={output}")
    device = device_named(config.device)
    torch.set_num_threads(config.threads)
    root = Path(config.data.root) if config.data.root else None
    images, labels = (part[: config.limit] for part in splits.of_training(root, spec))
    if len(spec.class_names) > (tested := len(splits.of_test(root, spec)[1].unique())):
        raise UserError(f"{spec.title} has test images of {tested} of its {len(spec.class_names)} classes: each needs some")
    epochs = config.epochs or max(EPOCHS, -(-UPDATES // max(1, len(images) // classifier.BATCH_SIZE)))
    with memory.advice("take device=cpu"):
        network = classifier.fit(
            images, labels, epochs=epochs, seed=config.seed, device=device, mirrored=spec.mirrored,
            classes=len(spec.class_names),
            report=lambda epoch, loss: log.info("epoch %d/%d  loss %.3f", epoch, epochs, loss),
        )  # fmt: skip
    extractor = feature_extractor.tested(
        network.cpu(), *splits.of_test(root, spec), seed=config.seed, epochs=epochs, dataset=spec.title
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    feature_extractor.save(extractor, output)
    for name, accuracy in zip(spec.class_names, extractor.about["accuracy_per_class"], strict=True):
        log.info("%-12s %5.1f %%", name, 100 * accuracy)
    log.info("accuracy     %5.2f %%  hash %s  %s", 100 * extractor.about["accuracy"], extractor.hash, output)


def main() -> None:
    command.run(train, "feature_extractor")


if __name__ == "__main__":
    main()
