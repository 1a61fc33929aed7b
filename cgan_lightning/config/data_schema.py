"""The schema of the section `data`."""

from dataclasses import dataclass
from typing import Any

from cgan_lightning.config.schema_fields import OPERATIONAL, anything, neutral, number, one_of, settings
from cgan_lightning.data.sets import FILES, SETS
from cgan_lightning.utils import limits

CLASSES = "a class or a list of classes, by name or number, or null"
DATASETS = [*SETS, FILES]  # plugin_options.py adds to it


@dataclass
class Dataset:
    """Which data set."""

    dataset: str | None = anything("the data set, which data= sets", choices=DATASETS, **neutral("fashion_mnist"))
    root: str | None = anything(
        "folder of the data set's IDX files, gzipped or not; null: search, else download and cache; with data=files: the "
        "folder of the files below", must_be="a folder", **OPERATIONAL,
    )  # fmt: skip
    images: str | None = anything(
        "with data=files: a .npz file with images (n, height, width) or (n, height, width, 3), uint8, and labels; or an IDX "
        "file of images", must_be="a file", **OPERATIONAL,
    )  # fmt: skip
    labels: str | None = anything("with data=files: the IDX file of the images' labels", must_be="a file", **OPERATIONAL)
    test_images: str | None = anything(
        "with data=files: an IDX file of images that are only used by evaluate; null: every tenth image of each class, which "
        "is not trained on, or test_images and test_labels of the .npz", must_be="a file", **OPERATIONAL,
    )  # fmt: skip
    test_labels: str | None = anything("with data=files: the IDX file of their labels", must_be="a file", **OPERATIONAL)
    class_names: Any = anything(
        "with data=files: the classes' names, as in [cat, dog]; null: the labels", must_be="a list of names, or null",
        **neutral(None),
    )  # fmt: skip
    settings: Any = settings("with data= of a plugin: its settings")


@dataclass
class Data(Dataset):
    """Which part of it, and its batches."""

    batch_size: int = number("images per batch, summed over all devices", at_least=2)
    limit: int | None = number("use only the first N images, for a quick test; null: all", at_least=2)
    classes: Any = anything("classes to train on, as in [Dress, 9]; null: all", must_be=CLASSES, **neutral(None))
    per_class_limit: Any = anything(
        "use only the first N images of each class, or of some: {Ankle boot: 100}; null: all",
        must_be="a whole number at least 1, or a mapping of classes to such numbers, or null", **neutral(None),
    )  # fmt: skip
    balanced: bool = anything("true: each batch, real and fake, has equally many images of each class")
    image_size: int | None = number(
        "image height and width; null: the data's; a larger even number adds a black border", **limits.IMAGE_SIZE
    )
    placement: str = one_of(
        "device: all images stay on the training device; host: worker processes prepare batches",
        "device", "host", **OPERATIONAL,
    )  # fmt: skip
    workers: int = number("number of worker processes, for data.placement=host", at_least=0, at_most=64, **OPERATIONAL)
