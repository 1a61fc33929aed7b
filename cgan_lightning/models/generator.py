"""The documented generator: z and a class label in, an image out."""

from collections.abc import Callable
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgan_lightning.models.conditioning import LabelEncoder, Labels
from cgan_lightning.models.normalization import BATCH, Chain, Normalization
from cgan_lightning.registry import Part, given, register, setting
from cgan_lightning.utils import limits
from cgan_lightning.utils.limits import coarsest_size

Doubling = Callable[[int, int], nn.Module]  # (in_channels, out_channels) → a module that doubles the size


class ConditionalGenerator(nn.Module):
    """The base class of generators: `forward` maps z (batch, latent_dim) and labels to images in [-1, 1].

    `project` is the layer that takes z; the first `latent_dim` columns of its weight belong to z. Directions of z are
    computed from that weight (SeFa) and from the output of the first of `blocks` (PCA).
    """

    latent_dim: int
    conditioning: LabelEncoder
    project: nn.Linear
    blocks: nn.Sequential


class FeatureMapGenerator(ConditionalGenerator):
    """The base class of generators that project z and the label to feature maps, as DCGAN does; subclasses add `blocks`.

    The normalisation may take the label, or z and the label: then they are its `condition`. If it takes only the label,
    `project` does not.
    """

    def __init__(
        self, latent_dim: int, channels: int, size: int, conditioning: LabelEncoder, normalization: Normalization
    ) -> None:
        super().__init__()
        self.latent_dim, self.channels, self.size = latent_dim, channels, size
        self.conditioning = conditioning
        self.latent_modulates = normalization.takes_latent
        self.condition_width = conditioning.width + latent_dim * self.latent_modulates
        self.concatenated = self.latent_modulates or not normalization.takes_label
        inputs = latent_dim + self.concatenated * conditioning.width
        self.project = normalization.layer(nn.Linear(inputs, channels * size**2))

    def forward(self, z: Float[Tensor, "batch latent"], labels: Labels) -> Float[Tensor, "batch channels size size"]:
        label = self.conditioning(labels)
        inputs = torch.cat([z, label], dim=1) if self.concatenated else z
        features = self.projected(inputs)
        maps = features.unflatten(1, (self.channels, self.size, self.size))
        maps = maps.contiguous(memory_format=torch.channels_last)  # here, once, instead of in each layer and its gradient
        return self.blocks(maps, inputs if self.latent_modulates else label)

    def projected(self, inputs: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch features"]:
        """Return the values of the first feature maps."""
        return self.project(inputs)


@register("generator", "documented")
class Generator(FeatureMapGenerator):
    """G(z, y): Linear, then `stages` doublings up to the image, in [-1, 1] by Tanh.

    With 2 stages and 28 pixels: latent + label → (channels, 7, 7) → (64, 14, 14) → (1, 28, 28). All widths between the
    first feature map and the image are 64, as documented. A label is a class index, or a weight for each class. Raises
    ValueError if 2**stages does not divide the image size.
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
        bn_eps: Annotated[
            float, setting("eps of the batch norm after the first convolution; usually 1e-5", **limits.BN_EPS)
        ] = 1e-5,
        image_size: Annotated[int, given(**limits.IMAGE_SIZE)] = 28,
        image_channels: Annotated[int, given(**limits.IMAGE_CHANNELS)] = 1,
    ) -> None:
        super().__init__(latent_dim, channels, coarsest_size(image_size, stages), conditioning, normalization)
        width = 64
        blocks: list[nn.Module] = [normalization.maps(channels, condition_width=self.condition_width)]
        for stage in range(stages - 1):
            blocks += [
                normalization.layer(upsampling(channels if stage == 0 else width, width)),
                normalization.maps(width, condition_width=self.condition_width, eps=bn_eps),
                nn.ReLU(inplace=True),
            ]
        blocks += [upsampling(channels if stages == 1 else width, image_channels), nn.Tanh()]
        self.blocks = Chain(*blocks)

    def projected(self, inputs: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch features"]:
        return self.project(inputs).relu()
