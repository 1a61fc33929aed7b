"""An exponential moving average of the generator's weights (Yazici et al. 2019; Karras et al. 2020, appendix B)."""

import copy

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class GeneratorEMA(nn.Module):
    """The EMA of a generator, with its half-life in images, so that it does not depend on batch size.

    Early in training the half-life is at most `rampup` times the images seen: otherwise the random initialisation would
    persist for epochs. Floating-point buffers (batch norm's statistics) are averaged like weights.
    """

    def __init__(self, generator: nn.Module, *, halflife_images: float, rampup: float = 0.05) -> None:
        super().__init__()
        self.halflife_images = halflife_images
        self.rampup = rampup
        self.generator = copy.deepcopy(generator).requires_grad_(False)

    def weights(self, images_seen: Int[Tensor, " updates"], *, batch_size: int) -> Float[Tensor, " updates"]:
        """Return the weight of each update in the EMA, in double precision; `images_seen` includes the update's own batch."""
        halflife = (self.rampup * images_seen.double()).clamp(max=self.halflife_images)
        return 1 - 0.5 ** (batch_size / halflife)

    @torch.no_grad()
    def update(self, generator: nn.Module, weight: Float[Tensor, ""]) -> None:
        """Move the EMA towards `generator`. The weight is a tensor, so that it can change in a captured update."""
        average = _floats(self.generator)
        # One kernel per operation; with a tensor as weight, `_foreach_lerp_` would launch one per parameter.
        steps = torch._foreach_sub(_floats(generator), average)
        torch._foreach_mul_(steps, weight)
        torch._foreach_add_(average, steps)


def _floats(network: nn.Module) -> list[Tensor]:
    return [tensor for tensor in network.state_dict(keep_vars=True).values() if tensor.is_floating_point()]
