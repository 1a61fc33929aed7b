"""Deeper residual networks, similar to R3GAN's (Huang et al. 2024, section 3): `model=residual`."""

from typing import Annotated

from jaxtyping import Float
from torch import Tensor, nn

from cgan_lightning.models.conditioning import LabelEncoder
from cgan_lightning.models.convolution import Convolution
from cgan_lightning.models.discriminator import ConditionalDiscriminator, Head
from cgan_lightning.models.generator import Doubling, FeatureMapGenerator
from cgan_lightning.models.heads import Logit
from cgan_lightning.models.layers import HalvingConvolution
from cgan_lightning.models.normalization import SCALED, Chain, Normalization, TakesCondition
from cgan_lightning.registry import Part, given, register, setting
from cgan_lightning.utils import limits
from cgan_lightning.utils.limits import coarsest_size

NARROWEST = 32  # feature maps, the lower bound of the halved width


class ResidualBlock(TakesCondition):
    """maps + f(maps): 1×1 to half the width, 3×3, 1×1 back, each after normalisation and a leaky ReLU."""

    def __init__(self, channels: int, normalization: Normalization, *, condition_width: int = 0) -> None:
        super().__init__()
        inner = channels // 2
        layers: list[nn.Module] = []
        for inside, outside, size, gain in ((channels, inner, 1, 1.0), (inner, inner, 3, 1.0), (inner, channels, 1, 0.0)):
            convolution = Convolution(inside, outside, size, padding=size // 2)
            layers += [
                normalization.maps(inside, condition_width=condition_width),
                nn.LeakyReLU(0.2),
                normalization.layer(convolution, gain=gain),
            ]
        self.layers = Chain(*layers)

    def forward(
        self, maps: Float[Tensor, "batch channels height width"], condition: Float[Tensor, "batch condition"] | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        return maps + self.layers(maps, condition)


@register("generator", "residual")
class ResidualGenerator(FeatureMapGenerator):
    """G(z, y): Linear, then `blocks` residual blocks at each size, with half the maps after each doubling, and Tanh.

    With 2 stages and 28 pixels: latent + label → (channels, 7, 7) → (channels/2, 14, 14) → (channels/4, 28, 28) → (1, 28, 28).
    Raises ValueError if 2**stages does not divide the image size.
    """

    def __init__(
        self,
        *,
        latent_dim: Annotated[int, given(**limits.LATENT_DIM)],
        channels: Annotated[int, given(**limits.CHANNELS)],
        conditioning: Annotated[LabelEncoder, Part("conditioning")],
        upsampling: Annotated[Doubling, Part("upsampling")],
        normalization: Annotated[Normalization, Part("normalization")] = SCALED,
        stages: Annotated[int, given(**limits.STAGES)] = 2,
        blocks: Annotated[int, setting("residual blocks at each size", **limits.BLOCKS)] = 1,
        image_size: Annotated[int, given(**limits.IMAGE_SIZE)] = 28,
        image_channels: Annotated[int, given(**limits.IMAGE_CHANNELS)] = 1,
    ) -> None:
        super().__init__(latent_dim, channels, coarsest_size(image_size, stages), conditioning, normalization)
        width, layers = channels, list[nn.Module]()
        for stage in range(stages + 1):
            if stage:
                narrower = max(width // 2, NARROWEST)
                layers.append(normalization.layer(upsampling(width, narrower)))
                width = narrower
            layers += [ResidualBlock(width, normalization, condition_width=self.condition_width) for _ in range(blocks)]
        layers += [normalization.maps(width, condition_width=self.condition_width), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(width, image_channels, kernel_size=3, padding=1), nn.Tanh()]
        self.blocks = Chain(*layers)


@register("discriminator", "residual")
class ResidualDiscriminator(ConditionalDiscriminator):
    """D(x, y): `stages` halvings, each followed by `blocks` residual blocks, a depthwise pooling convolution, and the head.

    With 2 stages and 28 pixels: (1 + label planes, 28, 28) → (channels/2, 14, 14) → (channels, 7, 7) → channels → 1. Raises
    ValueError if 2**stages does not divide the image size.
    """

    def __init__(
        self,
        *,
        channels: Annotated[int, setting("feature maps at the smallest size", **limits.CHANNELS)],
        conditioning: Annotated[LabelEncoder, Part("conditioning")],
        head: Annotated[Head, Part("head")] = Logit,
        normalization: Annotated[Normalization, Part("normalization")] = SCALED,
        stages: Annotated[int, given(**limits.STAGES)] = 2,
        blocks: Annotated[int, setting("residual blocks at each size", **limits.BLOCKS)] = 1,
        image_size: Annotated[int, given(**limits.IMAGE_SIZE)] = 28,
        image_channels: Annotated[int, given(**limits.IMAGE_CHANNELS)] = 1,
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        size = coarsest_size(image_size, stages)
        layers, inside = list[nn.Module](), image_channels + conditioning.width
        for stage in range(stages):
            outside = max(channels // 2 ** (stages - 1 - stage), NARROWEST)
            if stage == 0:
                layers.append(normalization.layer(HalvingConvolution(inside, outside)))
            else:
                layers.append(normalization.layer(Convolution(inside, outside, kernel_size=3, stride=2, padding=1)))
            layers += [ResidualBlock(outside, normalization) for _ in range(blocks)]
            inside = outside
        pooling = Convolution(inside, inside, kernel_size=size, groups=inside)  # as in R3GAN: depthwise, over the whole map
        layers += [normalization.maps(inside), nn.LeakyReLU(0.2), normalization.layer(pooling)]
        self.blocks = nn.Sequential(*layers)
        self.head = head(inside, conditioning.num_classes, normalization)
