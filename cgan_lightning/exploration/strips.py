"""Rows of images as files and in TensorBoard: a grid, its first row, and an animation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import labelled_grid, save_png, tensorboard_format
from cgan_lightning.utils.origin import Origin

FRAME_MS, PAUSE_MS = 80, 600  # of an animation: a step; each end


class Strips:
    """Write images and TensorBoard events to `folder`, which is created; `origin` is in the metadata of each file."""

    def __init__(self, folder: Path, origin: Origin) -> None:
        self.folder, self.origin = folder, origin
        folder.mkdir(parents=True, exist_ok=True)
        self.events = SummaryWriter(str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.events.close()

    def write(
        self, name: str, paths: Float[Tensor, "paths steps channels size size"], titles: Sequence[str], *, weights: str
    ) -> None:
        """Write NAME.png, one titled row per path; NAME_strip.png, the first row; NAME.gif, an animation back and forth.

        Each column is headed by its position from 0 to 1, which `weights` describes.
        """
        heads = [f"{step / (paths.shape[1] - 1):.2f}" for step in range(paths.shape[1])]
        sheet = labelled_grid(paths, titles, heads=heads, title=weights, scale=2)
        self._picture(f"{name}.png", sheet, weights)
        self._picture(f"{name}_strip.png", labelled_grid(paths[:1], titles[:1], heads=heads, title=weights, scale=2), weights)
        self.events.add_image(f"interpolations/{name}", sheet, 0, dataformats=tensorboard_format(sheet))
        steps = [
            Image.fromarray(labelled_grid(paths[:, step : step + 1], titles, heads=[head], title=weights))
            for step, head in enumerate(heads)
        ]
        frames = [*steps, *steps[-2:0:-1]]
        pauses = [PAUSE_MS if frame in (0, len(steps) - 1) else FRAME_MS for frame in range(len(frames))]
        write_atomically(
            self.folder / f"{name}.gif",
            lambda path: frames[0].save(
                path,
                format="GIF",
                save_all=True,
                append_images=frames[1:],
                duration=pauses,
                loop=0,
                optimize=False,
                comment=f"{weights}; {self.origin}".encode(),
            ),
        )

    def write_sheet(
        self,
        name: str,
        paths: Float[Tensor, "paths steps channels size size"],
        titles: Sequence[str],
        *,
        heads: Sequence[str],
        title: str,
    ) -> None:
        """Write NAME.png: one titled row per path, one titled column per step, and a title."""
        sheet = labelled_grid(paths, titles, heads=heads, title=title, scale=2)
        self._picture(f"{name}.png", sheet, title)
        self.events.add_image(f"directions/{name}", sheet, 0, dataformats=tensorboard_format(sheet))

    def _picture(self, name: str, pixels: np.ndarray, title: str) -> None:
        save_png(self.folder / name, pixels, title=title, origin=self.origin)
