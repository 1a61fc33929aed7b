"""Small data sets as users bring them: files of IDX or .npz."""

from pathlib import Path

import numpy as np

from cgan_lightning.data import splits

SHAPES = ("square", "stripes", "ring")


def colour(path: Path, counts: tuple[int, ...] = (150, 120, 110), size: int = 32, **changes: np.ndarray | None) -> Path:
    """Write a .npz of red squares, green stripes and blue rings; `changes` replace arrays, None removes one."""
    draws = np.random.default_rng(0)
    labels = draws.permutation(np.repeat(np.arange(len(counts)), counts))
    images = draws.integers(0, 30, (len(labels), size, size, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:size, :size]
    for image, label in zip(images, labels, strict=True):
        x, y, side = draws.integers(8, size - 8), draws.integers(8, size - 8), draws.integers(4, 8)
        distance = np.hypot(rows - y, columns - x)
        square = (abs(rows - y) < side) & (abs(columns - x) < side)
        image[(square, (rows + y) % 8 < 3, abs(distance - side) < 2)[label % 3], label % 3] = draws.integers(150, 255)
    arrays = {"images": images, "labels": labels} | changes
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def idx(path: Path, array: np.ndarray) -> Path:
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.asarray(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes())
    return path


def clothes(folder: Path, per_class: int = 60) -> list[str]:
    """Write IDX files of Fashion-MNIST's trousers, bags and boots, labelled 1, 4 and 5; return the overrides that give them."""
    images, labels = (part.numpy() for part in splits.of_training())
    rows = np.sort(np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in (1, 8, 9)]))
    new = np.select([labels[rows] == 1, labels[rows] == 8], [1, 4], 5)
    idx(folder / "clothes.images", images[rows, 0])
    idx(folder / "clothes.labels", new)
    return ["data=files", f"data.root={folder}", "data.images=clothes.images", "data.labels=clothes.labels"]
