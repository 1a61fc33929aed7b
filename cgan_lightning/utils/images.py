"""Conversion between images in [-1, 1] and bytes, and sample grids; the only place that does either."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from torch import Tensor

from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.origin import Origin

INK, PAPER, RULE = "#202020", 255, 224  # of a grid: text, and the grey levels of the background and gaps between images


def normalise(pixels: UInt8[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Map 0..255 to [-1, 1]: black is -1, white is 1."""
    return pixels.float() / 127.5 - 1


def to_uint8(images: Float[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """Map [-1, 1] to 0..255, rounded and clamped; the inverse of `normalise`."""
    return ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def without_border(images: Shaped[Tensor, "*count height width"], size: int) -> Shaped[Tensor, "*count size size"]:
    """Crop the central `size` × `size` pixels."""
    top, left = ((length - size) // 2 for length in images.shape[-2:])
    return images[..., top : top + size, left : left + size]


def arrays(pixels: UInt8[Tensor, "*count channels height width"]) -> UInt8[np.ndarray, "..."]:
    """Return images as image files have them: (..., height, width) if grey, (..., height, width, 3) if in colour."""
    return (pixels[..., 0, :, :] if pixels.shape[-3] == 1 else pixels.movedim(-3, -1)).cpu().numpy()


def tensorboard_format(pixels: UInt8[np.ndarray, "h w *colours"]) -> str:
    """Return the order of the axes of a grid, as TensorBoard's writer wants it."""
    return "HWC" if pixels.ndim == 3 else "HW"


def grid(images: Float[Tensor, "rows columns channels height width"], *, scale: int = 4) -> UInt8[np.ndarray, "h w *colours"]:
    """Arrange images in a grid, with pixels enlarged `scale` times and gaps of `scale` pixels; (h, w, 3) if in colour."""
    rows, columns, _, height, width = images.shape
    pixels = arrays(to_uint8(images))
    canvas = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, *pixels.shape[4:]), RULE, np.uint8)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + 1) + 1, column * (width + 1) + 1
            canvas[top : top + height, left : left + width] = pixels[row, column]
    return canvas.repeat(scale, axis=0).repeat(scale, axis=1)


def labelled_grid(
    images: Float[Tensor, "rows columns channels height width"],
    labels: Sequence[str],
    *,
    heads: Sequence[str] = (),
    title: str = "",
    scale: int = 3,
) -> UInt8[np.ndarray, "h w *colours"]:
    """Return `grid` with row labels at the left and, if given, column heads and a title above."""
    body = grid(images, scale=scale)
    row_height = (images.shape[3] + 1) * scale
    font = ImageFont.load_default(size=row_height * 0.22)
    margin = row_height // 6
    paper = functools.partial(_paper, in_colour=body.ndim == 3)
    names = paper((round(max(map(font.getlength, labels))) + 2 * margin, body.shape[0]))
    draw = ImageDraw.Draw(names)
    for row, label in enumerate(labels):
        draw.text((names.width - margin, (row + 0.5) * row_height), label, fill=INK, font=font, anchor="rm")
    panel = np.concatenate([np.asarray(names), body], axis=1)
    lines, line_height, column_width = _wrapped(title, font, panel.shape[1] - 2 * margin), row_height // 3, images.shape[4] + 1
    top = paper((panel.shape[1], (len(lines) + bool(heads)) * line_height))
    draw = ImageDraw.Draw(top)
    for index, line in enumerate(lines):
        draw.text((margin, (index + 0.5) * line_height), line, fill=INK, font=font, anchor="lm")
    for column, head in enumerate(heads):
        middle = names.width + (column + 0.5) * column_width * scale
        draw.text((middle, top.height - line_height / 2), head, fill=INK, font=font, anchor="mm")
    return np.concatenate([np.asarray(top), panel])


def _paper(size: tuple[int, int], *, in_colour: bool) -> Image.Image:
    return Image.new("RGB" if in_colour else "L", size, (PAPER,) * 3 if in_colour else PAPER)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Wrap text into lines of at most `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        lines[-1:] = [longer] if font.getlength(longer) <= width else [*lines[-1:], word]
    return lines


def beside(
    grids: Sequence[UInt8[np.ndarray, "h w *colours"]], titles: Sequence[str], *, per_row: int = 3, gap: int = 24
) -> UInt8[np.ndarray, "height width *colours"]:
    """Arrange grids, each under its title, in rows of `per_row`; all cells have the size of the largest grid."""
    height, width = (max(sizes) for sizes in zip(*(panel.shape[:2] for panel in grids), strict=True))
    font = ImageFont.load_default(size=gap * 0.75)
    rows = -(-len(grids) // per_row)
    columns = min(len(grids), per_row)
    size = columns * (width + gap) - gap, rows * (height + 2 * gap) - gap
    whole = _paper(size, in_colour=any(panel.ndim == 3 for panel in grids))
    draw = ImageDraw.Draw(whole)
    for index, (panel, title) in enumerate(zip(grids, titles, strict=True)):
        left, top = index % per_row * (width + gap), index // per_row * (height + 2 * gap)
        draw.text((left + width / 2, top + gap / 2), title, fill=INK, font=font, anchor="mm")
        whole.paste(Image.fromarray(panel), (left, top + gap))
    return np.asarray(whole)


def save_png(path: Path, pixels: UInt8[np.ndarray, "h w *colours"], *, title: str, origin: Origin) -> None:
    """Save a grid as PNG, with its title and origin in the metadata."""
    metadata = PngImagePlugin.PngInfo()
    metadata.add_text("Title", title)
    metadata.add_text("Description", str(origin))
    write_atomically(path, lambda file: Image.fromarray(pixels).save(file, format="PNG", optimize=True, pnginfo=metadata))
