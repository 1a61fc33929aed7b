"""Compute the numbers of images and updates from the settings, without importing PyTorch."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import class_selection, dataset
from cgan_lightning.data.spec import DatasetSpec
from cgan_lightning.utils import limits
from cgan_lightning.utils.errors import UserError


def images_of_each_class(config: DictConfig) -> list[int]:
    """Return the number of training images of each class, without `data.limit`. Raises UserError for unknown classes."""
    data: Any = OmegaConf.to_container(config.data, resolve=True)
    spec = dataset.spec(config.data)
    classes = class_selection.classes(data["classes"], spec.class_names)
    at_most = class_selection.limits(data["per_class_limit"], classes, spec.class_names)
    return [min(at_most.get(number, spec.counts[number]), spec.counts[number]) for number in classes]


def images(config: DictConfig) -> int:
    """Return the number of training images."""
    count = sum(images_of_each_class(config))
    return min(count, config.data.limit or count)


def planned_updates(config: DictConfig) -> int:
    """Return the total number of updates of the run."""
    by_epochs = config.trainer.max_epochs * (images(config) // config.data.batch_size)
    return min(by_epochs, config.trainer.max_steps or by_epochs)


def check(config: DictConfig) -> None:
    """Raise UserError for sizes that cannot be trained with."""
    count, batch_size = images(config), config.data.batch_size
    if batch_size > count:
        raise UserError(f"data.batch_size={batch_size} exceeds the {count:,} training images")
    _check_image_size(dataset.spec(config.data), config.data.image_size, config.model.stages)
    _check_ranks(config)


def _check_image_size(spec: DatasetSpec, wanted: int | None, stages: int) -> None:
    size = spec.with_border(wanted)
    try:
        limits.coarsest_size(size, stages)
    except ValueError as error:
        raise UserError(f"model.stages={stages}, data.image_size={size}: {error}") from None


def _check_ranks(config: DictConfig) -> None:
    """Check the batch size against the ranks; `trainer.devices=null` is only known on the machine that trains."""
    devices, nodes, batch_size = config.trainer.devices, config.trainer.num_nodes, config.data.batch_size
    size = (devices or 1) * nodes
    if batch_size % size or batch_size < 2 * size:  # batch norm cannot use a single 1×1 value
        raise UserError(
            f"data.batch_size={batch_size} is divided among {size} ranks (trainer.devices={devices} × "
            f"trainer.num_nodes={nodes}): take a multiple of {size}, at least two images for each rank"
        )
