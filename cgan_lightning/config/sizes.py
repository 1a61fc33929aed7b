"""Compute the numbers of images and updates from the settings, without importing PyTorch."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import class_selection
from cgan_lightning.data.facts import IMAGE_SIZE, TRAIN_IMAGES_A_CLASS
from cgan_lightning.utils import limits
from cgan_lightning.utils.errors import UserError


def images(config: DictConfig) -> int:
    """Return the number of training images. Raises UserError for unknown classes."""
    data: Any = OmegaConf.to_container(config.data, resolve=True)
    classes = class_selection.classes(data["classes"])
    at_most = class_selection.limits(data["per_class_limit"], classes)
    count = sum(min(at_most.get(number, TRAIN_IMAGES_A_CLASS), TRAIN_IMAGES_A_CLASS) for number in classes)
    return min(count, data["limit"] or count)


def planned_updates(config: DictConfig) -> int:
    """Return the total number of updates of the run."""
    by_epochs = config.trainer.max_epochs * (images(config) // config.data.batch_size)
    return min(by_epochs, config.trainer.max_steps or by_epochs)


def check(config: DictConfig) -> None:
    """Raise UserError for sizes that cannot be trained with."""
    count, batch_size = images(config), config.data.batch_size
    if batch_size > count:
        raise UserError(f"data.batch_size={batch_size} exceeds the {count:,} training images")
    _check_image_size(config.data.image_size, config.model.stages)
    _check_ranks(config)


def _check_image_size(size: int, stages: int) -> None:
    if size < IMAGE_SIZE or size % 2:
        raise UserError(f"data.image_size={size} must be {IMAGE_SIZE}, or a larger even number ({IMAGE_SIZE} plus a border)")
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
