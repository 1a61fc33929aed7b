"""A user's own images: one .npz, or an IDX file of images and one of labels (`data=files`), or what a plugin gives.

PyTorch is not imported, unless a plugin does.
"""

import functools
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cgan_lightning.data import idx
from cgan_lightning.data.sets import FILES
from cgan_lightning.data.spec import DatasetSpec, PluginData, UserFiles, hash_of
from cgan_lightning.utils import limits
from cgan_lightning.utils.errors import UserError, shown

HELD_OUT = 10  # without a test split of its own, every tenth image of each class is not trained on
LARGEST = 2**32  # bytes of an IDX file
ARRAYS = ("images", "labels", "test_images", "test_labels")


_OF_ZIP = (zipfile.BadZipFile, zlib.error)


Source = UserFiles | PluginData


class Split(NamedTuple):
    """Images (count, channels, size, size) as bytes, and their classes, which are the labels in ascending order."""

    images: np.ndarray
    classes: np.ndarray


class _Content(NamedTuple):
    train: Split
    test: Split
    labels: list[int]  # the label of each class
    hash: str


def described(source: Source, class_names: Any = None) -> DatasetSpec:
    """Return what `source` holds. Raises UserError for anything that cannot be trained on."""
    content = _content(source, _stamps(source))
    names = _names(class_names, content.labels)
    name, title = (FILES, source.images.name) if isinstance(source, UserFiles) else (source.name, source.name)
    return DatasetSpec(
        name=name,
        title=shown(title),
        class_names=names,
        counts=tuple(np.bincount(content.train.classes, minlength=len(names)).tolist()),
        hash=content.hash,
        image_size=content.train.images.shape[2],
        channels=content.train.images.shape[1],
        source=source,
    )


def splits(source: Source) -> tuple[Split, Split]:
    """Return the training and the test split."""
    content = _content(source, _stamps(source))
    return content.train, content.test


def _stamps(source: Source) -> tuple[Any, ...]:
    """Return what changes when a file does: content is read once, also for the many jobs of a sweep."""
    stamps = list[Any]()
    for key, path in vars(source).items() if isinstance(source, UserFiles) else ():
        if path is not None:
            try:
                stat = path.stat()
            except OSError as error:
                raise UserError(f"data.{key}={path} cannot be read ({error.strerror})") from None
            stamps.append((stat.st_mtime_ns, stat.st_size))
    return tuple(stamps)


@functools.lru_cache(maxsize=2)
def _content(source: Source, stamps: tuple[Any, ...]) -> _Content:
    if isinstance(source, PluginData):
        given, arrays = f"data={source.name}", _of_plugin(source)
    else:
        given, arrays = f"data={FILES}, {source.images}", _of_npz(source) if source.images.suffix == ".npz" else _of_idx(source)
    for prefix in ("test_", ""):
        if f"{prefix}images" in arrays:
            arrays[f"{prefix}images"] = _checked(arrays, prefix, given)
    labels, classes = np.unique(arrays["labels"], return_inverse=True)
    limit = limits.NUM_CLASSES["at_most"]
    if len(labels) > limit:
        raise UserError(f"data.labels: {len(labels):,} different labels; there may be up to {limit:,} classes")
    everything = Split(arrays["images"], classes)
    train, test = _divided(everything) if "test_images" not in arrays else (everything, _of_test(arrays, labels, everything))
    digest = hash_of(*(np.ascontiguousarray(part).tobytes() for split in (train, test) for part in split))
    return _Content(train, test, labels.tolist(), digest)


def _of_test(arrays: Mapping[str, np.ndarray], labels: np.ndarray, train: Split) -> Split:
    images, given = arrays["test_images"], arrays["test_labels"]
    if new := sorted({*given.tolist()} - {*labels.tolist()}):
        raise UserError(f"data.test_labels: there is label {new[0]}, which no training image has")
    if images.shape[1:] != train.images.shape[1:]:
        raise UserError(f"data.test_images: {_shape(images)}, but the training images are {_shape(train.images)}")
    return Split(images, np.searchsorted(labels, given))


def _divided(split: Split) -> tuple[Split, Split]:
    """Hold out every tenth image of each class; classes of fewer images have none in the test split."""
    test = np.zeros(len(split.classes), bool)
    for number in range(split.classes.max() + 1):
        test[np.flatnonzero(split.classes == number)[HELD_OUT - 1 :: HELD_OUT]] = True
    return Split(split.images[~test], split.classes[~test]), Split(split.images[test], split.classes[test])


