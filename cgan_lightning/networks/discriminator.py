"""The documented discriminator: a picture and a class label in, one logit out."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgan_lightning.networks.conditioning import LabelEncoder
from cgan_lightning.networks.layers import FeatureSum, HalvingConvolution, coarsest_size


class Discriminator(nn.Module):
    """D(x, y): the label as planes beside the image, `stages` halvings, one logit (its sigmoid is P(real)).

    With 2 stages and 28 pixels: (1 + label planes, 28, 28) → (64, 14, 14) → (128, 7, 7) → 1. The first convolution has no
    batch normalisation. Raises ValueError for an image size that 2**stages does not divide.
    """

    def __init__(
        self,
        *,
        conditioning: LabelEncoder,
        stages: int = 2,
        image_size: int = 28,
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        blocks: list[nn.Module] = []
        inside, outside = 1 + conditioning.width, 64
        for stage in range(stages):
            if stage == 0:
                blocks.append(HalvingConvolution(inside, outside))
            else:
                blocks += [nn.Conv2d(inside, outside, kernel_size=3, stride=2, padding=1), nn.BatchNorm2d(outside)]
            blocks.append(nn.LeakyReLU(0.2, inplace=True))
            inside, outside = outside, outside * 2
        blocks.append(FeatureSum(inside * coarsest_size(image_size, stages) ** 2, 1))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, images: Float[Tensor, "batch 1 size size"], labels: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        planes = self.conditioning(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return self.blocks(torch.cat([images, planes], dim=1)).squeeze(1)
