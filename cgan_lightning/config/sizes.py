"""What a training's settings come to in images and updates, before anything of PyTorch is imported."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import class_selection
from cgan_lightning.data.facts import IMAGE_SIZE, TRAIN_IMAGES_A_CLASS
from cgan_lightning.utils import limits
from cgan_lightning.utils.errors import UserError


def images(config: DictConfig) -> int:
    """How many training images there are. Raises UserError for classes that aren't there."""
    data: Any = OmegaConf.to_container(config.data, resolve=True)
    classes = class_selection.classes(data["classes"])
    at_most = class_selection.limits(data["per_class_limit"], classes)
    count = sum(min(at_most.get(number, TRAIN_IMAGES_A_CLASS), TRAIN_IMAGES_A_CLASS) for number in classes)
    return min(count, data["limit"] or count)


def planned_updates(config: DictConfig) -> int:
    """How many updates the run has when it ends."""
    by_epochs = config.trainer.max_epochs * (images(config) // config.data.batch_size)
    return min(by_epochs, config.trainer.max_steps or by_epochs)


def check(config: DictConfig) -> None:
    """Raises UserError for sizes with which no training can begin."""
    count, batch_size = images(config), config.data.batch_size
    if batch_size > count:
        raise UserError(f"data.batch_size={batch_size} is more than the {count:,} images that there are")
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
    """`trainer.devices=null` is as many as the machine has, which is seen where it runs."""
    devices, nodes, batch_size = config.trainer.devices, config.trainer.num_nodes, config.data.batch_size
    size = (devices or 1) * nodes
    if batch_size % size or batch_size < 2 * size:  # one image at 1×1 is no batch for batch norm
        raise UserError(
            f"data.batch_size={batch_size} is of all {size} ranks together (trainer.devices={devices} × "
            f"trainer.num_nodes={nodes}): take a multiple of their number, two images or more for each"
        )
