"""A generator with convolutions at every size, including full image size: `model=convolutional`."""

from typing import Annotated

from torch import nn

from cgan_lightning.models.conditioning import LabelEncoder
from cgan_lightning.models.generator import Doubling, FeatureMapGenerator
from cgan_lightning.models.normalization import BATCH, Chain, Normalization
from cgan_lightning.registry import Part, given, register, setting
from cgan_lightning.utils import limits
from cgan_lightning.utils.limits import coarsest_size

NARROWEST = 32  # feature maps, the lower bound of the halved width


@register("generator", "convolutional")
class ConvolutionalGenerator(FeatureMapGenerator):
    """G(z, y): Linear, then `blocks` convolutions at each doubling, with half the maps each time, and a last one with Tanh.

    With 2 stages, 28 pixels and 2 blocks: latent + label → (channels, 7, 7) → twice (maps, 14, 14) → twice (maps/2, 28, 28)
    → (1, 28, 28). The documented generator has one layer at 14 pixels and none at 28, and cannot draw patterns finer than its
    last doubling allows. Raises ValueError if 2**stages does not divide the image size.
    """

    def __init__(
        self,
        *,
        latent_dim: Annotated[int, given(**limits.LATENT_DIM)],
        channels: Annotated[int, given(**limits.CHANNELS)],
        conditioning: Annotated[LabelEncoder, Part("conditioning")],
        upsampling: Annotated[Doubling, Part("upsampling")],
        normalization: Annotated[Normalization, Part("normalization")] = BATCH,
        stages: Annotated[int, given(**limits.STAGES)] = 2,
        maps: Annotated[
            int, setting("feature maps after the first doubling, halved at each further one, at least 32", **limits.MAPS)
        ] = 64,
        blocks: Annotated[int, setting("convolutions at each size", **limits.BLOCKS)] = 2,
        bn_eps: Annotated[float, setting("eps of the batch norm after each convolution", **limits.BN_EPS)] = 1e-5,
        image_size: Annotated[int, given(**limits.IMAGE_SIZE)] = 28,
        image_channels: Annotated[int, given(**limits.IMAGE_CHANNELS)] = 1,
    ) -> None:
        super().__init__(latent_dim, channels, coarsest_size(image_size, stages), conditioning, normalization)
        width, narrower, condition = channels, maps, self.condition_width
        layers: list[nn.Module] = [normalization.maps(width, condition_width=condition), nn.ReLU(inplace=True)]
        for _ in range(stages):
            convolutions = [nn.Conv2d(narrower, narrower, kernel_size=3, padding=1) for _ in range(blocks - 1)]
            for layer in (upsampling(width, narrower), *convolutions):
                norm = normalization.maps(narrower, condition_width=condition, eps=bn_eps)
                layers += [normalization.layer(layer), norm, nn.ReLU(inplace=True)]
            width, narrower = narrower, max(narrower // 2, NARROWEST)
        self.blocks = Chain(*layers, nn.Conv2d(width, image_channels, kernel_size=3, padding=1), nn.Tanh())
