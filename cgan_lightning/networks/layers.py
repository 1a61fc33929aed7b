"""Layers that double or halve a feature map, and the sizes for which that comes out even."""

from torch import nn


class NearestUpsample(nn.Sequential):
    """Nearest-neighbour ×2, then a 3×3 convolution (the documented choice): no checkerboard, whatever it learns."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        )


class TransposedUpsample(nn.ConvTranspose2d):
    """One 4×4 transposed convolution of stride 2, DCGAN's (Radford et al. 2016): its stride divides its kernel."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=4, stride=2, padding=1)


def coarsest_size(image_size: int, stages: int) -> int:
    """The side of the feature map `stages` halvings below an image of `image_size` pixels a side.

    Raises ValueError, saying what would do, when a halving leaves a remainder.

    >>> coarsest_size(28, 2)
    7
    """
    factor = 2**stages
    if image_size % factor:
        possible = [n for n in range(1, stages) if image_size % 2**n == 0]
        below = image_size // factor * factor
        sizes = [size for size in (below, below + factor, below + 2 * factor) if size > 0]
        raise ValueError(
            f"{image_size} pixels can't be halved {stages} times; "
            + (f"with {image_size} take stages {' or '.join(map(str, possible))}, " if possible else "")
            + f"with {stages} stages an image size divisible by {factor}: {', '.join(map(str, sizes))}, ..."
        )
    return image_size // factor