def _checked(arrays: Mapping[str, np.ndarray], prefix: str, given: str) -> np.ndarray:
    """Return the images as (count, channels, size, size), with their labels checked; `given` names the data in messages."""
    images, labels = arrays[f"{prefix}images"], arrays[f"{prefix}labels"]
    if images.dtype != np.uint8:
        raise UserError(f"{given}: {prefix}images are {images.dtype}, and must be uint8, from 0 to 255")
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or (len(labels) and labels.min() < 0):
        raise UserError(f"{given}: {prefix}labels must be a whole number of 0 or more for each image")
    if len(images) != len(labels) or not len(images):
        raise UserError(
            f"{given}: {len(images):,} {prefix}images and {len(labels):,} {prefix}labels; each image needs one label"
        )
    images = images[:, None] if images.ndim == 3 else np.moveaxis(images, -1, 1) if images.ndim == 4 else images
    bounds = limits.DATA_SIZE
    if images.ndim != 4 or images.shape[1] not in limits.DATA_CHANNELS:
        raise UserError(f"{given}: {prefix}images have shape {arrays[f'{prefix}images'].shape}, and must have "
                        "(n, height, width), or (n, height, width, 3) for colour")  # fmt: skip
    if images.shape[2] != images.shape[3] or not limits.within(images.shape[2], bounds):
        raise UserError(
            f"{given}: {prefix}images are {_shape(images)}, and must be square, {limits.bounds_text(bounds)} pixels"
        )
    return np.ascontiguousarray(images)


def _shape(images: np.ndarray) -> str:
    return f"{images.shape[2]}×{images.shape[3]} pixels with {images.shape[1]} channel{'s' * (images.shape[1] > 1)}"


def _of_plugin(source: PluginData) -> dict[str, np.ndarray]:
    arrays = {name: np.asarray(array) for name, array in source.data.arrays(source.root).items()}
    if {*arrays} not in ({*ARRAYS[:2]}, {*ARRAYS}):
        raise UserError(f"data={source.name}: arrays() returns {shown([*arrays])}, and must return images and labels, "
                        "or these and test_images and test_labels")  # fmt: skip
    return arrays


def _of_npz(files: UserFiles) -> dict[str, np.ndarray]:
    if alone := [key for key, path in vars(files).items() if path is not None and key != "images"]:
        raise UserError(f"data.{alone[0]}: {files.images} has the labels, and the test split if it has one: leave it out")
    try:
        with np.load(files.images, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS if name in file}
    except (OSError, ValueError, EOFError, LookupError, TypeError, AttributeError, MemoryError, *_OF_ZIP) as error:
        raise UserError(f"data.images={files.images} is no .npz file of numbers ({shown(error)})") from None
    if missing := [name for name in ARRAYS[:2] if name not in arrays]:
        raise UserError(f"data.images={files.images} has no array {missing[0]}: it must have images and labels")
    if ("test_images" in arrays) != ("test_labels" in arrays):
        raise UserError(f"data.images={files.images}: test_images and test_labels belong together, and one is missing")
    return arrays


def _of_idx(files: UserFiles) -> dict[str, np.ndarray]:
    if files.labels is None:
        raise UserError(f"data.images={files.images}: an IDX file needs data.labels=FILE, too; a .npz file has both")
    if (files.test_images is None) != (files.test_labels is None):
        raise UserError("data.test_images and data.test_labels belong together, and one is missing")
    return {key: _idx_array(key, path) for key, path in vars(files).items() if path is not None}


def _idx_array(key: str, path: Path) -> np.ndarray:
    """Return an IDX file of unsigned bytes; at most one byte more than its header says is read."""
    given = f"data.{key}={path}"
    try:
        with idx.opened(path) as file:
            magic = file.read(4)
            if magic[:3] != b"\x00\x00\x08" or len(magic) < 4 or not 1 <= magic[3] <= 4:
                raise UserError(f"{given} is no IDX file of unsigned bytes, nor does its name end in .npz")
            shape = tuple(np.frombuffer(file.read(4 * magic[3]), ">u4").tolist())
            size = int(np.prod(shape, dtype=object))
            if len(shape) != magic[3] or size > LARGEST:
                raise UserError(f"{given}: its header says {shown(shape)}; up to {LARGEST:,} bytes are read")
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{given} cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(content) != size:
        raise UserError(f"{given} has {'more' if len(content) > size else 'fewer'} bytes than its header says")
    return np.frombuffer(bytearray(content), np.uint8).reshape(shape)  # writable, as PyTorch wants it


def _names(given: Any, labels: Sequence[int]) -> tuple[str, ...]:
    """Return a name for each class: the label itself, or that of `given`, which has one per class or one per number."""
    if given is None:
        return tuple(map(str, labels))
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise UserError(f"data.class_names={shown(given)}: must be a list of names, as in [cat, dog], or null for numbers")
    names = [str(name) for name in given]
    if len(names) not in (len(labels), labels[-1] + 1):
        raise UserError(f"data.class_names: {len(names)} names for {len(labels)} classes (the labels {shown(labels)})")
    names = names if len(names) == len(labels) else [names[label] for label in labels]
    longest = limits.CLASS_NAME_LENGTH
    for name in names:
        if not (0 < len(name) <= longest and name.isprintable()) or names.count(name) > 1:
            raise UserError(f"data.class_names: {shown(name)} must be one name, given once, of up to {longest} characters")
    return tuple(names)
