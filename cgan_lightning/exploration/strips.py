"""Rows of pictures as files and in TensorBoard: a grid, its first row alone, and moving."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from cgan_lightning.files import write_atomically
from cgan_lightning.images import grid, labelled_grid

FRAME_MS, PAUSE_MS = 80, 600  # of a moving picture: a step; its two ends


class Strips:
    """Writes into `folder`, which it makes, and into TensorBoard events there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.events = SummaryWriter(str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.events.close()

    def write(self, name: str, paths: Float[Tensor, "paths steps 1 size size"], titles: Sequence[str]) -> None:
        """NAME.png, a titled row a path; NAME_strip.png, the first alone; NAME.gif, all of them moving to and fro."""
        sheet = labelled_grid(paths, titles, scale=2)
        self._picture(f"{name}.png", sheet)
        self._picture(f"{name}_strip.png", grid(paths[:1], scale=2))
        self.events.add_image(f"transitions/{name}", sheet, 0, dataformats="HW")
        steps = [Image.fromarray(labelled_grid(paths[:, step : step + 1], titles)) for step in range(paths.shape[1])]
        frames = [*steps, *steps[-2:0:-1]]
        pauses = [PAUSE_MS if frame in (0, len(steps) - 1) else FRAME_MS for frame in range(len(frames))]
        write_atomically(
            self.folder / f"{name}.gif",
            lambda path: frames[0].save(
                path, format="GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0, optimize=False
            ),
        )

    def write_sheet(
        self, name: str, paths: Float[Tensor, "paths steps 1 size size"], titles: Sequence[str], heads: Sequence[str]
    ) -> None:
        """NAME.png: a titled row a path, a titled column a step."""
        sheet = labelled_grid(paths, titles, heads=heads, scale=2)
        self._picture(f"{name}.png", sheet)
        self.events.add_image(f"directions/{name}", sheet, 0, dataformats="HW")

    def _picture(self, name: str, pixels: np.ndarray) -> None:
        write_atomically(self.folder / name, lambda path: Image.fromarray(pixels).save(path, format="PNG"))
