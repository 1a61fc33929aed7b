"""The training and test split of a data set as uint8 tensors."""

from pathlib import Path

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from cgan_lightning.data import idx, sources, user_files
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.data.spec import DatasetSpec, IdxFile

Labelled = tuple[UInt8[Tensor, "count channels size size"], Int[Tensor, " count"]]


def of_training(root: Path | None = None, spec: DatasetSpec = FASHION_MNIST) -> Labelled:
    """Return the images 0..255 and classes of the training split; see `sources.locate` for `root`."""
    if spec.source is not None:
        return _tensors(user_files.splits(spec.source)[0])
    return _of_files(sources.locate(root, spec), spec.train, spec)


def of_test(root: Path | None = None, spec: DatasetSpec = FASHION_MNIST) -> Labelled:
    """Return the images 0..255 and classes of the test split, which a user's own data may lack: it is empty then."""
    if spec.source is not None:
        return _tensors(user_files.splits(spec.source)[1])
    return _of_files(sources.locate(root, spec), spec.test, spec)


def _tensors(split: user_files.Split) -> Labelled:
    return torch.from_numpy(split.images), torch.from_numpy(split.classes).long()


def _of_files(folder: Path, files: tuple[IdxFile, ...], spec: DatasetSpec) -> Labelled:
    pixels, labels = (
        torch.frombuffer(idx.read(folder, file, spec), dtype=torch.uint8, offset=len(file.header)).view(file.shape)
        for file in files
    )
    pixels = pixels.mT.contiguous() if spec.transposed else pixels
    return pixels[:, None], labels.long() - spec.first_label
