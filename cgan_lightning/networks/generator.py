"""The documented generator: z and a class label in, a picture out."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgan_lightning.limits import coarsest_size
from cgan_lightning.networks.conditioning import LabelEncoder, Labels
from cgan_lightning.networks.normalization import BATCH, Chain, Normalization


class Generator(nn.Module):
    """G(z, y): Linear, then `stages` doublings up to the image, in [-1, 1] by Tanh.

    With 2 stages and 28 pixels: latent + label → (channels, 7, 7) → (64, 14, 14) → (1, 28, 28). All widths between the
    first feature map and the image are 64, as documented. A normalisation that takes the label gets it in place of the
    first layer. A label is a class index, or a weight for each class. Raises ValueError for an image size that 2**stages
    does not divide.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        channels: int,
        conditioning: LabelEncoder,
        upsampling: Callable[[int, int], nn.Module],  # (in_channels, out_channels) → a module that doubles the size
        normalization: Normalization = BATCH,
        stages: int = 2,
        bn_eps: float = 1e-5,
        image_size: int = 28,
    ) -> None:
        super().__init__()
        width = 64
        self.latent_dim = latent_dim
        self.channels = channels
        self.size = coarsest_size(image_size, stages)
        self.conditioning = conditioning
        self.concatenated = not normalization.takes_label
        inputs = latent_dim + self.concatenated * conditioning.width
        self.project = normalization.layer(nn.Linear(inputs, channels * self.size**2))
        blocks: list[nn.Module] = [normalization.maps(channels, label_width=conditioning.width)]
        for stage in range(stages - 1):
            blocks += [
                normalization.layer(upsampling(channels if stage == 0 else width, width)),
                normalization.maps(width, label_width=conditioning.width, eps=bn_eps),
                nn.ReLU(inplace=True),
            ]
        blocks += [upsampling(channels if stages == 1 else width, 1), nn.Tanh()]
        self.blocks = Chain(*blocks)

    def forward(self, z: Float[Tensor, "batch latent"], labels: Labels) -> Float[Tensor, "batch 1 size size"]:
        label = self.conditioning(labels)
        features = self.project(torch.cat([z, label], dim=1) if self.concatenated else z).relu()
        maps = features.unflatten(1, (self.channels, self.size, self.size))
        maps = maps.contiguous(memory_format=torch.channels_last)  # once here, or in each layer and its gradient
        return self.blocks(maps, label)
